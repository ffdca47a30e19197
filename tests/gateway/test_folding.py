"""Folding: every service's events into one view of each dossier, cause before effect, nothing twice, no gap."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consumers import HANDLERS
from gateway.operations.facts import SHOWN
from gateway.states import FINAL, LABELS_VI, REACHED_BY, PortalStatus
from shared.events.envelope import RawEvent
from shared.events.registry import EVENTS
from shared.ids import new_id
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, COMPANY, ENDINGS, Life, returned, withdrawn_after

ALL_ENDINGS = pytest.mark.parametrize("ending", ENDINGS)


class TestStatusTable:
    """Which event brings a dossier to which status of the portal."""

    def test_names_only_events_there_are_and_reaches_every_status(self) -> None:
        assert set(REACHED_BY) <= set(EVENTS)
        assert set(REACHED_BY.values()) == set(PortalStatus) == set(LABELS_VI)
        assert {3, 7, 10} == FINAL

    def test_is_that_of_the_contract(self) -> None:
        assert {name.removesuffix(".v1"): int(status) for name, status in REACHED_BY.items()} == {
            "intake.dossier.submitted": 1,
            "intake.dossier.accepted": 2,
            "intake.dossier.rejected": 3,
            "intake.dossier.supplement_requested": 5,
            "intake.dossier.supplemented": 1,
            "intake.dossier.withdrawn": 7,
            "intake.dossier.retracted": 7,
            "workflow.case.started": 4,
            "workflow.case.supplement_requested": 5,
            "workflow.case.payment_awaited": 6,
            "workflow.case.stopped": 8,
            "workflow.case.resumed": 4,
            "workflow.case.completed": 9,
            "results.result.returned": 10,
        }

    def test_every_event_about_a_dossier_is_folded(self) -> None:
        """One that is not taken would leave a gap in its source's numbers, and its dossier waiting for ever."""
        taken = {event.event_type for event in HANDLERS}
        assert set(EVENTS) - taken == {"intake.procedure.published.v1", "workflow.calendar.published.v1"}


class TestLife:
    """A whole life in the order it was lived."""

    @ALL_ENDINGS
    async def test_reaches_every_status_once_and_in_order(self, hall: Hall, ending: str) -> None:
        life = ENDINGS[ending](Life())
        await hall.take(life.events)
        view = await hall.view(life.code)
        assert await hall.owed(life.code) == life.statuses
        assert view["portal_status"] == life.statuses[-1]
        assert view["version"] == len(life.statuses)
        assert sum(view["sequences"].values()) == len(life.events)
        assert await hall.count("waiting") == 0

    @ALL_ENDINGS
    async def test_comes_out_the_same_in_one_batch_and_singly(self, hall: Hall, ending: str) -> None:
        one, other = ENDINGS[ending](Life()), ENDINGS[ending](Life(code="H32.14-260407-0002"))
        await hall.take(one.events)
        await hall.take_singly(other.events)
        assert _without_ids(await hall.view(one.code)) == _without_ids(await hall.view(other.code))

    async def test_stands_in_the_timeline_and_in_the_feed_event_by_event(self, hall: Hall) -> None:
        life = returned(Life())
        await hall.take(life.events)
        timeline = await hall.rows("SELECT * FROM timeline ORDER BY nth")
        assert [entry["event_id"] for entry in timeline] == [event.id for event in life.events]
        assert [entry["nth"] for entry in timeline] == list(range(1, len(life.events) + 1))
        assert [entry["happened_at"] for entry in timeline] == [event.time for event in life.events]
        assert [entry["committed_at"] for entry in timeline] == [event.time for event in life.events]
        assert {entry["trace_id"] for entry in timeline} == {"0af7651916cd43dd8448eb211c80319c"}
        feed = await hall.rows("SELECT * FROM change ORDER BY position")
        assert [change["event_type"] for change in feed] == [event.type for event in life.events]
        assert [change["portal_status"] for change in feed if change["portal_status"]] == life.statuses

    @ALL_ENDINGS
    async def test_leaves_no_applicant_in_timeline_feed_or_log(self, hall: Hall, ending: str) -> None:
        life = ENDINGS[ending](Life())
        await hall.take(life.events)
        open_rows = [await hall.rows(f"SELECT * FROM {table}") for table in ("timeline", "change")]
        shown = str(open_rows)
        for party in (CITIZEN, COMPANY):
            for value in (party.name, party.id_number, party.email, party.phone, party.address):
                assert value is None or value not in shown

    async def test_masks_numbers_in_what_officials_wrote(self, hall: Hall) -> None:
        life = Life()
        life.submit()
        asked = life.ask()
        life.events[-1] = replace(asked, body=asked.body.replace("Bổ sung bản vẽ".encode(), b"Call 0912345678"))
        await hall.take(life.events)
        rows = await hall.rows("SELECT detail FROM timeline UNION ALL SELECT detail FROM change")
        contents = [row["detail"].get("content") for row in rows if "content" in row["detail"]]
        assert contents == ["Call ***", "Call ***"]

    def test_shows_no_field_that_names_an_applicant(self) -> None:
        personal = {"applicant", "owner", "name", "email", "phone", "address", "id_number", "documents", "summary"}
        assert SHOWN.isdisjoint(personal)


def _without_ids(view: dict[str, Any]) -> dict[str, Any]:
    """Return a view without what differs from life to life."""
    submitted = {name: value for name, value in view["facts"]["submitted"].items() if name != "documents"}
    counts = {name: len(value) for name, value in view["facts"].items() if isinstance(value, list | dict)}
    kept = {name: view[name] for name in ("portal_status", "version", "sequences", "agency_code")}
    return {**kept, "submitted": submitted, "counts": counts, "due_at": view["facts"].get("due_at")}


