"""The unit of work: status, history, event and number in one transaction, or nothing at all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import IllegalMove
from shared.ids import new_id
from shared.work import Work, open_work
from tests.support.bus import CALLER, Side
from tests.support.toy import AT, COUNTER, Counter, Filled, Grown, Phase, grow

CODE = "H32.14-260407-0001"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COUNT_OUTBOX = text("SELECT count(*) FROM outbox")


def grown(value: int = 1) -> Grown:
    return Grown(value=value, at=AT)


async def _do(side: Side, act: Callable[[Work], Awaitable[None]]) -> None:
    async with open_work(side.database, CALLER) as work:
        await act(work)


class TestMove:
    """The only writer of a status."""

    async def test_writes_status_history_event_and_number_together(self, toy: Side) -> None:
        async with open_work(toy.database, CALLER, traceparent=TRACE) as work:
            counter = await grow(work, code=CODE)
            await work.session.flush()
            await grow(work, code=CODE)
            work.move(counter, COUNTER, "fill", Filled(value=2))
        assert await toy.rows("SELECT status, value FROM counter") == [{"status": "full", "value": 2}]
        history = await toy.rows("SELECT * FROM status_change ORDER BY id")
        assert [(h["action"], h["from_status"], h["to_status"]) for h in history] == [
            ("create", None, "live"),
            ("grow", "live", "live"),
            ("fill", "live", "full"),
        ]
        assert {(h["entity"], h["entity_key"], h["subject"], h["actor"]) for h in history} == {
            ("counter", CODE, CODE, "tester")
        }
        told = await toy.rows("SELECT * FROM outbox ORDER BY id")
        assert [(t["type"], t["sequence"]) for t in told] == [
            (Grown.event_type, 1),
            (Grown.event_type, 2),
            (Filled.event_type, 3),
        ]
        assert [t["event_id"] for t in told] == [h["event_id"] for h in history]
        assert {t["traceparent"] for t in told} == {TRACE}
        assert {t["time"] for t in told} == {h["at"] for h in history} == {work.now}
        assert (await toy.rows("SELECT last FROM subject_sequence")) == [{"last": 3}]

    async def test_refuses_another_event_than_the_edges(self, toy: Side) -> None:
        counter = Counter(code=CODE, value=1, status=Phase.LIVE)

        async def act(work: Work) -> None:
            await grow(work, code="another")
            work.move(counter, COUNTER, "fill", grown())

        with pytest.raises(TypeError, match="fill emits Filled, not Grown"):
            await _do(toy, act)
        assert counter.status == Phase.LIVE
        await self.assert_nothing(toy)

    async def test_refuses_a_subclass_of_the_edges_event(self, toy: Side) -> None:
        class MoreThanGrown(Grown):
            """Another fact, whatever it derives from."""

        async def act(work: Work) -> None:
            work.move(Counter(code=CODE, value=1), COUNTER, "create", MoreThanGrown(value=1, at=AT))

        with pytest.raises(TypeError, match="MoreThanGrown"):
            await _do(toy, act)

    async def test_refuses_an_edge_that_is_not_there(self, toy: Side) -> None:
        async def act(work: Work) -> None:
            counter = await grow(work, code=CODE)
            work.move(counter, COUNTER, "fill", Filled(value=1))
            work.move(counter, COUNTER, "grow", grown())

        with pytest.raises(IllegalMove):
            await _do(toy, act)
        await self.assert_nothing(toy)

    async def test_names_its_cause(self, toy: Side) -> None:
        handled, of_another = new_id(), new_id()
        async with open_work(toy.database, CALLER, cause=handled) as work:
            counter = await grow(work, code=CODE)
            work.move(counter, COUNTER, "fill", Filled(value=1), cause=of_another)
        causes = [row["causation_id"] for row in await toy.rows("SELECT causation_id FROM outbox ORDER BY id")]
        assert causes == [handled, of_another]

    @staticmethod
    async def assert_nothing(side: Side) -> None:
        tables = ("counter", "status_change", "outbox", "subject_sequence")
        assert [await side.count(table) for table in tables] == [0, 0, 0, 0]

    async def test_leaves_nothing_when_the_transaction_fails(self, toy: Side) -> None:
        """Not even when it fails at its very end, after everything was written."""

        async def fail(_: AsyncSession) -> None:
            raise RuntimeError("too late")

        async def act(work: Work) -> None:
            await grow(work, code=CODE)
            work.last_steps.append(fail)

        with pytest.raises(RuntimeError, match="too late"):
            await _do(toy, act)
        await self.assert_nothing(toy)
        await toy.grow(CODE)
        assert (await toy.rows("SELECT sequence FROM outbox")) == [{"sequence": 1}]


class TestLastSteps:
    """What holds a lock only at the very end."""

    async def test_run_after_everything_was_written(self, toy: Side) -> None:
        found: list[Any] = []

        async def look(session: AsyncSession) -> None:
            found.append(await session.scalar(COUNT_OUTBOX))

        async with open_work(toy.database, CALLER) as work:
            await grow(work, code=CODE)
            work.last_steps.append(look)
        assert found == [1]

    async def test_may_tell_something_themselves(self, toy: Side) -> None:
        """A step that holds a lock to the commit gives out a number and tells of it: nothing told is lost."""
        async with open_work(toy.database, CALLER) as work:
            counter = await grow(work, code=CODE)

            async def fill(_: AsyncSession) -> None:
                work.move(counter, COUNTER, "fill", Filled(value=1))

            work.last_steps.append(fill)
        assert [row["type"] for row in await toy.rows("SELECT type FROM outbox ORDER BY id")] == [
            Grown.event_type,
            Filled.event_type,
        ]
        assert (await toy.rows("SELECT status FROM counter")) == [{"status": "full"}]


class TestSequence:
    """1, 2, 3… for each subject, without a gap."""

    async def test_counts_each_subject_by_itself_in_one_transaction(self, toy: Side) -> None:
        """The first transaction makes the counters, the second goes on from them."""
        for _ in range(2):
            async with open_work(toy.database, CALLER) as work:
                for subject in ("b", "a", "b", "c", "b", "a"):
                    work.emit(grown(), subject=subject)
        rows = await toy.rows("SELECT subject, sequence FROM outbox ORDER BY id")
        assert "".join(row["subject"] for row in rows) == "babcba" * 2
        for subject, count in {"a": 4, "b": 6, "c": 2}.items():
            assert [row["sequence"] for row in rows if row["subject"] == subject] == list(range(1, count + 1))

    async def test_has_no_gap_under_twenty_writers(self, toy: Side) -> None:
        """Also when some roll back after writing, and the order of ids is the order of numbers."""
        subjects = [f"s{n}" for n in range(5)]

        async def write(writer: int) -> None:
            for turn in range(6):
                async with open_work(toy.database, CALLER) as work:
                    for subject in sorted(subjects, key=lambda s: hash((s, writer, turn))):
                        work.emit(grown(writer), subject=subject)
                    if turn == 3:
                        await _write_and_roll_back(work)

        await asyncio.gather(*map(write, range(20)))
        rows = await toy.rows("SELECT subject, sequence FROM outbox ORDER BY id")
        for subject in subjects:
            assert [row["sequence"] for row in rows if row["subject"] == subject] == list(range(1, 101))


async def _write_and_roll_back(work: Work) -> None:
    await work.telling.write(work.session, work.now)
    await work.session.rollback()
