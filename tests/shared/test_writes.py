"""Every call that changes something: once per key, in one transaction with its answer."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import IdempotencyKeyMissing, IdempotencyKeyReused, InvalidRequest, Unavailable
from shared.work import Work
from tests.support.assertions import assert_problem, eventually
from tests.support.bus import Side
from tests.support.gate import Gate, gate_before
from tests.support.toy import CounterFull
from tests.support.toyapp import ToyClient, client_of, create_toy_app

BOTH = pytest.mark.parametrize("grow", ["grow", "grow-together"])


def seen(answer: httpx.Response) -> tuple[int, bytes, str | None, str | None, str | None]:
    """Return what a client sees of an answer, but for its being a replay."""
    return answer.status_code, answer.content, *(answer.headers.get(n) for n in ("location", "etag", "content-type"))


async def values(side: Side) -> dict[str, int]:
    return {row["code"]: row["value"] for row in await side.rows("SELECT code, value FROM counter")}


class TestKey:
    """The same key is the same call."""

    @BOTH
    async def test_fifty_times_at_once_has_one_effect_and_fifty_equal_answers(
        self, client: ToyClient, toy: Side, grow: str
    ) -> None:
        answers = await asyncio.gather(*(client.post(f"/counters/a/{grow}", key="k") for _ in range(50)))
        assert {seen(answer) for answer in answers} == {
            (201, b'{"code": "a", "value": 1}', "/counters/a", '"1"', "application/json")
        }
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 49
        assert await values(toy) == {"a": 1}
        assert await toy.count("outbox") == 1

    @BOTH
    async def test_with_another_request_is_refused(self, client: ToyClient, toy: Side, grow: str) -> None:
        await client.post(f"/counters/a/{grow}", key="k", content=b"{}")
        others = [
            client.post(f"/counters/a/{grow}", key="k", content=b'{"x": 1}'),
            client.post(f"/counters/b/{grow}", key="k", content=b"{}"),
            client.post(f"/counters/a/{grow}", key="k", content=b"{}", params={"by": 2}),
        ]
        for answer in await asyncio.gather(*others):
            assert_problem(answer, IdempotencyKeyReused)
        assert await values(toy) == {"a": 1}

    async def test_of_another_client_is_another_key(self, client: ToyClient, toy: Side) -> None:
        for who in ("one", "two"):
            assert "idempotency-replayed" not in (await client.post("/counters/a/grow", key="k", who=who)).headers
        assert await values(toy) == {"a": 2}

    @pytest.mark.parametrize("key", ["", " ", "two words", "x" * 201, "kh\u00f3a", "a\tb"])
    async def test_that_is_none_is_refused(self, client: ToyClient, toy: Side, key: str) -> None:
        headers = {"Idempotency-Key": key.encode("utf-8")}
        answer = await client.post("/counters/a/grow", headers=headers)  # type: ignore[arg-type]
        assert_problem(answer, IdempotencyKeyMissing)
        assert await values(toy) == {}

    async def test_missing_is_refused(self, client: ToyClient) -> None:
        headers = client.issuer.headers(["counters:write"])
        del headers["Idempotency-Key"]
        assert_problem(await client.http.post("/counters/a/grow", headers=headers), IdempotencyKeyMissing)

    async def test_is_asked_for_by_every_unsafe_method_and_by_no_safe_one(self, client: ToyClient) -> None:
        headers = {"Authorization": f"Bearer {client.issuer.token([])}"}
        put = await client.http.put("/counters/a/name", headers=headers, json={})
        assert_problem(put, IdempotencyKeyMissing)
        assert (await client.http.get("/counters/a", headers=headers)).status_code == 200


class TestRefusal:
    """A call that is refused has no effect."""

    @pytest.mark.parametrize("refuse", ["refuse", "refuse-together"])
    async def test_leaves_nothing_and_its_key_free(self, client: ToyClient, toy: Side, refuse: str) -> None:
        answer = await client.post(f"/counters/a/{refuse}", key="k")
        assert assert_problem(answer, CounterFull)["value"] == 7
        tables = ("counter", "outbox", "status_change", "idempotency_key")
        assert [await toy.count(table) for table in tables] == [0, 0, 0, 0]
        assert (await client.post("/counters/a/grow", key="k")).status_code == 201

    async def test_of_a_malformed_body_leaves_the_key_free(self, client: ToyClient) -> None:
        malformed = await client.send("PUT", "/counters/a/name", key="k", json={"name": 1})
        assert_problem(malformed, InvalidRequest)
        person = {"name": "An", "id_number": "056090000001", "born": "1990-01-01"}
        assert (await client.send("PUT", "/counters/a/name", key="k", json=person)).status_code == 200


class TestGroup:
    """Calls that arrive together share one transaction."""

    async def test_commits_once_for_all(self, client: ToyClient, toy: Side) -> None:
        answers = await asyncio.gather(*(client.post(f"/counters/c{n}/grow-together") for n in range(30)))
        assert {answer.status_code for answer in answers} == {201}
        transactions = await toy.rows("SELECT xmin::text AS t, count(*) AS n FROM counter GROUP BY 1")
        assert len(transactions) <= 3
        assert sum(row["n"] for row in transactions) == 30
        assert [answer.json()["code"] for answer in answers] == [f"c{n}" for n in range(30)]

    async def test_with_bad_members_serves_the_good_ones(self, client: ToyClient, toy: Side) -> None:
        """One refuses, one repeats a key with another body, two repeat each other; one lacks the right."""
        await client.post("/counters/old/grow-together", key="used")
        good = [client.post(f"/counters/c{n}/grow-together") for n in range(10)]
        twins = [client.post("/counters/twin/grow-together", key="twin") for _ in range(2)]
        bad = [
            client.post("/counters/bad/refuse-together"),
            client.post("/counters/other/grow-together", key="used"),
            client.post("/counters/poor/grow-together", scopes=()),
        ]
        answers = await asyncio.gather(*good[:5], *bad, *good[5:], *twins)
        assert [answer.status_code for answer in answers] == [201] * 5 + [409, 409, 403] + [201] * 7
        assert await values(toy) == {"old": 1, "twin": 1} | {f"c{n}": 1 for n in range(10)}

    async def test_keeps_each_members_caller_and_trace(self, client: ToyClient, toy: Side) -> None:
        traces = [f"00-{n:032x}-00000000000000ff-01" for n in range(1, 6)]
        calls = [
            client.post(f"/counters/c{n}/grow-together", who=f"who{n}", headers={"traceparent": trace})
            for n, trace in enumerate(traces)
        ]
        await asyncio.gather(*calls)
        told = await toy.rows("SELECT subject, traceparent FROM outbox ORDER BY subject")
        assert [row["traceparent"].split("-")[1] for row in told] == [trace.split("-")[1] for trace in traces]
        done = await toy.rows("SELECT actor FROM status_change ORDER BY subject")
        assert [row["actor"] for row in done] == [f"who{n}" for n in range(5)]


class TestCancelled:
    """The client gives up before the answer."""

    @BOTH
    async def test_has_one_effect_when_it_is_sent_again(self, client: ToyClient, toy: Side, grow: str) -> None:
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def hold(_: Work) -> None:
            inside.set()
            await go_on.wait()

        client.hooks.inside = hold
        first = asyncio.create_task(client.post(f"/counters/a/{grow}", key="k"))
        await inside.wait()
        first.cancel()
        await asyncio.wait([first])
        go_on.set()
        again = await client.post(f"/counters/a/{grow}", key="k")
        assert (again.status_code, again.json()["value"]) == (201, 1)
        assert await values(toy) == {"a": 1}
        assert await toy.count("outbox") == 1

    async def test_does_not_take_its_group_along(self, client: ToyClient, toy: Side) -> None:
        go_on = asyncio.Event()

        async def hold(_: Work) -> None:
            await go_on.wait()

        client.hooks.inside = hold
        calls = [asyncio.create_task(client.post(f"/counters/c{n}/grow-together")) for n in range(6)]
        await eventually(lambda: _started(client))
        for call in calls[::2]:
            call.cancel()
        go_on.set()
        answers = await asyncio.gather(*calls[1::2])
        assert [answer.status_code for answer in answers] == [201] * 3
        assert set(await values(toy)) >= {"c1", "c3", "c5"}


class TestConflict:
    """Two transactions meet."""

    @BOTH
    async def test_is_tried_again(self, client: ToyClient, toy: Side, grow: str) -> None:
        async def conflict_twice(work: Work) -> None:
            if client.hooks.calls < 3:
                await work.session.execute(text("DO $$ BEGIN RAISE EXCEPTION '' USING ERRCODE = '40P01'; END $$"))

        client.hooks.inside = conflict_twice
        answer = await client.post(f"/counters/a/{grow}")
        assert (answer.status_code, answer.json()["value"]) == (201, 1)
        assert await values(toy) == {"a": 1}


@pytest.fixture
async def gate(toy: Side) -> AsyncIterator[Gate]:
    """Stand before the toy's database."""
    async with gate_before(toy.database.dsn) as gate:
        yield gate


