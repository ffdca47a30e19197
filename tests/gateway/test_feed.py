"""/sync/changes: every change exactly once, in commit order, whatever the writers do."""

import asyncio
import base64
import random
from time import monotonic
from typing import Any

import pytest

from gateway.consumers import HANDLERS
from gateway.errors import InvalidCursor
from gateway.operations.folding import fold, preload
from shared.errors import InvalidRequest
from shared.events.envelope import Event
from shared.inbox import Inbox
from shared.work import Work
from tests.gateway.hall import EAGER, Hall
from tests.gateway.lives import Life, rejected, returned
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem

WRITERS = 20


async def page(visitor: Visitor, *, who: str = "statistics", **query: Any) -> dict[str, Any]:
    answer = await visitor.get("/api/v1/sync/changes", who=who, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read_all(visitor: Visitor, **query: Any) -> list[dict[str, Any]]:
    """Read from the beginning to the end, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while items := (answer := await page(visitor, cursor=cursor, **query) if cursor else await page(visitor, **query))[
        "items"
    ]:
        found += items
        cursor = answer["next_cursor"]
    return found


class TestOrder:
    """What one reads is what was committed, in that order."""

    async def test_of_pages_of_any_size_is_the_same(self, visitor: Visitor, house: Hall) -> None:
        life = returned(Life())
        await house.take(life.events)
        whole = await read_all(visitor)
        assert [item["event_type"] for item in whole] == [event.type for event in life.events]
        assert [item["portal_status"] for item in whole if item["portal_status"]] == life.statuses
        for limit in (1, 2, 3, 7):
            assert await read_all(visitor, limit=limit) == whole

    async def test_goes_on_after_any_item(self, visitor: Visitor, house: Hall) -> None:
        await house.take(returned(Life()).events)
        whole = await read_all(visitor)
        for place, item in enumerate(whole):
            rest = await page(visitor, cursor=item["cursor"])
            assert rest["items"] == whole[place + 1 :]

    async def test_ends_with_a_cursor_that_stays_good(self, visitor: Visitor, house: Hall) -> None:
        await house.take(rejected(Life()).events)
        end = (await page(visitor))["next_cursor"]
        assert await page(visitor, cursor=end) == {"items": [], "next_cursor": end}
        await house.take(rejected(Life(code="H32.14-260407-0002")).events)
        assert len((await page(visitor, cursor=end))["items"]) == 2

    async def test_misses_nothing_under_concurrent_writers_with_long_transactions(
        self, visitor: Visitor, house: Hall
    ) -> None:
        """Twenty writers hold their transactions open for a while; readers poll the whole time, up to the end."""
        chance = random.Random(7)
        lives = [returned(Life(code=f"H32.14-260407-{n:04}")) for n in range(WRITERS)]
        writing = asyncio.gather(*(_write(house, life, chance) for life in lives))
        readers = [asyncio.create_task(_follow(visitor, writing, limit)) for limit in (1000, 1000, 7)]
        await writing
        whole = await read_all(visitor, limit=1000)
        for reader in readers:
            assert await reader == whole
        assert len(whole) == sum(len(life.events) for life in lives)
        for life in lives:
            assert [item["event_type"] for item in whole if item["dossier_code"] == life.code] == [
                event.type for event in life.events
            ]


async def _follow(visitor: Visitor, writing: "asyncio.Future[Any]", limit: int) -> list[dict[str, Any]]:
    """Read from the beginning until the writers are done and nothing more comes."""
    seen: list[dict[str, Any]] = []
    answer, over = await page(visitor, limit=limit), False
    while not over or answer["items"]:
        seen += answer["items"]
        over = writing.done()
        answer = await page(visitor, limit=limit, cursor=answer["next_cursor"])
    return seen


async def _write(house: Hall, life: Life, chance: random.Random) -> None:
    """Fold a life event by event, each in a transaction that lingers after the fold and after its last step."""

    async def linger(_: object) -> None:
        await asyncio.sleep(chance.uniform(0, 0.02))

    async def slow_fold(work: Work, event: Event[Any]) -> None:
        await linger(None)
        await fold(work, event)
        work.last_steps.append(linger)

    inbox = Inbox(house.database, dict.fromkeys(HANDLERS, slow_fold), preload=preload, plan=EAGER)
    for event in life.events:
        await inbox.take([event])


class TestFilter:
    """Who reads sees its own, and of that what it asks for."""

    async def test_by_agency_is_the_agency_and_those_below(self, visitor: Visitor, house: Hall) -> None:
        for agency in ("H32.14", "H32.14.21", "H32.15", "H32.140", "H33.1"):
            await house.take(rejected(Life(code=f"{agency}-260407-0001", agency=agency)).events)

        async def agencies(**query: Any) -> set[str]:
            return {item["agency_code"] for item in await read_all(visitor, **query)}

        assert await agencies() == {"H32.14", "H32.14.21", "H32.15", "H32.140"}
        assert await agencies(agency="H32.14") == {"H32.14", "H32.14.21"}
        assert await agencies(agency="H33") == set()
        assert await agencies(agency="%") == set()
        assert await agencies(agency="H32.1_") == set()
        assert await agencies(who="other-province") == {"H33.1"}
        assert await agencies(who="nobody") == set()

    async def test_by_procedure(self, visitor: Visitor, house: Hall) -> None:
        await house.take(rejected(Life()).events)
        assert len(await read_all(visitor, procedure="1.004222")) == 2
        assert await read_all(visitor, procedure="1.000000") == []


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class TestCursor:
    """Opaque: taken as given, or refused."""

    @pytest.mark.parametrize(
        "cursor",
        [
            "x",
            "YzE6",
            "YzI6MTI",
            "YzE6LTU",
            "YzE6MS41",
            "đ",
            "YzE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk",
            "1",
            "====",
            "YzE6IDEy",
        ],
    )
    async def test_that_was_never_given_is_refused(self, visitor: Visitor, cursor: str) -> None:
        answer = await visitor.get("/api/v1/sync/changes", who="statistics", params={"cursor": cursor})
        assert_problem(answer, InvalidCursor)

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"wait_s": 31}, {"wait_s": -1}, {"limit": "x"}])
    async def test_with_odd_wishes_is_refused(self, visitor: Visitor, query: dict[str, Any]) -> None:
        assert_problem(await visitor.get("/api/v1/sync/changes", who="statistics", params=query), InvalidRequest)


class TestWaiting:
    """A reader that waits is woken by the change."""

    async def test_is_answered_at_once_when_something_is_there(self, visitor: Visitor, house: Hall) -> None:
        await house.take(rejected(Life()).events)
        started = monotonic()
        assert len((await page(visitor, wait_s=20))["items"]) == 2
        assert monotonic() - started < 10

    async def test_is_woken_by_the_commit(self, visitor: Visitor, house: Hall) -> None:
        """Long before its time is over, and with the change in hand."""
        waiting = [asyncio.create_task(page(visitor, wait_s=30)) for _ in range(5)]
        started = monotonic()
        async with asyncio.timeout(20):
            for nth in range(1, 100):
                await house.take(rejected(Life(code=f"H32.14-260407-{nth:04}")).events)
                if (await asyncio.wait(waiting, timeout=0.2))[1] == set():
                    break
        assert monotonic() - started < 20
        assert all(task.result()["items"] for task in waiting)

    async def test_is_not_answered_by_what_it_may_not_see(self, visitor: Visitor, house: Hall) -> None:
        waiting = asyncio.create_task(page(visitor, who="other-province", wait_s=1.0))
        await house.take(rejected(Life()).events)
        assert (await waiting)["items"] == []

    async def test_ends_with_an_empty_page_when_nothing_comes(self, visitor: Visitor) -> None:
        started = monotonic()
        assert (await page(visitor, wait_s=0.3))["items"] == []
        assert 0.3 <= monotonic() - started < 10

    async def test_is_woken_soon_when_the_line_to_the_database_was_cut(self, visitor: Visitor, house: Hall) -> None:
        """Nobody tells it of the commit; that the line ended is noticed, and it looks for itself."""
        await house.cut()
        started = monotonic()
        waiting = asyncio.create_task(page(visitor, wait_s=30))
        await house.take(rejected(Life()).events)
        assert len((await waiting)["items"]) == 2
        assert monotonic() - started < 10