class TestGap:
    """A number is missing: the event before is still on its way."""

    async def test_waits_and_closes_when_the_event_comes(self, hall: Hall) -> None:
        life = returned(Life())
        late = life.events.pop(1)
        await hall.take(life.events)
        assert await hall.owed(life.code) == [1]
        assert (await hall.view(life.code))["sequences"] == {"intake": 1}
        await hall.take([late])
        while await hall.inbox.retry_due():
            pass
        assert await hall.owed(life.code) == life.statuses
        assert await hall.count("waiting") == 0

    async def test_is_enough_to_wait_although_nothing_names_the_missing_event(self, hall: Hall) -> None:
        """The case was completed after a task nobody has heard of; only the number tells."""
        life = returned(Life())
        (late,) = (event for event in life.events if event.type == "workflow.task.completed.v1")
        await hall.take([event for event in life.events if event is not late])
        assert await hall.owed(life.code) == [1, 2, 4]
        await hall.take([late])
        while await hall.inbox.retry_due():
            pass
        assert await hall.owed(life.code) == life.statuses

    async def test_of_one_dossier_holds_up_no_other(self, hall: Hall) -> None:
        gappy, whole = returned(Life()), returned(Life(code="H32.14-260407-0002"))
        await hall.take([*gappy.events[:1], *gappy.events[2:], *whole.events])
        assert await hall.owed(whole.code) == whole.statuses
        assert await hall.owed(gappy.code) == [1]

    async def test_of_a_lost_submission_is_never_guessed_over(self, hall: Hall) -> None:
        life = returned(Life())
        await hall.take(life.events[1:])
        assert await hall.count("dossier_view") == 0
        reasons = await hall.rows("SELECT reason FROM waiting ORDER BY id LIMIT 1")
        assert "submission has not arrived" in reasons[0]["reason"]


class TestCause:
    """An effect never shows before its cause, whichever service it comes from."""

    async def test_missing_makes_the_effect_wait(self, hall: Hall) -> None:
        """The case started because the dossier was accepted; its own source has no gap."""
        life = Life()
        submitted = life.submit()
        accepted = life.accept()
        started = life.start(accepted)
        await hall.take([submitted, started])
        assert await hall.owed(life.code) == [1]
        await hall.take([accepted])
        await hall.inbox.retry_due()
        assert await hall.owed(life.code) == [1, 2, 4]

    async def test_of_another_dossier_is_no_cause(self, hall: Hall) -> None:
        one, other = Life(), Life(code="H32.14-260407-0002")
        one.submit()
        other.submit()
        accepted = one.accept()
        await hall.take([*one.events, *other.events, replace(other.start(accepted), sequence=1)])
        assert await hall.owed(other.code) == [1]


class TestDuplicate:
    """The bus may bring an event again."""

    async def test_has_no_second_effect(self, hall: Hall) -> None:
        life = returned(Life())
        await hall.take([*life.events, *life.events])
        await hall.take_singly(life.events)
        assert await hall.owed(life.code) == life.statuses
        assert await hall.count("timeline") == await hall.count("change") == len(life.events)

    async def test_under_another_id_is_set_aside_for_people(self, hall: Hall) -> None:
        """Two events with one number: somebody's outbox is broken, and guessing which is right is not ours."""
        life = Life()
        submitted = life.submit()
        await hall.take([submitted, replace(submitted, id=new_id())])
        assert await hall.owed(life.code) == [1]
        (waiting,) = await hall.rows("SELECT reason FROM waiting")
        assert "again under another id" in waiting["reason"]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[str, list[int]]:
    """Draw a life, and an order in which its events arrive: each source's own order kept, else any."""
    ending = draw(st.sampled_from(sorted(ENDINGS)))
    life = ENDINGS[ending](Life())
    queues: dict[str, list[int]] = defaultdict(list)
    for place, event in enumerate(life.events):
        queues[event.source].append(place)
    order: list[int] = []
    while queues:
        source = draw(st.sampled_from(sorted(queues)))
        order.append(queues[source].pop(0))
        if not queues[source]:
            del queues[source]
    return ending, order


@given(arrivals(), st.integers(1, 5))
async def test_any_arrival_across_sources_folds_to_the_same_view(
    open_hall: Hall, arrival: tuple[str, list[int]], batch: int
) -> None:
    hall = open_hall
    await hall.clear()
    ending, order = arrival
    life = ENDINGS[ending](Life())
    shuffled = [life.events[place] for place in order]
    for at in range(0, len(shuffled), batch):
        await hall.take(shuffled[at : at + batch])
        await hall.inbox.retry_due()
    straight = under_another_code(life)
    await hall.take(straight)
    expected, found = await hall.view(straight[0].subject), await hall.view(life.code)
    assert {**found, "code": ""} == {**expected, "code": ""}
    assert await hall.owed(life.code) == life.statuses
    assert await hall.count("waiting") == 0
    await hall.clear()


def under_another_code(life: Life) -> list[RawEvent]:
    """Return the same life of another dossier: new ids, the same facts."""
    ids = {event.id: new_id() for event in life.events}
    return [
        replace(
            event,
            id=ids[event.id],
            subject="H32.14-260407-0002",
            causation_id=ids[event.causation_id] if event.causation_id else None,
        )
        for event in life.events
    ]


def test_withdrawal_after_acceptance_is_led_to_by_workflow() -> None:
    life = withdrawn_after(Life())
    assert life.statuses == [1, 2, 4, 7]
