"""Failed calls: grouped by cause, kept sealed where that is safe, and sent again without a second effect."""

from typing import Any

import httpx
import pytest
from starlette.responses import Response

from gateway.errors import DataServiceUnknown, RerunNotPossible
from gateway.operations.data_services.obstacles import Obstacle
from shared.errors import Forbidden
from tests.gateway.data_services.desk import ADMIN, CODE, Desk
from tests.gateway.data_services.ministry import contract
from tests.support.assertions import assert_problem, eventually

SECRET = "Nguyễn Thị An 056190001234"
AT = "/api/v1/data-services"


async def failures(desk: Desk, *, at_least: int = 1, who: str = ADMIN) -> list[dict[str, Any]]:
    """Return the failures by cause, as soon as there are so many calls."""

    async def there() -> Any:
        found = (await desk.visitor.get(f"{AT}/failures", who=who)).json()["failures"]
        return found if sum(one["calls"] for one in found) >= at_least else None

    return await eventually(there)


async def rerun(desk: Desk, **asked: Any) -> httpx.Response:
    """Order a re-run."""
    body = {"service": CODE, "reason": "Bộ đã sửa xong", "calls_per_second": 100, **asked}
    return await desk.visitor.post(f"{AT}/reruns", who=ADMIN, json=body)


async def ended(desk: Desk, rerun_id: str, stage: str = "done") -> dict[str, Any]:
    """Wait until a re-run is at a stage; return it."""

    async def there() -> Any:
        found = (await desk.visitor.get(f"{AT}/reruns/{rerun_id}", who=ADMIN)).json()
        return found if found["stage"] == stage else None

    return await eventually(there)


async def fail(desk: Desk, *keys: str, path: str = "/things", status: int = 500) -> None:
    """Let calls with these keys fail."""
    desk.ministry.script = [Response(status_code=status) for _ in keys]
    for key in keys:
        await desk.call("POST", path, key=key, json={"name": SECRET, "key": key})


@pytest.fixture
async def kept(desk: Desk) -> Desk:
    """Lend a desk whose service is called once only, whatever comes."""
    await desk.offer(policy={"retries": {"attempts_max": 1}, "breaker": {"calls_min": 1000}})
    return desk


class TestGroups:
    async def test_hold_calls_with_the_same_cause_and_samples_of_them(self, kept: Desk) -> None:
        await fail(kept, *(f"k{n}" for n in range(12)))
        await fail(kept, "other", path="/orders", status=503)
        found = await failures(kept, at_least=13)
        by_operation = {one["operation"]: one for one in found}
        things, orders = by_operation["post /things"], by_operation["post /orders"]
        assert (things["calls"], things["kind"], things["upstream_status"], things["kept"]) == (12, "status", 500, 12)
        assert (orders["calls"], orders["upstream_status"], orders["kept"]) == (1, 503, 0)
        assert len(things["samples"]) == 10
        assert things["first_at"] <= things["last_at"]

    async def test_count_on_over_several_writes(self, kept: Desk) -> None:
        await fail(kept, "a")
        await failures(kept)
        await fail(kept, "b")
        (one,) = await failures(kept, at_least=2)
        assert (one["calls"], len(one["samples"])) == (2, 2)

    async def test_are_seen_by_whose_agency_answers_for_the_service(self, kept: Desk) -> None:
        await fail(kept, "a")
        await failures(kept)
        answer = await kept.visitor.get(f"{AT}/failures", who="other-lgsp")
        assert answer.json()["failures"] == []
        calls = await kept.visitor.get(f"{AT}/calls?service={CODE}", who="other-lgsp")
        assert_problem(calls, DataServiceUnknown)
        assert_problem(await kept.visitor.get(f"{AT}/failures", who="one-stop"), Forbidden)

    async def test_hold_nothing_personal_and_what_is_kept_is_sealed(self, kept: Desk) -> None:
        await fail(kept, "a")
        await failures(kept)
        for table in ("data_service_failure", "data_service_call", "data_service_rerun", "transaction_log"):
            for row in await kept.hall.rows(f"SELECT * FROM {table}"):
                assert not [value for value in row.values() if b"056190001234" in _bytes(value)]

    async def test_keep_a_call_once_however_often_it_was_sent(self, kept: Desk) -> None:
        await fail(kept, "same", "same", "same")
        (one,) = await failures(kept, at_least=3)
        assert (one["calls"], one["kept"]) == (3, 1)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


