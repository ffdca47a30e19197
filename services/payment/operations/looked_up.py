"""Payments that began on the national portal: it asked what a dossier has to pay, and tells of the money by the answer.

The answer to dptracuuthanhtoanhs names MaTraCuuTT = MaHoSo + yyyyMMddHHmmss, the fee's own however often it is asked,
until money that was not right has come under it: a second transaction of one attempt goes back, so another is named.
That the platform's CONFIRM about such a payment carries it as MaThamChieu is inferred. Nobody opened an attempt here:
it is opened when the money is told of.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from services.payment import queries
from services.payment.models import Fee
from services.payment.operations.attempts import expire_open_attempt, new_payment
from services.payment.states import FeeStatus, Provider
from shared.clock import VN
from shared.events.values import CollectedAt
from shared.work import Work

_LOOKED_UP = re.compile(r"(?P<code>[\w.\-]{10,50}-\d{4,7})(?P<time>\d{14})")


def lookup_code(fee: Fee) -> str:
    """Return a due fee's MaTraCuuTT; its payments are loaded.

    A dossier's fees are assessed at once: a second for each occasion tells them apart, and more those that are spent.
    """
    spent = sum(_LOOKED_UP.fullmatch(payment.reference) is not None for payment in fee.payments)
    occasion = list(CollectedAt).index(CollectedAt(fee.collected))
    moment = fee.assessed_at + timedelta(seconds=occasion + len(CollectedAt) * spent)
    return f"{fee.dossier_code}{moment.astimezone(VN):%Y%m%d%H%M%S}"


async def open_looked_up(work: Work, *, reference: str, amount_vnd: int) -> bool:
    """Open the attempt that money paid under MaTraCuuTT is for; return whether one was opened.

    It is for the fee of that code, else for the first one due of that amount, else any: what becomes of the money is
    then decided as for any other attempt, and none of it is lost. Another attempt at that fee ends.
    Emits payment.payment.initiated.v1, payment.payment.expired.v1.
    """
    named = _LOOKED_UP.fullmatch(reference)
    fees = await queries.lock_fees(work.session, named["code"]) if named else []
    fee = _meant(fees, reference, amount_vnd)
    if fee is None or any(payment.reference == reference for one in fees for payment in one.payments):
        return False
    expire_open_attempt(work, fee)
    new_payment(work, fee, Provider.NATIONAL_PLATFORM, expires_at=None, reference=reference)
    await work.session.flush()
    return True


def _meant(fees: Sequence[Fee], reference: str, amount_vnd: int) -> Fee | None:
    coded = [fee for fee in fees if lookup_code(fee) == reference]
    due = [fee for fee in fees if fee.status == FeeStatus.DUE]
    fitting = [fee for fee in due if fee.amount_vnd == amount_vnd]
    return next(iter([*coded, *fitting, *due, *fees]), None)
