"""Notices: a provider reports by itself how an attempt ended. Its signature is its only credential."""

from prometheus_client import Counter

from services.payment.errors import PaymentNotFound, TransactionReused
from services.payment.operations import money
from services.payment.operations.looked_up import open_looked_up
from services.payment.operations.money import Notice
from services.payment.platform.asking import Gateways, apply, caller_of
from services.payment.platform.port import Reading
from services.payment.queries import AttemptKey
from services.payment.states import Outcome, Provider
from shared import log
from shared.db import Database
from shared.telemetry import current_traceparent
from shared.work import open_work

CALLBACKS = Counter(
    "motcua_payment_callbacks_total", "Notices of providers received, by what came of them.", ["provider", "outcome"]
)
REFUSED = frozenset({Outcome.WRONG_HASH, Outcome.MALFORMED, Outcome.UNKNOWN_REFERENCE, Outcome.TRANSACTION_REUSED})
"""What a provider is told it cannot be taken; everything else is taken, and it need not tell it again."""

_log = log.get(__name__)


async def take_notice(database: Database, gateways: Gateways, reading: Reading) -> Outcome:
    """Take in what a provider says and return what came of it, after its effect is committed and noted."""
    outcome = await _outcome(database, gateways, reading)
    notice = reading.notice
    CALLBACKS.labels(notice.provider.value, outcome.value).inc()
    _log.info("notice.taken", provider=notice.provider.value, reference=notice.reference, outcome=outcome.value)
    return outcome


async def _outcome(database: Database, gateways: Gateways, reading: Reading) -> Outcome:
    notice, standing = reading.notice, reading.standing
    if standing is None:
        return await _note_alone(database, notice, reading.refusal or Outcome.MALFORMED)
    try:
        async with open_work(database, caller_of(notice.provider), traceparent=current_traceparent()) as work:
            if notice.provider is Provider.NATIONAL_PLATFORM and standing.money is not None:
                await open_looked_up(work, reference=reading.notice.reference, amount_vnd=standing.money.amount_vnd)
            outcome = await apply(
                work,
                attempt=AttemptKey(notice.provider, notice.reference),
                standing=standing,
                routing=gateways.routing,
            )
            money.note_callback(work, notice=notice, outcome=outcome)
    except PaymentNotFound:
        return await _note_alone(database, notice, Outcome.UNKNOWN_REFERENCE)
    except TransactionReused:
        return await _note_alone(database, notice, Outcome.TRANSACTION_REUSED)
    return outcome


async def _note_alone(database: Database, notice: Notice, outcome: Outcome) -> Outcome:
    async with open_work(database, caller_of(notice.provider)) as work:
        money.note_callback(work, notice=notice, outcome=outcome)
    return outcome