class TestRerun:
    async def test_sends_each_call_again_as_it_was_under_its_own_key(self, kept: Desk) -> None:
        await fail(kept, "k1", "k2", "k3")
        await failures(kept, at_least=3)
        before = {one.one("idempotency-key"): one for one in kept.ministry.calls}
        kept.ministry.calls.clear()
        answer = await rerun(kept)
        assert answer.status_code == 201, answer.text
        done = await ended(kept, answer.json()["id"])
        assert (done["total"], done["outcomes"]) == (3, {"succeeded": 3})
        assert [one.one("idempotency-key") for one in kept.ministry.calls] == ["k1", "k2", "k3"]
        for one in kept.ministry.calls:
            first = before[one.one("idempotency-key")]
            assert (one.method, one.target, one.body) == (first.method, first.target, first.body)
            for name in ("x-correlation-id", "content-type", "forwarded", "accept"):
                assert one.one(name) == first.one(name), name
        assert kept.ministry.effects == {"k1": 1, "k2": 1, "k3": 1}
        assert await kept.hall.rows("SELECT 1 FROM data_service_call WHERE sealed IS NOT NULL") == []

    async def test_that_is_dry_shows_what_would_be_sent_and_sends_nothing(self, kept: Desk) -> None:
        await fail(kept, "k1", "k2")
        await failures(kept, at_least=2)
        sent = len(kept.ministry.calls)
        answer = await rerun(kept, dry_run=True)
        shown = answer.json()
        assert (answer.status_code, shown["stage"], shown["total"], shown["id"]) == (200, "dry_run", 2, None)
        assert {one["operation"] for one in shown["calls"]} == {"post /things"}
        assert SECRET not in answer.text
        assert len(kept.ministry.calls) == sent
        assert (await kept.visitor.get(f"{AT}/reruns", who=ADMIN)).json() == []

    async def test_that_is_dry_says_what_stands_in_the_way_as_the_list_of_kept_calls_does(self, kept: Desk) -> None:
        await fail(kept, "k1", "k2")
        await failures(kept, at_least=2)
        state: dict[str, Any] = {"contract": contract("GET /things", "POST /things"), "stage": "active"}
        for revision, changes, obstacle in (
            (1, {}, Obstacle.NOT_REPEATABLE),
            (2, {"contract": contract("GET /things")}, Obstacle.NOT_IN_CONTRACT),
            (3, {"stage": "retired"}, Obstacle.VERSION_NOT_ACTIVE),
        ):
            answer = await kept.put_version(etag=f'"{revision}"', **(state | changes))
            assert answer.status_code == 200, answer.text
            await kept.known(CODE, "v1", answer.json()["revision"])
            shown = (await rerun(kept, dry_run=True)).json()
            assert (shown["total"], shown["obstacles"]) == (2, {obstacle: 2})
            assert [one["obstacle"] for one in shown["calls"]] == [obstacle] * 2
            listed = (await kept.visitor.get(f"{AT}/calls?service={CODE}", who=ADMIN)).json()
            assert [one["obstacle"] for one in listed] == [obstacle] * 2

    async def test_that_got_through_is_counted_with_its_cause(self, kept: Desk) -> None:
        await fail(kept, "k1", "k2", "k3")
        await failures(kept, at_least=3)
        kept.ministry.script = [Response(status_code=201), Response(status_code=500)]
        calls = (await kept.visitor.get(f"{AT}/calls?service={CODE}", who=ADMIN)).json()
        answer = await rerun(kept, ids=[one["id"] for one in calls[:2]])
        await ended(kept, answer.json()["id"])
        (one,) = await failures(kept, at_least=3)
        assert (one["calls"], one["kept"], one["sent_again"]) == (3, 2, 1)

    async def test_of_some_leaves_the_others(self, kept: Desk) -> None:
        await fail(kept, "k1", "k2", "k3")
        await failures(kept, at_least=3)
        calls = (await kept.visitor.get(f"{AT}/calls?service={CODE}", who=ADMIN)).json()
        answer = await rerun(kept, ids=[calls[1]["id"]])
        await ended(kept, answer.json()["id"])
        assert kept.ministry.effects == {"k2": 1}
        assert_problem(await rerun(kept, fingerprint="0" * 32), RerunNotPossible)
        (group,) = await failures(kept, at_least=3)
        answer = await rerun(kept, fingerprint=group["fingerprint"])
        assert (await ended(kept, answer.json()["id"]))["total"] == 2

    async def test_can_be_paused_resumed_and_stopped(self, kept: Desk) -> None:
        await fail(kept, *(f"k{n}" for n in range(5)))
        await failures(kept, at_least=5)
        rerun_id = (await rerun(kept, calls_per_second=0.2)).json()["id"]
        steer = f"{AT}/reruns/{rerun_id}"

        async def one_sent() -> bool:
            return (await kept.visitor.get(steer, who=ADMIN)).json()["outcomes"].get("succeeded") == 1

        await eventually(one_sent)
        for move, stage in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
            answer = await kept.visitor.post(f"{steer}/{move}", who=ADMIN)
            assert answer.json()["stage"] == stage, answer.text
        assert_problem(await kept.visitor.post(f"{steer}/resume", who=ADMIN), RerunNotPossible)
        found = (await kept.visitor.get(steer, who=ADMIN)).json()
        assert found["outcomes"] == {"open": 4, "succeeded": 1}

    async def test_tells_what_came_of_each_call(self, kept: Desk) -> None:
        await fail(kept, "k1", "k2", "k3")
        await failures(kept, at_least=3)
        kept.ministry.script = [Response(status_code=201), Response(status_code=422), Response(status_code=500)]
        rerun_id = (await rerun(kept)).json()["id"]
        await ended(kept, rerun_id)
        calls = (await kept.visitor.get(f"{AT}/reruns/{rerun_id}/calls", who=ADMIN)).json()
        assert [(one["outcome"], one["upstream_status"]) for one in calls] == [
            ("succeeded", 201), ("refused", 422), ("failed", 500),
        ]  # fmt: skip
        assert all(one["correlation_id"] for one in calls)

    async def test_is_in_the_transaction_log_as_a_call_of_whoever_asked_for_it(self, kept: Desk) -> None:
        await fail(kept, "k1")
        await failures(kept)
        await ended(kept, (await rerun(kept)).json()["id"])
        rows = await kept.hall.rows(
            "SELECT client_id, method, path, status FROM transaction_log WHERE service = :service ORDER BY number",
            service=f"data:{CODE}/v1",
        )
        assert [tuple(row.values()) for row in rows] == [
            ("one-stop", "POST", f"{AT}/{CODE}/v1/things", 500),
            (ADMIN, "POST", f"{AT}/{CODE}/v1/things", 201),
        ]

    async def test_needs_the_right_to_write_and_the_agency(self, kept: Desk) -> None:
        await fail(kept, "k1")
        await failures(kept)
        body = {"service": CODE, "reason": "thử"}
        assert_problem(await kept.visitor.post(f"{AT}/reruns", who="lgsp-reader", json=body), Forbidden)
        assert_problem(await kept.visitor.post(f"{AT}/reruns", who="other-lgsp", json=body), DataServiceUnknown)
