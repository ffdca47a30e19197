"""Asking the providers: how new attempts can be paid, how those stand that nobody reported, and for refunds.

A question is leased in one transaction, put outside any, and its answer recorded in another. A process that dies in
between loses nothing: the lease ends, and the attempt is asked about again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from services.payment.models import Payment, Refund
from services.payment.operations import attempts, bank, money, refunds
from services.payment.operations.attempts import Link
from services.payment.operations.routing import Routing
from services.payment.platform.port import Gateway, RefundState, Refused, Standing, State, Unclear
from services.payment.queries import AttemptKey
from services.payment.states import Outcome, PaymentStatus, Provider
from shared import clock, log
from shared.caller import Caller
from shared.db import Database, is_outage
from shared.work import Work, open_work

REFUSALS_MAX = 3
"""Said no so often, a provider means it: the platform says "busy" with the same code."""

_log = log.get(__name__)
Record = Callable[[Work], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How much and how often providers are asked."""

    calls_max: int
    poll: timedelta
    lease: timedelta
    """Longer than any question can take."""
    ask_after: timedelta


@dataclass(frozen=True, slots=True)
class Gateways:
    """The providers that are set up, and which agency offers which."""

    by_provider: dict[Provider, Gateway]
    routing: Routing


def caller_of(provider: Provider, agency_code: str | None = None) -> Caller:
    """Return the caller that stands for a provider, in an agency's matter."""
    return Caller(client_id=f"provider:{provider}", agency=agency_code)


class Asker:
    """Puts the questions that are due."""

    def __init__(self, database: Database, gateways: Gateways, pace: Pace) -> None:
        self._database = database
        self._gateways = gateways
        self._pace = pace
        self._woken = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()

    async def wake(self) -> None:
        """Look for due questions now."""
        self._woken.set()

    async def run(self) -> None:
        """Ask for ever: through outages of the database and of the providers."""
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
        if free <= 0:
            return
        leased, carried = await self._lease(free)
        for payment in leased:
            self._spawn(self._put(payment))
        for refund, payment in carried:
            self._spawn(self._carry(refund, payment))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        call = asyncio.create_task(work)
        self._calls.add(call)
        call.add_done_callback(self._ended)

    def _ended(self, call: "asyncio.Task[None]") -> None:
        self._calls.discard(call)
        self._woken.set()

    async def _lease(self, most: int) -> tuple[list[Payment], list[tuple[Refund, Payment]]]:
        lease = self._pace.lease
        try:
            async with open_work(self._database, Caller(client_id="asker")) as work:
                asked = await attempts.lease_questions(work, most=most, lease=lease)
                return asked, await refunds.lease_refunds(work, most=most, lease=lease)
        except Exception as problem:
            _note(problem)
            return [], []

    async def _put(self, payment: Payment) -> None:
        try:
            record = await self._answer(payment)
        except Unclear as problem:
            _log.warning("platform.unclear", reference=payment.reference, reason=str(problem))
            record = partial(attempts.ask_again, attempt=_key(payment))
        except Exception as problem:
            _note(problem)
            return
        await self._record(payment, record)

    async def _carry(self, refund: Refund, payment: Payment) -> None:
        try:
            answer = await self._gateways.by_provider[Provider(refund.provider)].refund(refund, payment)
            record: Record = partial(refunds.keep_asking, refund_id=refund.id)
            if answer.state == RefundState.DONE:
                record = partial(refunds.finish_refund, refund_id=refund.id)
            elif answer.state == RefundState.REFUSED:
                record = partial(refunds.fail_refund, refund_id=refund.id, reason=answer.reason)
        except Unclear as problem:
            _log.warning("refund.unclear", refund=str(refund.id), reason=str(problem))
            record = partial(refunds.keep_asking, refund_id=refund.id)
        except Exception as problem:
            _note(problem)
            return
        await self._record(payment, record)

    async def _record(self, payment: Payment, record: Record) -> None:
        caller = caller_of(Provider(payment.provider), payment.agency_code)
        try:
            async with open_work(self._database, caller) as work:
                await record(work)
        except Exception as problem:
            _note(problem)

    async def _answer(self, payment: Payment) -> Record:
        """Ask, and return how the answer is to be recorded; raises Unclear."""
        gateway = self._gateways.by_provider.get(Provider(payment.provider))
        if gateway is None:
            raise Unclear(f"{payment.provider} is not set up")
        unopened = payment.pay_url is None and payment.qr_payload is None and _is_in_time(payment)
        if unopened and payment.asks == 1:
            return await self._open(gateway, payment)
        found = await gateway.ask(payment)
        if isinstance(found, Standing) and found.state != State.PENDING:
            return self._ended_so(payment, found)
        if unopened:
            return await self._open(gateway, payment)
        if isinstance(found, Refused) and payment.asks < REFUSALS_MAX:
            return partial(attempts.ask_again, attempt=_key(payment))
        return partial(attempts.keep_waiting, attempt=_key(payment), ask_after=self._pace.ask_after)

    async def _open(self, gateway: Gateway, payment: Payment) -> Record:
        answer = await gateway.start(payment.fee, payment)
        if isinstance(answer, Link):
            return partial(attempts.learn_link, attempt=_key(payment), link=answer, ask_after=self._pace.ask_after)
        if payment.asks < REFUSALS_MAX:
            return partial(attempts.ask_again, attempt=_key(payment))
        return partial(attempts.fail_attempt, attempt=_key(payment), reason=f"refused_{answer.code}")

    def _ended_so(self, payment: Payment, found: Standing) -> Record:
        if found.lines:
            return partial(self._take_lines, payment, found)
        return partial(apply, attempt=_key(payment), standing=found, routing=self._gateways.routing)

    async def _take_lines(self, payment: Payment, found: Standing, work: Work) -> None:
        outcomes = await bank.take_lines(work, lines=found.lines, source=bank.INQUIRY, routing=self._gateways.routing)
        if set(outcomes) <= {Outcome.DUPLICATE}:
            await attempts.keep_waiting(work, attempt=_key(payment), ask_after=self._pace.ask_after)


async def apply(work: Work, *, attempt: AttemptKey, standing: Standing, routing: Routing) -> Outcome:
    """Let what a provider says of an attempt have its effect. Raises PaymentNotFound, TransactionReused."""
    if standing.lines:
        return (await bank.take_lines(work, lines=standing.lines, source=bank.PUSH, routing=routing))[-1]
    if standing.state == State.FAILED:
        return await attempts.fail_attempt(work, attempt=attempt, reason=standing.reason)
    if standing.money is not None:
        return await money.take_money(work, attempt=attempt, money=standing.money)
    return Outcome.PENDING


def _key(payment: Payment) -> AttemptKey:
    return AttemptKey(Provider(payment.provider), payment.reference)


def _is_in_time(payment: Payment) -> bool:
    return (
        payment.status == PaymentStatus.INITIATED
        and payment.expires_at is not None
        and payment.expires_at > clock.now()
    )


def _note(problem: Exception) -> None:
    if is_outage(problem):
        _log.warning("asker.database_away", reason=type(problem).__name__)
    else:
        _log.exception("asker.failed", exc_info=problem)
