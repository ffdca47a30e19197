"""/sync/snapshot: the state as it is now, and from its cursor on the feed gives exactly the rest."""

import asyncio
import base64
from typing import Any

import pytest

from gateway.errors import InvalidCursor, SnapshotNeeded
from shared.errors import InvalidRequest
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, rejected, retracted, returned
from tests.gateway.test_feed import page
from tests.gateway.visitor import Visitor
from tests.gateway.writers import lives_of, write
from tests.support.assertions import assert_problem

State = dict[str, tuple[int, int]]
"""By dossier: portal status and version."""


async def snapshot(visitor: Visitor, *, who: str = "statistics", **query: Any) -> dict[str, Any]:
    answer = await visitor.get("/api/v1/sync/snapshot", who=who, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read_snapshot(visitor: Visitor, **query: Any) -> tuple[State, str]:
    """Read to the end, page by page; return the state and where the feed goes on."""
    state: State = {}
    answer = await snapshot(visitor, **query)
    began = answer["changes_cursor"]
    while True:
        state |= {item["dossier_code"]: (item["portal_status"], item["version"]) for item in answer["items"]}
        assert answer["changes_cursor"] == began
        if answer["next_cursor"] is None:
            return state, began
        answer = await snapshot(visitor, cursor=answer["next_cursor"], **query)


async def follow(visitor: Visitor, state: State, cursor: str, **query: Any) -> str:
    """Apply the feed from a cursor to its end, as any reader would; return where it ends."""
    while (answer := await page(visitor, cursor=cursor, limit=1000, **query))["items"]:
        for item in answer["items"]:
            if item["deleted"]:
                state.pop(item["dossier_code"], None)
            else:
                known = state.get(item["dossier_code"], (0, 0))[0]
                state[item["dossier_code"]] = (item["portal_status"] or known, item["version"])
        cursor = answer["next_cursor"]
    return cursor


async def truth(house: Hall, where: str = "true") -> State:
    rows = await house.rows(f"SELECT * FROM dossier_view WHERE NOT retracted AND {where}")
    return {row["code"]: (row["portal_status"], row["version"]) for row in rows}


class TestThenChanges:
    """A snapshot, then the changes from its cursor."""

    async def test_give_the_truth_while_writers_go_on(self, visitor: Visitor, house: Hall) -> None:
        writing = asyncio.gather(*(write(house.database, nth, 60, 0.02) for nth in range(6)))
        readers: list[tuple[State, str]] = []
        while not writing.done():
            readers.append(await read_snapshot(visitor, limit=(1000, 7, 1)[len(readers) % 3]))
        await writing
        expected = await truth(house)
        retracted_ones = sum(
            life.events[-1].type.endswith("retracted.v1") for n in range(6) for life in lives_of(n, 60)
        )
        assert retracted_ones
        assert len(readers) > 1
        for state, cursor in readers:
            await follow(visitor, state, cursor)
            assert state == expected

    async def test_by_agency_and_procedure_give_that_part_of_it(self, visitor: Visitor, house: Hall) -> None:
        for agency in ("H32.14", "H32.14.21", "H32.140", "H33.1"):
            await house.take(returned(Life(f"{agency}-260407-0001", agency)).events)
        parts = [{"agency": "H32.14"}, {"procedure": "1.004222"}, {"procedure": "1.000000"}, {"who": "other-province"}]
        found = [sorted((await read_snapshot(visitor, **one))[0]) for one in parts]
        assert found == [
            ["H32.14-260407-0001", "H32.14.21-260407-0001"],
            ["H32.14-260407-0001", "H32.14.21-260407-0001", "H32.140-260407-0001"],
            [],
            ["H33.1-260407-0001"],
        ]
        assert (await snapshot(visitor, who="nobody"))["items"] == []


class TestTombstone:
    """What was entered by mistake."""

    async def test_is_told_to_readers_and_left_out_of_the_snapshot(self, visitor: Visitor, house: Hall) -> None:
        life = Life()
        await house.take([life.submit()])
        state, cursor = await read_snapshot(visitor)
        assert state == {life.code: (1, 1)}
        await house.take([life.retract()])
        (item,) = (await page(visitor, cursor=cursor))["items"]
        assert (item["deleted"], item["portal_status"], item["detail"]["reason"]) == (True, 7, "Trùng")
        assert (await read_snapshot(visitor))[0] == {}

    async def test_stays_one_whatever_comes_later(self, visitor: Visitor, house: Hall) -> None:
        """A fact of another service that was under way must not bring the dossier back."""
        life = retracted(Life())
        cause = life.events[0]
        life.assess(cause)
        await house.take(life.events)
        items = (await page(visitor))["items"]
        assert [item["deleted"] for item in items] == [False, True, True]

    async def test_is_told_to_the_portal_as_taken_back_with_the_reason(self, house: Hall) -> None:
        await house.take(retracted(Life()).events)
        rows = await house.rows("SELECT progress_message FROM portal_debt ORDER BY version DESC LIMIT 1")
        told = rows[0]["progress_message"]
        assert (told["TrangThai"], told["NoiDungXuLy"]) == ("7", "Hủy hồ sơ do nhập nhầm: Trùng")


class TestCursor:
    """Belongs to the dossiers it was given for."""

    async def test_of_another_choice_asks_for_the_snapshot_again(self, visitor: Visitor, house: Hall) -> None:
        """As after a merger of agencies: what came to the reader lies before its cursor."""
        await house.take(rejected(Life()).events)
        await house.take(rejected(Life("H32.14-260407-0002")).events)
        end = (await page(visitor))["next_cursor"]
        part = (await snapshot(visitor, limit=1))["next_cursor"]
        for path, cursor in (("changes", end), ("snapshot", part)):
            for query in ({"agency": "H32.14"}, {"procedure": "1.004222"}):
                asked = {"cursor": cursor, **query}
                answer = await visitor.get(f"/api/v1/sync/{path}", who="statistics", params=asked)
                assert_problem(answer, SnapshotNeeded)

    async def test_of_years_ago_goes_on_where_it_stood(self, visitor: Visitor, house: Hall) -> None:
        """Also one in the form that was given then."""
        first = rejected(Life())
        await house.take(first.events)
        (change,) = await house.rows("SELECT max(position) AS position FROM change")
        old = _encoded(f"c1:{change['position']}")
        await house.rows(
            "INSERT INTO change (dossier_code, agency_code, procedure_code, event_type, happened_at, version, deleted, "
            "detail) SELECT 'H33.1-' || n, 'H33.1', '1.1', 'x', now(), 1, false, '{}' FROM generate_series(1, 50000) n"
        )
        await house.take(rejected(Life("H32.14-260407-0002")).events)
        items = (await page(visitor, cursor=old))["items"]
        assert [item["dossier_code"] for item in items] == ["H32.14-260407-0002"] * 2

    @pytest.mark.parametrize("cursor", ["x", "czE6", "YzE6MTI"])
    async def test_of_a_snapshot_that_was_never_given_is_refused(self, visitor: Visitor, cursor: str) -> None:
        answer = await visitor.get("/api/v1/sync/snapshot", who="statistics", params={"cursor": cursor})
        assert_problem(answer, InvalidCursor)

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"agency": "x" * 41}])
    async def test_with_odd_wishes_is_refused(self, visitor: Visitor, query: dict[str, Any]) -> None:
        assert_problem(await visitor.get("/api/v1/sync/snapshot", who="statistics", params=query), InvalidRequest)


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
