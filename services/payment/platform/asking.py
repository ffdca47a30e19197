"""Asking the platform: for the link of a new attempt, and how attempts stand that nobody reported.

A question is leased in one transaction, put outside any, and its answer recorded in another. A process that dies in
between loses nothing: the lease ends, and the attempt is asked about again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from services.payment.models import Payment
from services.payment.operations import attempts, money
from services.payment.platform import messages
from services.payment.platform.client import Platform, PlatformUnclear, Refused
from services.payment.platform.messages import Report
from services.payment.states import PaymentStatus
from shared import clock, log
from shared.caller import Caller
from shared.db import Database, is_outage
from shared.work import Work, open_work

PLATFORM_CALLER = Caller(client_id="provider:national_platform")
REFUSALS_MAX = 3
"""Said no so often, the platform means it: it says "busy" with the same code."""

_log = log.get(__name__)
Record = Callable[[Work], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How much and how often the platform is asked."""

    calls_max: int
    poll: timedelta
    lease: timedelta
    """Longer than any question can take."""
    ask_after: timedelta


class Asker:
    """Puts the questions that are due."""

    def __init__(self, database: Database, platform: Platform, pace: Pace) -> None:
        self._database = database
        self._platform = platform
        self._pace = pace
        self._woken = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()

    async def wake(self) -> None:
        """Look for due questions now."""
        self._woken.set()

    async def run(self) -> None:
        """Ask for ever: through outages of the database and of the platform."""
        try:
            while True:
                self._woken.clear()
                await self._start_due()
                await self._rest()
        finally:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._pace.poll.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _start_due(self) -> None:
        free = self._pace.calls_max - len(self._calls)
        for payment in await self._lease(free) if free > 0 else ():
            call = asyncio.create_task(self._put(payment))
            self._calls.add(call)
            call.add_done_callback(self._ended)

    def _ended(self, call: "asyncio.Task[None]") -> None:
        self._calls.discard(call)
        self._woken.set()

    async def _lease(self, most: int) -> list[Payment]:
        try:
            async with open_work(self._database, PLATFORM_CALLER) as work:
                return await attempts.lease_questions(work, most=most, lease=self._pace.lease)
        except Exception as problem:
            _note(problem)
            return []

    async def _put(self, payment: Payment) -> None:
        try:
            record = await self._answer(payment)
        except PlatformUnclear as problem:
            _log.warning("platform.unclear", reference=payment.reference, reason=str(problem))
            record = partial(attempts.ask_again, reference=payment.reference)
        except Exception as problem:
            _note(problem)
            return
        try:
            async with open_work(self._database, PLATFORM_CALLER) as work:
                await record(work)
        except Exception as problem:
            _note(problem)

    async def _answer(self, payment: Payment) -> Record:
        """Ask, and return how the answer is to be recorded; raises PlatformUnclear."""
        unopened = payment.pay_url is None and _is_in_time(payment)
        if unopened and payment.asks == 1:
            return await self._open(payment)
        found = await self._platform.query(payment.reference)
        if isinstance(found, Report) and found.state != messages.PENDING:
            return _ended_so(found)
        if unopened:
            return await self._open(payment)
        if isinstance(found, Refused) and payment.asks < REFUSALS_MAX:
            return partial(attempts.ask_again, reference=payment.reference)
        return partial(attempts.keep_waiting, reference=payment.reference, ask_after=self._pace.ask_after)

    async def _open(self, payment: Payment) -> Record:
        answer = await self._platform.init(payment.fee, payment)
        reference = payment.reference
        if isinstance(answer, str):
            return partial(attempts.learn_link, reference=reference, pay_url=answer, ask_after=self._pace.ask_after)
        if payment.asks < REFUSALS_MAX:
            return partial(attempts.ask_again, reference=reference)
        return partial(attempts.fail_attempt, reference=reference, reason=f"refused_{answer.code}")


def _is_in_time(payment: Payment) -> bool:
    return (
        payment.status == PaymentStatus.INITIATED
        and payment.expires_at is not None
        and payment.expires_at > clock.now()
    )


def _ended_so(report: Report) -> Record:
    """Return how to record an answer to QUERY that says how an attempt ended; raises PlatformUnclear."""
    if report.state == messages.FAILED:
        return partial(attempts.fail_attempt, reference=report.reference, reason="declined")
    found = report.money()
    if report.state != messages.PAID or found is None:
        raise PlatformUnclear("the answer to QUERY says neither paid nor failed nor pending")
    return partial(money.take_money, reference=report.reference, money=found)


def _note(problem: Exception) -> None:
    if is_outage(problem):
        _log.warning("asker.database_away", reason=type(problem).__name__)
    else:
        _log.exception("asker.failed", exc_info=problem)
