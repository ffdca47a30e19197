"""A small world of money for the stateful test: offices, a provider with a truth of its own, accountants, crashes.

Everything runs on a real PostgreSQL. The provider's messages are signed as the national platform signs them and go
through the code that takes its CONFIRM; they wait in a bag, from which they are delivered in any order, any number of
times, together, or into a process whose database connection is killed before or after the commit.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import event, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from services.payment import queries
from services.payment.consumers import HANDLERS, preload
from services.payment.models import Fee, Payment, PaymentBase, Receipt, Refund
from services.payment.operations import attempts, fees, money, receipts, reconciliation, refunds, settlements
from services.payment.operations.reconciliation import Day, Line
from services.payment.operations.refunds import Destination
from services.payment.operations.routing import Routing
from services.payment.platform.asking import Gateways
from services.payment.platform.confirming import take_notice
from services.payment.platform.keys import Keys
from services.payment.platform.national import Partner, Platform
from services.payment.states import LineStatus, Provider, RefundMethod, RefundReason, Resolution
from shared.caller import Caller
from shared.clock import VN
from shared.db import PLUMBING, Database
from shared.errors import DomainError
from shared.events.values import FeeItem
from shared.inbox import Inbox
from shared.work import Work, open_work
from tests.payment.till import accepted, confirmation, new_code, raw, withdrawn
from tests.portal.process import PARTNER, SECRET

NOON = datetime(2026, 11, 23, 12, tzinfo=VN)
"""When every payer of this world pays."""
OFFICE = Caller("one-stop", "H32", frozenset({"dossiers:decide"}))
FIRST, SECOND = Caller("accounting", "H32"), Caller("accounting-second", "H32")
NATIONAL = Provider.NATIONAL_PLATFORM
ROUTING = Routing(frozenset({NATIONAL, Provider.CASH}))
ROWS = {"fee": Fee, "payment": Payment, "receipt": Receipt, "refund": Refund}

Act = Callable[[Work], Awaitable[object]]


class Crash(Exception):
    """The process died right after its commit: nobody learns that it was done."""


class MortalDatabase(Database):
    """A database whose next session's connection is killed right before its commit, or which dies right after."""

    dies: str | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Open a session, a mortal one when one is due."""
        dies, self.dies = self.dies, None
        async with super().session() as session:
            if dies == "before":
                event.listen(session.sync_session, "before_commit", _kill)
            elif dies == "after":
                event.listen(session.sync_session, "after_commit", _die)
            yield session


def _kill(session: Session) -> None:
    session.connection().exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def _die(_session: Session) -> None:
    raise Crash


@dataclass(slots=True)
class Truth:
    """One transaction as the provider has it."""

    number: str
    reference: str
    amount_vnd: int
    is_reversed: bool = False


@dataclass(slots=True)
class World:
    """Everybody who has to do with the money."""

    database: MortalDatabase
    provider: dict[str, Truth] = field(default_factory=dict)
    bag: list[dict[str, Any]] = field(default_factory=list)
    """The provider's messages on their way; delivered ones stay a while, to be delivered again."""

    def gateways(self) -> Gateways:
        """Return the platform as payment sees it; it is never called here, it only calls."""
        nowhere = httpx.AsyncClient(base_url="http://127.0.0.1:1")
        partner = Partner(code=PARTNER, keys=Keys(SECRET, ""), ip="127.0.0.1", account={})
        return Gateways({NATIONAL: Platform(partner, nowhere, timeout_s=1)}, ROUTING)

    async def do(self, caller: Caller, act: Act, *, dies: str | None = None) -> object:
        """Act in a transaction; a refusal changes nothing, and neither does a crash before the commit."""
        self.database.dies = dies
        try:
            async with open_work(self.database, caller) as work:
                return await act(work)
        except DomainError:
            return None
        except Exception:
            if dies is None:
                raise
            return None

    async def ids(self, table: str) -> list[UUID]:
        """Return the ids of all rows of a table, in the order in which they were made."""
        async with self.database.session() as session:
            return list((await session.scalars(select(ROWS[table].id).order_by(ROWS[table].id))).all())

    # Offices

    async def accept(self, items: list[FeeItem], agency: str) -> None:
        """Let a dossier be accepted that costs something."""
        told = raw(accepted(*items, agency=agency), new_code(agency))
        await Inbox(self.database, HANDLERS, preload=preload).take([told])

    async def withdraw(self, fee_id: UUID) -> None:
        """Withdraw a fee's dossier before its acceptance, which gives everything back."""
        async with self.database.session() as session:
            code = (await session.get_one(Fee, fee_id)).dossier_code
        await Inbox(self.database, HANDLERS, preload=preload).take([raw(withdrawn(after_acceptance=False), code)])

    async def open(self, fee_id: UUID) -> None:
        """Open an attempt on the platform."""
        await self.do(
            OFFICE,
            lambda work: attempts.open_attempt(
                work, fee_id=fee_id, provider=NATIONAL, return_url=None, life=timedelta(days=1), routing=ROUTING
            ),
        )

    async def pay_cash(self, fee_id: UUID, *, dies: str | None = None) -> None:
        """Pay at the counter."""
        await self.do(OFFICE, lambda work: money.pay_cash(work, fee_id=fee_id, routing=ROUTING), dies=dies)

    async def waive(self, fee_id: UUID) -> None:
        """Waive a fee."""
        await self.do(OFFICE, lambda work: fees.waive_fee(work, fee_id=fee_id, legal_basis="Điều 10"))

    async def refund(self, payment_id: UUID, amounts_vnd: list[int]) -> None:
        """Ask for several refunds of a payment at the same time."""

        def ask(amount_vnd: int) -> Act:
            return lambda work: refunds.refund_payment(
                work, payment_id=payment_id, amount_vnd=amount_vnd, reason=RefundReason.DECIDED, legal_basis="Điều 10"
            )

        await asyncio.gather(*(self.do(OFFICE, ask(amount_vnd)) for amount_vnd in amounts_vnd))

    async def move_refund(self, refund_id: UUID, step: str, *, dies: str | None = None) -> None:
        """Send a refund, or say what became of it."""
        destination = Destination(RefundMethod.BANK_TRANSFER, "FT1")
        steps: dict[str, Act] = {
            "send": lambda work: refunds.send_refund(work, refund_id=refund_id, to=destination),
            "done": lambda work: refunds.finish_refund(work, refund_id=refund_id),
            "fail": lambda work: refunds.fail_refund(work, refund_id=refund_id, reason="Sai tài khoản"),
        }
        await self.do(OFFICE, steps[step], dies=dies)

    async def counter(self, receipt_id: UUID, *, dies: str | None = None) -> None:
        """Cancel a receipt."""
        await self.do(
            FIRST, lambda work: receipts.cancel_receipt(work, receipt_id=receipt_id, reason="Ghi sai"), dies=dies
        )

    # The provider

    async def payer_pays(self, payment_id: UUID, amount_vnd: int | None, *, is_told: bool) -> None:
        """Let a payer pay an attempt, the right amount unless another is given; it may never be told."""
        async with self.database.session() as session:
            payment = await session.get_one(Payment, payment_id)
        if payment.provider != NATIONAL:
            return
        truth = Truth(f"GD{len(self.provider)}", payment.reference, amount_vnd or payment.amount_vnd)
        self.provider[truth.number] = truth
        if is_told:
            self.bag.append(self._message(truth))

    async def pay_online(self, fee_id: UUID, amount_vnd: int | None, *, is_told: bool) -> None:
        """Open an attempt, unless the fee has one or is not due, and let the payer pay the newest one there is."""
        await self.open(fee_id)
        async with self.database.session() as session:
            newest = select(Payment.id).where(Payment.fee_id == fee_id, Payment.provider == NATIONAL)
            payment_id = await session.scalar(newest.order_by(Payment.id.desc()).limit(1))
        if payment_id is not None:
            await self.payer_pays(payment_id, amount_vnd, is_told=is_told)

    async def payer_fails(self, payment_id: UUID) -> None:
        """Let an attempt fail."""
        async with self.database.session() as session:
            payment = await session.get_one(Payment, payment_id)
        self.bag.append(confirmation(payment.reference, MaLoi="24"))

    def reverse(self, number: int) -> None:
        """Let the provider take a success back, which it tells in its statement alone."""
        if self.provider:
            self.provider[list(self.provider)[number % len(self.provider)]].is_reversed = True

    def _message(self, truth: Truth) -> dict[str, Any]:
        return confirmation(
            truth.reference,
            SoTien=str(truth.amount_vnd),
            MaGiaoDich=truth.number,
            ThoiGianGD=f"{NOON:%Y%m%d%H%M%S}",
        )

    async def deliver(self, number: int, *, copies: int = 1, keep: bool = False, dies: str | None = None) -> None:
        """Deliver a message of the bag, several copies of it at once; whatever is not answered stays in the bag."""
        if not self.bag:
            return
        message = self.bag[number % len(self.bag)]
        reading = self.gateways().by_provider[NATIONAL].read(message)
        self.database.dies = dies
        outcomes = await asyncio.gather(
            *(take_notice(self.database, self.gateways(), reading) for _ in range(copies)), return_exceptions=True
        )
        odd = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if odd and dies is None:
            raise odd[0]
        if not keep and not odd:
            self.bag.remove(message)

    def statement(self) -> list[Line]:
        """Return what the provider says of the day."""
        return [
            Line(
                truth.number,
                truth.amount_vnd,
                LineStatus.REVERSED if truth.is_reversed else LineStatus.SUCCESS,
                truth.reference,
                NOON,
            )
            for truth in self.provider.values()
        ]

    # Accountants

    async def reconcile(self, *, record: bool = True) -> None:
        """Compare the day with the provider's statement; one accountant explains every difference, another resolves."""
        of = Day("H32", NATIONAL, NOON.date())
        lines = self.statement()
        await self.do(FIRST, lambda work: reconciliation.take_statement(work, of, lines, source="file"))
        async with self.database.session() as session:
            found = await queries.list_differences(
                session, FIRST, queries.Window(200), reconciliation_id=None, open_only=True
            )
        for difference in found:
            await self._resolve(difference.id, record=record and difference.kind == "theirs_only")

    async def _resolve(self, difference_id: UUID, *, record: bool) -> None:
        how = Resolution.RECORD if record else Resolution.ADJUST
        await self.do(
            FIRST,
            lambda work: reconciliation.explain_difference(
                work, difference_id=difference_id, explanation="not_told", note="Đối soát"
            ),
        )
        await self.do(
            SECOND,
            lambda work: reconciliation.resolve_difference(work, difference_id=difference_id, resolution=how),
        )

    async def take_back(self, pick: int) -> None:
        """Take an adjustment back."""
        async with self.database.session() as session:
            query = text("SELECT id FROM ledger_entry WHERE cause = 'adjusted' ORDER BY id")
            found = list(await session.scalars(query))
        if found:
            entry_id = found[pick % len(found)]
            await self.do(FIRST, lambda work: settlements.reverse_entry(work, entry_id=entry_id, reason="Ghi nhầm"))

    async def booked_vnd(self) -> int:
        """Return what the provider holds according to the ledger."""
        query = text(
            """
            SELECT coalesce(sum(CASE WHEN e.debit = a.code THEN e.amount_vnd ELSE -e.amount_vnd END), 0)::bigint
            FROM ledger_account a JOIN ledger_entry e ON a.code IN (e.debit, e.credit)
            WHERE a.kind = 'clearing' AND a.provider = :provider
            """
        )
        async with self.database.session() as session:
            return int(await session.scalar(query, {"provider": NATIONAL.value}) or 0)

    def held_vnd(self) -> int:
        """Return what the provider holds, in truth."""
        return sum(truth.amount_vnd for truth in self.provider.values() if not truth.is_reversed)

    async def clear(self) -> None:
        """Begin anew."""
        self.provider, self.bag = {}, []
        async with self.database.session() as session:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
            for table in [*reversed(PaymentBase.metadata.sorted_tables), *PLUMBING.sorted_tables]:
                await session.execute(table.delete())
            await session.commit()
