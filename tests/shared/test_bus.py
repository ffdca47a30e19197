"""The state of a bus, and what people do about parked dossiers."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared import bus, clock
from shared.bus import ConsentNeedsAnother, NotWaiting
from shared.caller import Caller
from shared.errors import InvalidRequest
from shared.ids import new_id
from shared.inbox import RetryPlan
from shared.work import Work, open_work
from tests.support.bus import Side
from tests.support.toy import CURED, raw

AN, BINH = Caller("an"), Caller("binh")
ONCE = RetryPlan(attempts_max=1)


async def act(side: Side, caller: Caller, deed: Callable[[Work], Awaitable[Any]]) -> Any:
    async with open_work(side.database, caller) as work:
        return await deed(work)


async def ask_discard(side: Side, event_id: UUID, *, caller: Caller = AN, reason: str = "a test's event") -> int:
    return await act(
        side, caller, lambda work: bus.request_discard(work, subject="a", event_id=event_id, reason=reason)
    )


async def consent(side: Side, intervention_id: int, caller: Caller = BINH) -> None:
    await act(side, caller, lambda work: bus.consent_to_discard(work, intervention_id=intervention_id))


@pytest.fixture
async def parked(ear: Side) -> Side:
    """Park dossier a at its second event of three."""
    inbox = ear.inbox(plan=ONCE)
    await inbox.take([raw("a", 1), raw("a", 2, poison=True), raw("a", 3)])
    await inbox.retry_due()
    return ear


async def poison_id(side: Side) -> UUID:
    return (await side.rows("SELECT event_id FROM waiting ORDER BY id"))[0]["event_id"]


class TestState:
    """What is on its way, counted."""

    async def test_counts_what_each_table_holds(self, parked: Side) -> None:
        await parked.inbox().take([raw("b", 1, poison=True)])
        await parked.grow("x", "y")
        await parked.rows("UPDATE outbox SET time = :time", time=clock.now() - timedelta(minutes=5))
        async with parked.database.session() as session:
            found = await bus.state(session)
        counts = found.model_dump(exclude={"outbox_oldest_age_s"})
        assert counts == {"outbox_rows": 2, "waiting_subjects": 2, "waiting_events": 3, "parked_subjects": 1}
        assert 300 <= found.outbox_oldest_age_s < 330

    async def test_is_all_zero_when_nothing_is_on_its_way(self, ear: Side) -> None:
        async with ear.database.session() as session:
            assert set((await bus.state(session)).model_dump().values()) == {0}

    async def test_lists_events_in_order_without_their_data(self, parked: Side) -> None:
        async with parked.database.session() as session:
            found = await bus.list_waiting(session, subject="a")
            assert await bus.list_waiting(session, subject="b") == []
        assert [(event.sequence, event.parked_at is None) for event in found] == [(2, False), (3, True)]
        assert "body" not in found[0].model_dump()


class TestReplay:
    """A person had the cause mended."""

    async def test_keeps_who_and_why(self, parked: Side) -> None:
        await act(parked, AN, lambda work: bus.replay(work, subject="a", reason="version 2 is out"))
        async with parked.database.session() as session:
            (kept,) = await bus.list_interventions(session)
        assert (kept["action"], kept["subject"], kept["actor"], kept["reason"]) == (
            "replay",
            "a",
            "an",
            "version 2 is out",
        )

    async def test_refuses_a_dossier_of_which_nothing_waits(self, parked: Side) -> None:
        with pytest.raises(NotWaiting):
            await act(parked, AN, lambda work: bus.replay(work, subject="b", reason="because"))
        assert await parked.count("intervention") == 0

    async def test_refuses_without_a_reason(self, parked: Side) -> None:
        with pytest.raises(InvalidRequest):
            await act(parked, AN, lambda work: bus.replay(work, subject="a", reason="   "))
        assert await parked.rows("SELECT 1 FROM waiting WHERE parked_at IS NULL AND sequence = 2") == []


class TestDiscard:
    """An event is dropped by two persons, never by one."""

    async def test_drops_the_event_and_lets_those_behind_go_on(self, parked: Side) -> None:
        await consent(parked, await ask_discard(parked, await poison_id(parked)))
        await parked.inbox().retry_due()
        assert await parked.seen("a") == [1, 3]
        assert await parked.count("waiting") == 0
        async with parked.database.session() as session:
            (kept,) = await bus.list_interventions(session)
        assert (kept["actor"], kept["consented_by"], kept["reason"]) == ("an", "binh", "a test's event")

    async def test_leaves_the_event_until_somebody_consents(self, parked: Side) -> None:
        await ask_discard(parked, await poison_id(parked))
        assert await parked.count("waiting") == 2

    async def test_refuses_the_consent_of_who_asked(self, parked: Side) -> None:
        asked = await ask_discard(parked, await poison_id(parked))
        with pytest.raises(ConsentNeedsAnother):
            await consent(parked, asked, AN)
        assert await parked.count("waiting") == 2
        assert await parked.rows("SELECT consented_by FROM intervention") == [{"consented_by": None}]

    async def test_refuses_a_second_consent_and_one_to_a_replay(self, parked: Side) -> None:
        asked = await ask_discard(parked, await poison_id(parked))
        await consent(parked, asked)
        with pytest.raises(NotWaiting):
            await consent(parked, asked)
        await act(parked, AN, lambda work: bus.replay(work, subject="a", reason="go on"))
        (replayed,) = await parked.rows("SELECT id FROM intervention WHERE action = 'replay'")
        with pytest.raises(NotWaiting):
            await consent(parked, replayed["id"])

    async def test_refuses_the_consent_when_the_event_was_handled_meanwhile(self, parked: Side) -> None:
        """Nobody may read afterwards that an event was dropped which in truth had its effect."""
        asked = await ask_discard(parked, await poison_id(parked))
        CURED.add("a")
        await act(parked, BINH, lambda work: bus.replay(work, subject="a", reason="the fix is in"))
        await parked.inbox().retry_due()
        with pytest.raises(NotWaiting):
            await consent(parked, asked)
        assert await parked.seen("a") == [1, 2, 3]
        assert await parked.rows("SELECT 1 FROM intervention WHERE consented_by IS NOT NULL") == []

    async def test_refuses_an_event_that_does_not_wait(self, parked: Side) -> None:
        with pytest.raises(NotWaiting):
            await ask_discard(parked, new_id())

    async def test_refuses_an_event_of_another_dossier(self, parked: Side) -> None:
        await parked.inbox().take([raw("b", 1, poison=True)])
        (other,) = await parked.rows("SELECT event_id FROM waiting WHERE subject = 'b'")
        with pytest.raises(NotWaiting):
            await ask_discard(parked, other["event_id"])
