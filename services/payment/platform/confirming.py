"""CONFIRM: the platform reports how an attempt ended. Its hash is its only credential."""

import re

from prometheus_client import Counter

from services.payment.errors import PaymentNotFound, TransactionReused
from services.payment.operations import attempts, money
from services.payment.platform import messages
from services.payment.platform.asking import PLATFORM_CALLER
from services.payment.platform.client import Platform
from services.payment.platform.messages import Reply, Report
from services.payment.states import Outcome
from shared import log
from shared.db import Database
from shared.telemetry import current_traceparent
from shared.work import Work, open_work

CALLBACKS = Counter("motcua_payment_callbacks_total", "CONFIRMs received, by what came of them.", ["outcome"])

_UNSAFE = re.compile(r"[^0-9A-Za-z._-]")
_LOGGED_MAX = 64
_REFUSALS = {
    Outcome.WRONG_HASH: "MaXacThuc không đúng",
    Outcome.MALFORMED: "Bản tin không đúng định dạng",
    Outcome.UNKNOWN_REFERENCE: "Không có mã tham chiếu này",
    Outcome.TRANSACTION_REUSED: "Mã giao dịch đã dùng cho thanh toán khác",
}
"""What the platform is told with "99"; everything else is taken, and it need not tell it again."""

_log = log.get(__name__)


async def take_confirm(database: Database, platform: Platform, report: Report) -> Reply:
    """Take in a CONFIRM and return our reply, after its effect is committed."""
    outcome = await _outcome(database, platform, report)
    CALLBACKS.labels(outcome.value).inc()
    _log.info("confirm.taken", reference=_loggable(report.reference), outcome=outcome.value)
    refusal = _REFUSALS.get(outcome)
    return platform.reply(
        code=messages.REFUSED if refusal else messages.TAKEN,
        description=refusal or "Thành công",
        reference=report.reference,
    )


async def _outcome(database: Database, platform: Platform, report: Report) -> Outcome:
    if not platform.is_authentic(report):
        return await _note_alone(database, report, Outcome.WRONG_HASH)
    if report.kind != "CONFIRM" or not report.code or (report.code == messages.TAKEN and report.money() is None):
        return await _note_alone(database, report, Outcome.MALFORMED)
    try:
        async with open_work(database, PLATFORM_CALLER, traceparent=current_traceparent()) as work:
            outcome = await _apply(work, report)
            _note(work, report, outcome)
    except PaymentNotFound:
        return await _note_alone(database, report, Outcome.UNKNOWN_REFERENCE)
    except TransactionReused:
        return await _note_alone(database, report, Outcome.TRANSACTION_REUSED)
    return outcome


async def _apply(work: Work, report: Report) -> Outcome:
    found = report.money()
    if report.code == messages.TAKEN and found is not None:
        return await money.take_money(work, reference=report.reference, money=found)
    return await attempts.fail_attempt(work, reference=report.reference, reason=f"declined_{report.code}")


async def _note_alone(database: Database, report: Report, outcome: Outcome) -> Outcome:
    async with open_work(database, PLATFORM_CALLER) as work:
        _note(work, report, outcome)
    return outcome


def _note(work: Work, report: Report, outcome: Outcome) -> None:
    money.note_callback(
        work,
        reference=_loggable(report.reference),
        transaction_number=_loggable(report.transaction_number),
        code=_loggable(report.code),
        outcome=outcome,
    )


def _loggable(text: str) -> str:
    """Return what may be kept of a text that anybody could have sent."""
    return _UNSAFE.sub("?", text[:_LOGGED_MAX])
