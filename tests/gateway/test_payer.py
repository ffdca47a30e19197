"""Paying what the portal is owed: all of it, in order, and without the mistakes of real senders."""

import pytest

from gateway.portal.client import open_http
from gateway.portal.payer import Breaker
from tests.gateway.cashier import DIALECTS, TIMEOUT_S, Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, ENDINGS, Life, rejected, returned, supplemented_twice
from tests.support.assertions import eventually
from tests.support.bus import running

pytestmark = pytest.mark.parametrize("dialect", DIALECTS)
PUSH, PROGRESS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
CALLS = {
    "legacy": {"login", PUSH, PROGRESS},
    "rest": {"login", PUSH, PROGRESS, "TaoHoSo", "CapNhatHoSo", "CapNhatTrangThai", "CapNhatTienTrinh"},
}
"""Everything that telling of dossiers may need, by dialect."""


def code_of(number: int) -> str:
    return f"H32.14-260407-{number:04}"


def every_ending() -> list[Life]:
    return [ending(Life(code=code_of(number))) for number, ending in enumerate(ENDINGS.values())]


async def take(hall: Hall, *lives: Life) -> None:
    await hall.take([event for life in lives for event in life.events])


class TestPay:
    """The portal behaves."""

    async def test_tells_every_status_of_every_ending_in_order(self, hall: Hall, cashier: Cashier) -> None:
        lives = every_ending()
        await take(hall, *lives)
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)
        assert (await cashier.summary())["duplicates"] == 0

    async def test_shares_calls_among_dossiers(self, hall: Hall, cashier: Cashier) -> None:
        lives = [rejected(Life(code=code_of(number))) for number in range(60)]
        await take(hall, *lives)
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)
        assert (await cashier.summary())["calls"] < {"legacy": 20, "rest": 4 * 60 + 2}[cashier.dialect]

    async def test_follows_while_it_happens(self, hall: Hall, cashier: Cashier) -> None:
        """Statuses come one by one while the payer is at work."""
        lives = every_ending()
        async with cashier.paying():
            for place in range(max(len(life.events) for life in lives)):
                await hall.take([life.events[place] for life in lives if place < len(life.events)])
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)

    async def test_erases_what_is_personal_once_it_is_acknowledged(self, hall: Hall, cashier: Cashier) -> None:
        await take(hall, *every_ending())
        before = str(await hall.rows("SELECT * FROM portal_debt"))
        assert CITIZEN.name in before
        async with cashier.paying():
            await cashier.all_paid()
        rows = await hall.rows("SELECT * FROM portal_debt")
        assert {(row["dossier_message"], row["progress_message"], row["last_error"]) for row in rows} == {
            (None, None, None)
        }
        assert all(row["dossier_acknowledged_at"] <= row["acknowledged_at"] for row in rows)

    async def test_is_done_by_one_of_two_and_taken_over_by_the_other(self, hall: Hall, cashier: Cashier) -> None:
        first, second = [supplemented_twice(Life(code=code_of(n))) for n in range(2)]
        async with open_http(TIMEOUT_S) as http:
            one, other = cashier.payer(http), cashier.payer(http)
            async with running(other.run()):
                async with running(one.run()):
                    await take(hall, first)
                    await cashier.all_paid()
                await take(hall, second)
                await cashier.all_paid()
        await cashier.assert_in_step(first, second)
        assert (await cashier.summary())["duplicates"] == 0


class TestRefusal:
    """The portal will not have one dossier."""

    async def test_of_one_among_a_hundred_holds_up_no_other(self, hall: Hall, cashier: Cashier) -> None:
        lives = [returned(Life(code=code_of(number))) for number in range(100)]
        unwanted = lives[37]
        await take(hall, *lives)
        await cashier.fault(PUSH, "refuse", dossier=unwanted.code)
        async with cashier.paying() as payer:
            await eventually(lambda: _only_owed(cashier, unwanted.code), within_s=60)
            assert payer.breaker is Breaker.CLOSED
            assert unwanted.code not in await cashier.told()
            owed = await cashier.owed()
            assert owed[0]["attempts"] > 0
            assert "Cổng từ chối" in owed[0]["last_error"]
            assert [debt["attempts"] for debt in owed[1:]] == [0] * (len(unwanted.statuses) - 1)
            await cashier.end_faults()
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)

    @pytest.mark.parametrize("kind", ["error_code", "error_500", "garbage_200"])
    async def test_that_spoils_its_whole_call_is_found_and_left_alone(
        self, hall: Hall, cashier: Cashier, kind: str
    ) -> None:
        """Every call that holds it fails: the others get through in smaller ones, and later ones do not wait for it."""
        lives = [rejected(Life(code=code_of(number))) for number in range(30)]
        unwanted, late = lives[17], rejected(Life(code=code_of(99)))
        await take(hall, *lives)
        await cashier.fault(PUSH, kind, dossier=unwanted.code)
        async with cashier.paying() as payer:
            await eventually(lambda: _only_owed(cashier, unwanted.code), within_s=30)
            await eventually(lambda: _has_failed(cashier, 8))
            assert payer.breaker is Breaker.CLOSED
            await take(hall, late)
            await eventually(lambda: _only_owed(cashier, unwanted.code))
            await cashier.end_faults()
            await cashier.all_paid()
        await cashier.assert_in_step(*lives, late)


async def _pushes(cashier: Cashier, code: str) -> list[tuple[str, str]]:
    """Return how a dossier's HoSo were sent and what the portal made of them, in order."""
    rows = [row for row in await cashier.received() if row["service"] == PUSH and row["dossier"] == code]
    return [(row["isUpdating"], row["outcome"]) for row in rows]


async def fired(cashier: Cashier) -> bool:
    faults = (await cashier.control.get("/faults")).json()["faults"]
    return any(fault["fired"] for fault in faults)


async def _only_owed(cashier: Cashier, code: str) -> bool:
    return {debt["dossier_code"] for debt in await cashier.owed()} == {code}


async def _has_failed(cashier: Cashier, times: int) -> bool:
    return any(debt["attempts"] >= times for debt in await cashier.owed())
