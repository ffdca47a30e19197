"""What changes without a new status reaches the portal too: or it would show an old due date as overdue for ever."""

from datetime import timedelta

import pytest

from gateway.portal.messages import portal_time
from shared.events import results, workflow
from shared.events.envelope import RawEvent
from shared.events.workflow import DueDateReason
from tests.gateway.cashier import DIALECTS, Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, returned
from tests.gateway.test_payer import PROGRESS, PUSH, code_of, fired, take
from tests.support.assertions import eventually

pytestmark = pytest.mark.parametrize("dialect", DIALECTS)


def running(life: Life) -> Life:
    """Be handed in, accepted, and worked at."""
    life.submit()
    life.start(life.accept())
    return life


def extend(life: Life, days: int) -> RawEvent:
    """Move the due date, with an apology."""
    before = life.due
    assert before is not None
    life.due = before + timedelta(days=days)
    data = workflow.CaseDueDateChanged(
        due_at=life.due,
        previous_due_at=before,
        because=DueDateReason.EXTENSION,
        reason="Chờ kết quả thẩm định",
        changed_by="Lê Văn Làm",
        calendar_version="2026",
        calculated_at=life.now,
    )
    return life.tell(data)


def revoke(life: Life) -> RawEvent:
    """Take the result back."""
    return life.tell(results.ResultRevoked(result_id=life.result_id, reason="Cấp sai", revoked_at=life.now))


async def shown(cashier: Cashier, life: Life) -> dict[str, object]:
    """Return what the portal shows of a dossier."""
    return (await cashier.dossier(life.code))["hoso"]


class TestCorrection:
    """HoSo goes out again as an update; no status is told twice."""

    async def test_of_a_due_date_reaches_the_portal_at_once(self, hall: Hall, cashier: Cashier) -> None:
        life = running(Life())
        await take(hall, life)
        async with cashier.paying():
            await cashier.all_paid()
            await hall.take([extend(life, days=4)])
            await cashier.all_paid()
        assert (await shown(cashier, life))["NgayHenTra"] == portal_time(life.due)
        await cashier.assert_in_step(life)
        assert (await cashier.summary())["duplicates"] == 0

    async def test_of_a_status_still_on_its_way_goes_with_it(self, hall: Hall, cashier: Cashier) -> None:
        """Told in one go: the portal never sees the older words of the last status."""
        life = running(Life())
        await hall.take([*life.events, extend(life, days=4)])
        async with cashier.paying():
            await cashier.all_paid()
        assert (await shown(cashier, life))["NgayHenTra"] == portal_time(life.due)
        assert [row["outcome"] for row in await cashier.received() if row["service"] == PUSH and row["dossier"]] == [
            "taken"
        ] * 3

    async def test_made_while_older_words_are_on_their_way_is_not_lost(self, hall: Hall, cashier: Cashier) -> None:
        """The acknowledgement of what was sent does not count for what was corrected meanwhile."""
        life = running(Life())
        await take(hall, life)
        async with cashier.paying():
            await cashier.all_paid()
            await cashier.fault(PUSH, "delay", delay_s=0.25, count=1)
            await hall.take([extend(life, days=1)])
            await eventually(lambda: fired(cashier))
            await hall.take([extend(life, days=1)])
            await cashier.all_paid()
        assert (await shown(cashier, life))["NgayHenTra"] == portal_time(life.due)
        await cashier.assert_in_step(life)

    async def test_made_while_the_progress_is_on_its_way_is_not_lost(self, hall: Hall, cashier: Cashier) -> None:
        life = running(Life())
        await hall.take(life.events[:-1])
        async with cashier.paying():
            await cashier.all_paid()
            await cashier.fault(PROGRESS, "delay", delay_s=0.25, count=1)
            await hall.take(life.events[-1:])
            await eventually(lambda: fired(cashier))
            await hall.take([extend(life, days=1)])
            await cashier.all_paid()
        assert (await shown(cashier, life))["NgayHenTra"] == portal_time(life.due)
        await cashier.assert_in_step(life)

    async def test_takes_back_a_result_after_everything_was_told(self, hall: Hall, cashier: Cashier) -> None:
        life = returned(Life())
        await take(hall, life)
        async with cashier.paying():
            await cashier.all_paid()
            assert len((await shown(cashier, life))["DanhSachGiayToKetQua"]) == 1  # type: ignore[arg-type]
            await hall.take([revoke(life)])
            await cashier.all_paid()
        assert (await shown(cashier, life))["DanhSachGiayToKetQua"] == []
        await cashier.assert_in_step(life)

    async def test_is_not_owed_when_the_portal_would_see_no_difference(self, hall: Hall, cashier: Cashier) -> None:
        life = running(Life())
        await take(hall, life)
        async with cashier.paying():
            await cashier.all_paid()
            await hall.take([life.work(), extend(life, days=0)])
            assert await cashier.owed() == []

    async def test_survives_an_outage_and_is_sent_once(self, hall: Hall, cashier: Cashier) -> None:
        """Ten corrections while the portal was away: the last one says it all."""
        lives = [running(Life(code=code_of(number))) for number in range(5)]
        await take(hall, *lives)
        async with cashier.paying():
            await cashier.all_paid()
        for _ in range(10):
            await hall.take([extend(life, days=1) for life in lives])
        async with cashier.paying():
            await cashier.all_paid()
        corrected = [row["dossier"] for row in await cashier.received() if row["outcome"] == "corrected"]
        assert sorted(corrected) == [life.code for life in lives]
        for life in lives:
            assert (await shown(cashier, life))["NgayHenTra"] == portal_time(life.due)
