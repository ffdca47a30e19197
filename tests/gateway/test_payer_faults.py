"""The portal misbehaves, in every way of its menu: afterwards its own record is ours all the same."""

from typing import Any

import pytest

from gateway.portal.payer import Breaker
from shared.db import Database
from tests.gateway.cashier import DIALECTS, Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import ENDINGS, Life, rejected, returned
from tests.support.assertions import eventually
from tests.support.gate import gate_before

pytestmark = pytest.mark.parametrize("dialect", DIALECTS)
PUSH, PROGRESS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
BOTH = (PUSH, PROGRESS)
MENU: dict[str, list[dict[str, Any]]] = {
    "slow": [{"service": service, "kind": "delay", "delay_s": 0.2, "rate": 0.5, "count": 6} for service in BOTH],
    "too slow": [{"service": service, "kind": "delay", "delay_s": 0.8, "rate": 0.4, "count": 3} for service in BOTH],
    "silent after the effect": [
        {"service": service, "kind": "timeout_after_effect", "delay_s": 0.8, "rate": 0.4, "count": 4}
        for service in BOTH
    ],
    "HTTP 500": [{"service": service, "kind": "error_500", "rate": 0.4, "count": 6} for service in BOTH],
    "an error code": [{"service": service, "kind": "error_code", "rate": 0.4, "count": 6} for service in BOTH],
    "garbage with 200": [{"service": service, "kind": "garbage_200", "rate": 0.5, "count": 8} for service in BOTH],
    "codes of every form": [{"service": "*", "kind": "quirky_codes"}],
    "exists already": [{"service": PUSH, "kind": "already_exists", "rate": 0.5, "count": 6}],
    "session expired": [{"service": service, "kind": "expired_session", "rate": 0.4, "count": 5} for service in BOTH],
    "login fails": [
        {"service": "login", "kind": "error_500", "count": 2},
        {"service": "login", "kind": "garbage_200", "count": 2},
        {"service": PUSH, "kind": "expired_session", "rate": 0.3, "count": 3},
    ],
    "rows refused": [{"service": service, "kind": "refuse", "rate": 0.3, "count": 12} for service in BOTH],
    "half down": [{"service": "*", "kind": "down", "rate": 0.4, "count": 10}],
    "everything at once": [
        {"service": PUSH, "kind": "timeout_after_effect", "delay_s": 0.6, "rate": 0.2, "count": 2},
        {"service": PROGRESS, "kind": "garbage_200", "rate": 0.2, "count": 3},
        {"service": PUSH, "kind": "already_exists", "rate": 0.2, "count": 3},
        {"service": "*", "kind": "expired_session", "rate": 0.2, "count": 3},
        {"service": PUSH, "kind": "refuse", "rate": 0.2, "count": 5},
        {"service": "*", "kind": "quirky_codes", "rate": 0.5},
    ],
}


def every_ending() -> list[Life]:
    return [ending(Life(code=f"H32.14-260407-{number:04}")) for number, ending in enumerate(ENDINGS.values())]


@pytest.mark.parametrize("trouble", MENU)
async def test_portal_in_trouble_knows_everything_afterwards(hall: Hall, cashier: Cashier, trouble: str) -> None:
    """Statuses come while it misbehaves; nothing is lost, doubled, out of order or refused for being wrong."""
    lives = every_ending()
    for fault in MENU[trouble]:
        await cashier.fault(**fault)
    async with cashier.paying():
        for place in range(max(len(life.events) for life in lives)):
            await hall.take([life.events[place] for life in lives if place < len(life.events)])
        await cashier.all_paid(within_s=60)
        assert await cashier.end_faults() > 0
    await cashier.assert_in_step(*lives)


class TestDown:
    """The portal is away for a while."""

    async def test_is_noticed_spared_and_caught_up_with(self, hall: Hall, cashier: Cashier) -> None:
        lives = [returned(Life(code=f"H32.14-260407-{number:04}")) for number in range(20)]
        await cashier.fault("*", "down")
        async with cashier.paying() as payer:
            await hall.take([event for life in lives for event in life.events])
            await eventually(lambda: _is(payer, Breaker.OPEN))
            assert await cashier.told() == {}
            assert {debt["dossier_code"] for debt in await cashier.owed()} == {life.code for life in lives}
            await cashier.end_faults()
            await cashier.all_paid()
            assert payer.breaker is Breaker.CLOSED
        await cashier.assert_in_step(*lives)

    async def test_is_asked_little_while_it_lasts(self, hall: Hall, cashier: Cashier) -> None:
        """One dossier at a time after pauses, not all of them again and again."""
        lives = [rejected(Life(code=f"H32.14-260407-{number:04}")) for number in range(50)]
        fault = await cashier.fault("*", "error_500")
        async with cashier.paying() as payer:
            await hall.take([event for life in lives for event in life.events])
            await eventually(lambda: _is(payer, Breaker.OPEN))
            before = await _fired(cashier, fault)
            await eventually(lambda: _more(cashier, fault, before + 4))
            attempts = sum(debt["attempts"] for debt in await cashier.owed())
            assert attempts < 3 * 50 + 10
            await cashier.end_faults()
            await cashier.all_paid()
        await cashier.assert_in_step(*lives)


class TestDatabase:
    """Our own database goes away between the portal's answer and our note of it."""

    async def test_lost_and_found_leaves_nothing_out_and_nothing_twice(self, hall: Hall, cashier: Cashier) -> None:
        lives = [returned(Life(code=f"H32.14-260407-{number:04}")) for number in range(10)]
        await hall.take([event for life in lives for event in life.events])
        async with gate_before(hall.database.dsn) as gate:
            database = Database(gate.url, service="gateway")
            await cashier.fault("*", "delay", delay_s=0.1)
            async with cashier.paying(database=database):
                for calls in (2, 5, 9):
                    await eventually(lambda calls=calls: _has_had(cashier, calls))
                    gate.shut()
                    await gate.open()
                await cashier.end_faults()
                await cashier.all_paid()
            await database.close()
        await cashier.assert_in_step(*lives)


async def _is(payer: Any, breaker: Breaker) -> bool:
    return payer.breaker is breaker


async def _fired(cashier: Cashier, fault: int) -> int:
    standing = (await cashier.control.get("/faults")).json()["faults"]
    return next(one["fired"] for one in standing if one["id"] == fault)


async def _more(cashier: Cashier, fault: int, times: int) -> bool:
    return await _fired(cashier, fault) >= times


async def _has_had(cashier: Cashier, calls: int) -> bool:
    return (await cashier.summary())["calls"] >= calls