@pytest.fixture
async def gated(gate: Gate) -> AsyncIterator[ToyClient]:
    """Lend a client of an app that reaches its database through the gate."""
    app = create_toy_app(gate.url)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


class TestOutage:
    """The database goes away in the middle of a call."""

    @BOTH
    async def test_that_is_short_is_not_noticed(self, gated: ToyClient, gate: Gate, toy: Side, grow: str) -> None:
        async def cut_once(_: Work) -> None:
            if gated.hooks.calls == 1:
                gate.shut()
                asyncio.get_running_loop().call_later(0.1, lambda: asyncio.ensure_future(gate.open()))

        gated.hooks.inside = cut_once
        answer = await gated.post(f"/counters/a/{grow}")
        assert (answer.status_code, answer.json()["value"]) == (201, 1)
        assert await values(toy) == {"a": 1}

    @BOTH
    async def test_that_lasts_is_told_and_the_key_is_good_later(
        self, gated: ToyClient, gate: Gate, toy: Side, grow: str
    ) -> None:
        gate.shut()
        answer = await gated.post(f"/counters/a/{grow}", key="k")
        assert_problem(answer, Unavailable)
        assert answer.headers["retry-after"]
        await gate.open()
        assert (await gated.post(f"/counters/a/{grow}", key="k")).status_code == 201
        assert await values(toy) == {"a": 1}

    @BOTH
    async def test_after_the_commit_finds_the_effect_by_its_key(
        self, gated: ToyClient, gate: Gate, toy: Side, grow: str
    ) -> None:
        """The database commits, and the word of it never arrives: the call is tried again and finds itself done."""

        async def lose_the_reply(_: AsyncSession) -> None:
            gate.mute()

        async def lose_once(work: Work) -> None:
            if gated.hooks.calls == 1:
                work.last_steps.append(lose_the_reply)

        gated.hooks.inside = lose_once
        call = asyncio.create_task(gated.post(f"/counters/a/{grow}", key="k"))
        await eventually(lambda: values(toy))
        gate.shut()
        gate.thaw()
        await gate.open()
        answer = await call
        assert (answer.status_code, answer.json()["value"]) == (201, 1)
        assert answer.headers["idempotency-replayed"] == "true"
        assert await values(toy) == {"a": 1}
        assert gated.hooks.calls == 1


async def _started(client: ToyClient) -> bool:
    return client.hooks.calls > 0
