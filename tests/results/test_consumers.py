"""What results makes of others' facts: in any order that the bus allows, twice, many at once."""

import asyncio

import pytest
from sqlalchemy import event, text

from shared.db import Database
from shared.events.envelope import EventData
from shared.events.values import CollectedAt
from shared.ids import new_id
from tests.results.desk import CODE, SOMEBODY_WAITS, Desk, accepted, assessed, completed, paid, withdrawn

FEE = new_id()
LOCK = text("SELECT 1 FROM case_slice WHERE dossier_code = :code FOR UPDATE")


async def slices(desk: Desk) -> list[tuple[str, str, bool, bool]]:
    """Return each slice's code, state, whether a fee is announced, whether one is due."""
    rows = await desk.rows("SELECT * FROM case_slice ORDER BY dossier_code")
    return [(row["dossier_code"], row["state"], row["fee_announced"], bool(row["fees_due_vnd"])) for row in rows]


class TestOrder:
    """Facts of different services arrive in any order."""

    @pytest.mark.parametrize("early", [completed(), withdrawn(), assessed(FEE)], ids=lambda fact: fact.event_type)
    async def test_a_fact_before_the_acceptance_waits_for_it(self, desk: Desk, early: EventData) -> None:
        await desk.hear(early)
        [waiting] = await desk.rows("SELECT * FROM waiting")
        assert (waiting["type"], waiting["reason"].split(":")[0]) == (early.event_type, "CauseMissing")
        assert await slices(desk) == []
        await desk.hear(accepted())
        await desk.rows("UPDATE waiting SET next_attempt_at = now() - interval '1 second' RETURNING id")
        await desk.inbox.retry_due()
        assert await desk.rows("SELECT id FROM waiting") == []
        [(_, state, _, due)] = await slices(desk)
        assert (state, due) != ("accepted", False)

    async def test_all_facts_may_come_in_one_batch(self, desk: Desk) -> None:
        await desk.hear(accepted(on_return_vnd=1), assessed(FEE), completed(), paid(FEE))
        assert await slices(desk) == [(CODE, "completed", False, False)]
        assert await desk.rows("SELECT id FROM waiting") == []

    async def test_a_fee_settled_before_it_is_known_waits(self, desk: Desk) -> None:
        await desk.hear(accepted(on_return_vnd=1), paid(FEE))
        [waiting] = await desk.rows("SELECT * FROM waiting")
        assert waiting["reason"].startswith("CauseMissing")
        assert await slices(desk) == [(CODE, "accepted", True, False)]

    async def test_fees_on_acceptance_are_nobodys_business_here(self, desk: Desk) -> None:
        at = CollectedAt.ON_ACCEPTANCE
        await desk.hear(accepted(on_acceptance_vnd=1), assessed(FEE, at), paid(FEE, at))
        assert await slices(desk) == [(CODE, "accepted", False, False)]


class TestDuplicates:
    """The bus may bring a fact again."""

    async def test_fifty_times_at_once_is_once(self, desk: Desk) -> None:
        events = [desk.raw(fact) for fact in (accepted(on_return_vnd=1), assessed(FEE), paid(FEE), completed())]
        for one in events:
            await asyncio.gather(*(desk.inbox.take([one, one]) for _ in range(25)))
        assert await slices(desk) == [(CODE, "completed", False, False)]
        assert await desk.rows("SELECT id FROM waiting") == []

    async def test_a_whole_batch_again_changes_nothing(self, desk: Desk) -> None:
        events = await desk.hear(accepted(on_return_vnd=1), assessed(FEE), completed())
        before = await slices(desk)
        await desk.inbox.take(events)
        assert await slices(desk) == before
        assert len(await desk.rows("SELECT * FROM inbox")) == len(events)


class TestBatches:
    """A batch costs a handful of statements, whatever its size."""

    @pytest.mark.parametrize("count", [10, 200])
    async def test_of_dossiers(self, desk: Desk, count: int) -> None:
        codes = [f"H32.14-260407-{number:04}" for number in range(1, count + 1)]
        first = [desk.raw(accepted(on_return_vnd=1), code) for code in codes]
        later = [desk.raw(fact, code) for code in codes for fact in (assessed(new_id()), completed())]
        statements = Statements(desk.database)
        await desk.inbox.take(first)
        assert statements.count() <= 5
        await desk.inbox.take(later)
        assert statements.count() <= 5
        assert await slices(desk) == [(code, "completed", False, True) for code in codes]

    async def test_of_whole_lives(self, desk: Desk) -> None:
        """A reader that was away finds the beginning and the end of a dossier in one batch."""
        codes = [f"H32.14-260407-{number:04}" for number in range(1, 51)]
        fees = {code: new_id() for code in codes}
        lives = [
            desk.raw(fact, code)
            for code in codes
            for fact in (accepted(on_return_vnd=1), assessed(fees[code]), completed(), paid(fees[code]))
        ]
        statements = Statements(desk.database)
        await desk.inbox.take(lives)
        assert statements.count() <= 5
        assert await slices(desk) == [(code, "completed", False, False) for code in codes]

    async def test_locks_its_dossiers_in_order_of_code(self, desk: Desk) -> None:
        """Two replicas may hold the same dossiers in other orders: a batch that waits holds only what comes before."""
        codes = [f"H32.14-260407-{number:04}" for number in range(1, 21)]
        await desk.inbox.take([desk.raw(accepted(), code) for code in codes])
        async with desk.database.session() as holder:
            await holder.execute(LOCK, {"code": codes[9]})
            waiting = asyncio.create_task(desk.inbox.take([desk.raw(completed(), code) for code in reversed(codes)]))
            async with asyncio.timeout(10):
                while not await desk.rows(SOMEBODY_WAITS):
                    await asyncio.sleep(0.01)
            free = await desk.rows("SELECT dossier_code FROM case_slice ORDER BY 1 FOR UPDATE SKIP LOCKED")
            assert [row["dossier_code"] for row in free] == codes[10:]
            await holder.rollback()
        await waiting
        assert await slices(desk) == [(code, "completed", False, False) for code in codes]


class Statements:
    """Counts the statements sent to a database."""

    def __init__(self, database: Database) -> None:
        self._count = 0
        event.listen(database.engine.sync_engine, "before_cursor_execute", self._one)

    def _one(self, *_: object) -> None:
        self._count += 1

    def count(self) -> int:
        """Return how many there were since the last time."""
        found, self._count = self._count, 0
        return found
