"""An event that two people agreed to drop is no gap: its dossier goes on."""

from shared import bus
from shared.caller import Caller
from shared.work import open_work
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, returned

BROKEN_AT = 3


class TestDiscard:
    async def test_of_what_cannot_be_folded_lets_the_dossier_go_on(self, hall: Hall) -> None:
        life = returned(Life())
        broken = life.events[BROKEN_AT]
        await hall.take(life.events[:BROKEN_AT])
        # Never to come: another event of the same source waits for it, and what it led to.
        await hall.take(life.events[BROKEN_AT + 1 :])
        stuck = await hall.count("waiting")
        assert stuck > 0

        await hall.rows("UPDATE waiting SET next_attempt_at = now() + interval '1 hour'")
        await _come_late_and_be_dropped(hall, life, broken.id)
        await hall.inbox.retry_due()
        assert await hall.count("waiting") == 0
        assert sum((await hall.view(life.code))["sequences"].values()) == len(life.events)
        assert await hall.count("timeline") == len(life.events) - 1


async def _come_late_and_be_dropped(hall: Hall, life: Life, event_id: object) -> None:
    """Let the event arrive, wait behind the others, and be dropped by two people before anybody tries it."""
    await hall.take([event for event in life.events if event.id == event_id])
    async with open_work(hall.database, Caller("first")) as work:
        asked = await bus.request_discard(work, subject=life.code, event_id=event_id, reason="not to be mended")  # type: ignore[arg-type]
    async with open_work(hall.database, Caller("second")) as work:
        await bus.consent_to_discard(work, intervention_id=asked)
