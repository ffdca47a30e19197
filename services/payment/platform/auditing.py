"""Asking a provider about a whole day, where it makes no statement of it: attempt by attempt, then the comparison.

The national platform has no message for reconciliation, so its day is what it answers to QUERY (DOMAIN: §3.1).
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from services.payment import queries
from services.payment.models import Payment, Reconciliation
from services.payment.operations import reconciliation
from services.payment.operations.reconciliation import Day, Line
from services.payment.platform.asking import Gateways
from services.payment.platform.port import Gateway, Standing, State, Unclear
from services.payment.queries import Span
from services.payment.states import LineStatus, Provider
from shared import clock, log
from shared.caller import Caller
from shared.clock import VN
from shared.db import Database, is_outage
from shared.work import open_work

CALLS_MAX = 8
LEASE, AGAIN = timedelta(minutes=15), timedelta(minutes=5)
REST_S = 5.0
NIGHT = time(1, 0)
"""When the day before is asked about by itself."""
ASKED = frozenset({Provider.NATIONAL_PLATFORM, Provider.VNPAY})

_log = log.get(__name__)


class Auditor:
    """Asks about the days that are due."""

    def __init__(self, database: Database, gateways: Gateways, *, attempt_life: timedelta) -> None:
        self._database = database
        self._gateways = gateways
        self._life = attempt_life
        self._planned: date | None = None

    async def run(self) -> None:
        """Ask for ever: through outages of the database and of the providers."""
        while True:
            try:
                await self.plan(clock.now().astimezone(VN))
                while await self.audit_one():
                    pass
            except Exception as problem:
                _note(problem)
            await asyncio.sleep(REST_S)

    async def audit_one(self) -> bool:
        """Ask about one day that is due and compare it; return False when none was."""
        async with open_work(self._database, Caller(client_id="auditor")) as work:
            found = await queries.lock_due_reconciliation(work.session, work.now)
            if found is None:
                return False
            found.ask_at = work.now + LEASE
            payments = await queries.list_to_ask(work.session, found, _span(found), self._life)
        try:
            lines = await self._ask(found, payments)
        except Unclear as problem:
            _log.warning("audit.unclear", provider=found.provider, day=str(found.day), reason=str(problem))
            await self._put_off(found)
            return True
        of = Day(found.agency_code, Provider(found.provider), found.day)
        async with open_work(self._database, Caller("auditor", found.agency_code)) as work:
            await reconciliation.take_statement(work, of, lines, source="questions")
        return True

    async def _put_off(self, found: Reconciliation) -> None:
        async with open_work(self._database, Caller("auditor", found.agency_code)) as work:
            (await work.session.merge(found)).ask_at = work.now + AGAIN

    async def _ask(self, found: Reconciliation, payments: Sequence[Payment]) -> list[Line]:
        """Return what the provider has of a day. Raises Unclear, also when it is not set up."""
        gateway = self._gateways.by_provider.get(Provider(found.provider))
        if gateway is None:
            raise Unclear(f"{found.provider} is not set up")
        turns = asyncio.Semaphore(CALLS_MAX)

        async def ask(payment: Payment) -> list[Line]:
            async with turns:
                return _lines(payment, await gateway_ask(gateway, payment))

        answers = await asyncio.gather(*(ask(payment) for payment in payments))
        span = _span(found)
        # Of the day is what was paid on it; what the provider dates to another day belongs to that one.
        return [line for lines in answers for line in lines if _is_in(span, line)]

    async def plan(self, now: datetime) -> None:
        """Have yesterday asked about, once, for every province that ever took money by a provider that can be asked."""
        day = now.date() - timedelta(days=1)
        if now.time() < NIGHT or self._planned == day:
            return
        async with open_work(self._database, Caller(client_id="auditor")) as work:
            for provider in ASKED & set(self._gateways.by_provider):
                for province in await queries.list_provinces(work.session, provider):
                    await reconciliation.plan_question(work, Day(province, provider, day))
        self._planned = day


async def gateway_ask(gateway: Gateway, payment: Payment) -> Standing | None:
    """Return how an attempt stands; None when the provider knows nothing of it. Raises Unclear."""
    answer = await gateway.ask(payment)
    return answer if isinstance(answer, Standing) else None


def _lines(payment: Payment, standing: Standing | None) -> list[Line]:
    if standing is None or standing.state != State.PAID or standing.money is None:
        return []
    money = standing.money
    status = LineStatus.REVERSED if money.is_reversed else LineStatus.SUCCESS
    return [Line(money.transaction_number, money.amount_vnd, status, payment.reference, money.paid_at)]


def _is_in(span: Span, line: Line) -> bool:
    return line.paid_at is None or span.begin <= line.paid_at < span.end


def _span(found: Reconciliation) -> Span:
    begin = datetime.combine(found.day, time(), VN)
    return Span(begin, begin + timedelta(days=1))


def _note(problem: Exception) -> None:
    if is_outage(problem):
        _log.warning("auditor.database_away", reason=type(problem).__name__)
    else:
        _log.exception("auditor.failed", exc_info=problem)
