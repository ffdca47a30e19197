"""Which dossiers the demo submits: every ending in turn, spread over procedures, agencies and channels."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SEED = 20260407
PROVINCE = "H32"
"""The demo's clients submit to agencies of this province only."""


class Ending(StrEnum):
    """How a dossier's life goes."""

    RETURNED = "returned"
    PAID_ONLINE = "paid_online"
    PAID_AT_COUNTER = "paid_at_counter"
    PAID_LATE = "paid_late"
    PAID_TWICE = "paid_twice"
    SUPPLEMENTED_TWICE = "supplemented_twice"
    STOPPED = "stopped"
    OVERDUE = "overdue"
    REJECTED = "rejected"
    WITHDRAWN_EARLY = "withdrawn_early"
    WITHDRAWN_LATE = "withdrawn_late"
    FROM_PORTAL = "from_portal"


LABELS: Mapping[Ending, tuple[str, str]] = {
    Ending.RETURNED: ("Trả kết quả", "returned"),
    Ending.PAID_ONLINE: ("Nộp phí trực tuyến, trả kết quả", "paid online, returned"),
    Ending.PAID_AT_COUNTER: ("Nộp phí tại quầy, trả kết quả", "paid at the counter, returned"),
    Ending.PAID_LATE: ("Chờ nộp phí rồi giải quyết tiếp", "paid late, returned"),
    Ending.PAID_TWICE: ("Nộp phí hai lần cùng lúc", "paid twice at once, returned"),
    Ending.SUPPLEMENTED_TWICE: ("Bổ sung hai lần", "supplemented twice, returned"),
    Ending.STOPPED: ("Dừng rồi giải quyết tiếp", "stopped, resumed, returned"),
    Ending.OVERDUE: ("Quá hạn", "overdue, returned"),
    Ending.REJECTED: ("Từ chối tiếp nhận", "rejected"),
    Ending.WITHDRAWN_EARLY: ("Rút trước khi tiếp nhận", "withdrawn before acceptance"),
    Ending.WITHDRAWN_LATE: ("Rút khi đang giải quyết", "withdrawn after acceptance"),
    Ending.FROM_PORTAL: ("Nộp trên Cổng DVCQG", "submitted on the portal, returned"),
}
_WEIGHTS: Mapping[Ending, int] = dict.fromkeys(Ending, 1) | {Ending.RETURNED: 3, Ending.PAID_ONLINE: 2}
_NEEDS_FEE = frozenset({Ending.PAID_ONLINE, Ending.PAID_AT_COUNTER, Ending.PAID_TWICE})
_FREE = frozenset({Ending.RETURNED, Ending.OVERDUE, Ending.STOPPED, Ending.SUPPLEMENTED_TWICE, Ending.FROM_PORTAL})


@dataclass(frozen=True, slots=True)
class Life:
    """One planned dossier."""

    number: int
    ending: Ending
    procedure: Mapping[str, Any]
    """As GET /procedures/{code} answered."""
    agency: str
    channel: str


def awaits_payment(procedure: Mapping[str, Any], gated: frozenset[str]) -> bool:
    """Tell whether a step of the procedure waits for its fee."""
    return procedure["code"] in gated


def plan_lives(count: int, procedures: Sequence[Mapping[str, Any]], gated: frozenset[str]) -> list[Life]:
    """Return the lives of a run, always the same for the same catalogue; gated: procedures that wait for a fee."""
    dice = random.Random(SEED)  # noqa: S311 - the same lives in every run
    deck = [ending for ending, weight in _WEIGHTS.items() for _ in range(weight)]
    lives = []
    for number in range(count):
        ending = deck[number % len(deck)]
        fitting = [
            (procedure, channel)
            for procedure in procedures
            for channel in procedure["channels"]
            if _own(procedure) and _fits(ending, procedure, channel, gated)
        ]
        procedure, channel = dice.choice(fitting)
        lives.append(Life(number, ending, procedure, dice.choice(_own(procedure)), channel))
    return lives


def _own(procedure: Mapping[str, Any]) -> list[str]:
    """Return the agencies of the province that receive a procedure's dossiers."""
    return [code for code in procedure["agencies"] if f"{code}.".startswith(f"{PROVINCE}.")]


def _fits(ending: Ending, procedure: Mapping[str, Any], channel: str, gated: frozenset[str]) -> bool:
    if not procedure["in_force"] or "citizen" not in procedure["applicants"]:
        return False
    fees = procedure["fees"][channel]
    on_acceptance = sum(fee["amount_vnd"] for fee in fees if fee["collected"] == "on_acceptance")
    document = any(result["document"] for result in procedure["results"])
    waits = procedure["code"] in gated
    if ending is Ending.PAID_LATE:
        return waits and on_acceptance > 0 and document
    if ending in _NEEDS_FEE:
        return on_acceptance > 0 and not waits and document
    if ending is Ending.OVERDUE:
        return channel == "direct" and procedure["duration"] is not None and not fees and document
    if ending is Ending.FROM_PORTAL:
        return channel == "online" and document and not (waits and on_acceptance)
    return document and not (waits and on_acceptance)
