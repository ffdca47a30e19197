"""Answers that are kept: whose they are, how long they are good, and what a poller gets."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from gateway.data_services.cache import Cache, Entry
from gateway.data_services.freshness import Terms, directives, terms_of
from gateway.errors import NotInCache
from tests.gateway.data_services.desk import CODE, Desk
from tests.gateway.data_services.ministry import Call
from tests.support.assertions import assert_problem

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def counting(desk: Desk, **headers: str) -> None:
    """Let the ministry count its answers, with these headers."""
    count = 0

    async def answer(call: Call) -> Response:
        nonlocal count
        if headers.get("etag") and call.one("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        count += 1
        return Response(f"answer {count}", headers=headers, media_type="text/plain")

    desk.ministry.answer = answer


async def texts(desk: Desk, *whos: str, **more: Any) -> list[str]:
    """Return what clients get, one after the other."""
    return [(await desk.call(who=who, **more)).text for who in whos]


@pytest.fixture
async def polled(desk: Desk) -> Desk:
    """Lend a desk whose service two clients poll."""
    desk.granted["statistics"] = desk.granted["one-stop"]
    await desk.offer()
    return desk


class TestOwner:
    @pytest.mark.parametrize("control", ["max-age=60", "private, max-age=60", "max-age=60, private, s-maxage=60"])
    async def test_is_the_client_that_asked(self, polled: Desk, control: str) -> None:
        counting(polled, **{"cache-control": control})
        found = await texts(polled, "one-stop", "one-stop", "statistics", "statistics")
        assert found == ["answer 1", "answer 1", "answer 2", "answer 2"]

    @pytest.mark.parametrize("control", ["public, max-age=60", "s-maxage=60", "max-age=60, must-revalidate"])
    async def test_is_everybody_where_the_service_says_so(self, polled: Desk, control: str) -> None:
        counting(polled, **{"cache-control": control})
        assert await texts(polled, "one-stop", "statistics") == ["answer 1"] * 2

    async def test_is_everybody_where_the_policy_says_so(self, desk: Desk) -> None:
        desk.granted["statistics"] = desk.granted["one-stop"]
        await desk.offer(policy={"cache": {"shared": True, "default_s": 60}})
        counting(desk)
        assert await texts(desk, "one-stop", "statistics") == ["answer 1"] * 2


class TestKeeping:
    @pytest.mark.parametrize(
        "headers",
        [
            {"cache-control": "no-store, max-age=60"},
            {"cache-control": "max-age=0"},
            {"cache-control": "max-age=60", "vary": "*"},
            {"cache-control": "public, max-age=60", "set-cookie": "a=b"},
            {"cache-control": "max-age=60", "age": "60"},
            {"expires": "0"},
            {},
        ],
        ids=str,
    )
    async def test_is_not_done_against_the_services_word(self, polled: Desk, headers: dict[str, str]) -> None:
        counting(polled, **headers)
        assert await texts(polled, "one-stop", "one-stop") == ["answer 1", "answer 2"]

    async def test_lasts_until_an_answer_expires(self, polled: Desk) -> None:
        counting(polled, expires=format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True))  # noqa: TID251
        assert await texts(polled, "one-stop", "one-stop") == ["answer 1"] * 2

    async def test_tells_age_and_what_was_done(self, polled: Desk) -> None:
        counting(polled, **{"cache-control": "max-age=60", "age": "5"})
        first, second = await polled.call(), await polled.call()
        assert first.headers["cache-status"] == "motcua; fwd=miss; stored"
        assert second.headers["cache-status"].startswith("motcua; hit; ttl=5")
        assert int(second.headers["age"]) >= 5

    async def test_holds_apart_what_varies(self, polled: Desk) -> None:
        counting(polled, **{"cache-control": "max-age=60", "vary": "Accept-Language"})
        found = []
        for language in ("vi", "en", "vi", "en"):
            found += await texts(polled, "one-stop", headers={"accept-language": language})
        assert found == ["answer 1", "answer 2", "answer 1", "answer 2"]

    async def test_ends_when_the_thing_is_changed(self, polled: Desk) -> None:
        counting(polled, **{"cache-control": "max-age=60"})
        await texts(polled, "one-stop", path="/things/7")
        await polled.call("PUT", "/things/7", json={})
        assert await texts(polled, "one-stop", path="/things/7") == ["answer 3"]

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [("no-cache", "answer 2"), ("no-store", "answer 2"), ("max-age=0", "answer 2"), ("max-age=50", "answer 1")],
    )
    async def test_follows_what_the_client_asks(self, polled: Desk, asked: str, expected: str) -> None:
        counting(polled, **{"cache-control": "max-age=60"})
        await texts(polled, "one-stop")
        assert await texts(polled, "one-stop", headers={"cache-control": asked}) == [expected]

    async def test_alone_is_asked_for(self, polled: Desk) -> None:
        counting(polled, **{"cache-control": "max-age=60"})
        only = {"cache-control": "only-if-cached"}
        assert_problem(await polled.call(headers=only), NotInCache)
        await texts(polled, "one-stop")
        assert await texts(polled, "one-stop", headers=only) == ["answer 1"]


class TestPoller:
    async def test_gets_304_also_where_the_service_gives_no_tag(self, polled: Desk) -> None:
        async def same(_: Call) -> Response:
            return Response("the same", media_type="text/plain")

        polled.ministry.answer = same
        first = await polled.call()
        again = await polled.call(headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert (await polled.call(headers={"if-none-match": '"m-other"'})).text == "the same"

    async def test_costs_the_service_no_body_where_it_gives_a_tag(self, polled: Desk) -> None:
        counting(polled, etag='"7"')
        first = await polled.call()
        again = await polled.call(headers={"if-none-match": first.headers["etag"]})
        plain = await polled.call()
        assert (again.status_code, plain.text) == (304, "answer 1")
        assert [call.one("if-none-match") for call in polled.ministry.calls] == [None, '"7"', '"7"']
        assert plain.headers["cache-status"] == "motcua; fwd=stale; fwd-status=304; stored"

    async def test_gets_304_by_the_date(self, polled: Desk) -> None:
        modified = "Mon, 30 Nov 2026 08:00:00 GMT"
        counting(polled, **{"last-modified": modified, "cache-control": "max-age=60"})
        await polled.call()
        assert (await polled.call(headers={"if-modified-since": modified})).status_code == 304

    async def test_gets_an_older_answer_while_the_service_fails_if_that_may_be(self, polled: Desk) -> None:
        counting(polled, **{"cache-control": "max-age=0, stale-if-error=60", "etag": '"7"'})
        await texts(polled, "one-stop")
        polled.ministry.script = [Response(status_code=500)] * 5
        answer = await polled.call()
        assert (answer.status_code, answer.text) == (200, "answer 1")
        assert "stale-if-error" in answer.headers["cache-status"]


def entry(size: int, *, shared: bool = False, varies: tuple[tuple[str, str], ...] = ()) -> Entry:
    """Return something to keep."""
    terms = Terms(store=True, shared=shared, fresh_s=60, stale_if_error_s=0, age_s=0)
    return Entry(200, [], b"x" * size, '"1"', "", varies, terms, 0.0)


class TestCache:
    @given(
        st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["c1", "c2"]), st.integers(0, 6000), st.booleans())),
        st.integers(0, 20_000),
    )
    def test_never_holds_more_than_it_may_and_counts_rightly(
        self, kept: list[tuple[str, str, int, bool]], bytes_max: int
    ) -> None:
        cache = Cache(bytes_max)
        for target, client, size, shared in kept:
            cache.keep("S/v1", target, client, entry(size, shared=shared))
            assert cache.bytes == sum(one.bytes for held in cache._kept.values() for one in held) <= bytes_max

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["c1", "c2", "c3"]), st.integers(1, 9))))
    def test_never_gives_one_client_what_was_kept_for_another(self, kept: list[tuple[str, str, int]]) -> None:
        cache, last = Cache(10**6), {}
        for target, client, size in kept:
            cache.keep("S/v1", target, client, entry(size))
            last[target, client] = size
        for target in "abc":
            for client in ("c1", "c2", "c3"):
                found = cache.find("S/v1", target, client, [])
                assert (len(found.body) if found else None) == last.get((target, client))

    @given(st.text(max_size=80))
    def test_reads_any_cache_control(self, text: str) -> None:
        found = directives(text)
        headers = [(b"cache-control", text.encode("utf-8"))]
        terms = terms_of(200, headers, NOW, default_s=0, shared=False, stale_if_error_s=0)
        if "no-store" in found:
            assert not terms.store

    @given(st.integers(0, 10**12), st.integers(0, 10**12))
    def test_is_fresh_exactly_while_its_age_is_below_what_was_said(self, age_max: int, age: int) -> None:
        headers = [(b"cache-control", b"max-age=%d" % age_max), (b"age", b"%d" % age), (b"etag", b'"1"')]
        terms = terms_of(200, headers, NOW, default_s=0, shared=False, stale_if_error_s=0)
        assert (terms.fresh_s > terms.age_s) == (min(age_max, 31_536_000) > min(age, 31_536_000))


def test_names_of_services_hold_caches_apart() -> None:
    cache = Cache(10**6)
    cache.keep(f"{CODE}/v1", "/x", "c", entry(1))
    assert cache.find(f"{CODE}/v2", "/x", "c", []) is None
    cache.clear(f"{CODE}/v1")
    assert (cache.find(f"{CODE}/v1", "/x", "c", []), cache.bytes) == (None, 0)
