"""What is compared in a reconciliation, and what came of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.payment.errors import DifferenceNotFound, ReconciliationNotFound
from services.payment.models import (
    Deposit,
    Difference,
    LedgerAccount,
    Payment,
    Reconciliation,
    Statement,
    StatementLine,
)
from services.payment.queries.fees import LIST_MAX, Window
from services.payment.states import AccountKind
from shared.caller import Caller

# What the ledger says a provider holds of each transaction: those of the day, and those that the statement names,
# whatever their day. Money that was first unmatched and then found its attempt counts once, as what it became; what
# two people adjusted counts too, so that a difference that was resolved is none.
_OURS = text(
    """
    SELECT transaction_number, min(agency_code) AS agency_code, bool_or(on_date = :day) AS of_day,
           coalesce(sum(amount_vnd) FILTER (WHERE cause IN ('settled', 'unsettled')),
                    sum(amount_vnd) FILTER (WHERE cause = 'unmatched'), 0)
           + coalesce(sum(CASE WHEN starts_with(debit, 'clearing/') THEN amount_vnd ELSE -amount_vnd END)
                      FILTER (WHERE cause IN ('adjusted', 'reversed')), 0) AS amount_vnd
    FROM ledger_entry AS e
    WHERE provider = :provider
      AND (cause IN ('settled', 'unsettled', 'unmatched', 'adjusted')
           OR EXISTS (SELECT FROM ledger_entry AS taken WHERE taken.id = e.reverses_id AND taken.cause = 'adjusted'))
      AND (agency_code = :agency OR starts_with(agency_code, :agency || '.') OR agency_code = '')
      AND (on_date = :day OR transaction_number = ANY(CAST(:numbers AS text[])))
    GROUP BY transaction_number
    """
)
# A transaction of the day may stand in the statement of a neighbouring day: clocks differ around midnight.
_ELSEWHERE = text(
    """
    SELECT DISTINCT l.transaction_number
    FROM statement_line l JOIN reconciliation r ON r.statement_id = l.statement_id
    WHERE r.provider = :provider AND r.agency_code = :agency AND r.day <> :day AND l.status = 'success'
      AND l.transaction_number = ANY(CAST(:numbers AS text[]))
    """
)
# A fee, the receipts in force for it, what the ledger says settled it, what the provider says it received.
_THREE_WAY = text(
    """
    SELECT e.transaction_number, e.dossier_code, e.fee_id, sum(e.amount_vnd) AS settled_vnd,
           min(f.amount_vnd) AS fee_vnd,
           coalesce((SELECT sum(r.amount_vnd) FROM receipt r
                     WHERE r.fee_id = e.fee_id AND r.kind <> 'cancellation'
                       AND NOT EXISTS (SELECT FROM receipt c WHERE c.counters_id = r.id)), 0) AS receipts_vnd,
           coalesce((SELECT sum(l.amount_vnd) FROM statement_line l
                     WHERE l.statement_id = :statement AND l.transaction_number = e.transaction_number
                       AND l.status = 'success'), 0) AS statement_vnd
    FROM ledger_entry e JOIN fee f ON f.id = e.fee_id
    WHERE e.provider = :provider AND e.cause = 'settled' AND e.on_date = :day
      AND (e.agency_code = :agency OR starts_with(e.agency_code, :agency || '.'))
    GROUP BY e.transaction_number, e.dossier_code, e.fee_id
    ORDER BY e.transaction_number
    """
)


Listed = TypeVar("Listed", Reconciliation, Difference)


@dataclass(frozen=True, slots=True)
class Ours:
    """What the ledger says of a transaction."""

    agency_code: str
    amount_vnd: int
    of_day: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, its end left out."""

    begin: datetime
    end: datetime


def within(column: InstrumentedAttribute[str], caller: Caller) -> ColumnElement[bool]:
    """Return the condition that a column names an agency that the caller may see."""
    return or_(
        false(),
        *(or_(column == own, column.startswith(f"{own}.", autoescape=True)) for own in caller.agencies),
    )


async def list_ours(session: AsyncSession, found: Reconciliation, numbers: Collection[str]) -> dict[str, Ours]:
    """Return the ledger's transactions of a reconciliation's day, and those that its statement names."""
    asked = {"day": found.day, "provider": found.provider, "agency": found.agency_code, "numbers": list(numbers)}
    rows = await session.execute(_OURS, asked)
    return {row.transaction_number: Ours(row.agency_code, int(row.amount_vnd), row.of_day) for row in rows}


async def list_elsewhere(session: AsyncSession, found: Reconciliation, numbers: Collection[str]) -> set[str]:
    """Return which of some transactions stand in the statements of other days."""
    asked = {"day": found.day, "provider": found.provider, "agency": found.agency_code, "numbers": list(numbers)}
    return set((await session.scalars(_ELSEWHERE, asked)).all())


async def list_three_way(session: AsyncSession, found: Reconciliation) -> Sequence[RowMapping]:
    """Return each settled fee of the day beside its receipts in force and what the provider received for it."""
    asked = {
        "statement": found.statement_id,
        "provider": found.provider,
        "day": found.day,
        "agency": found.agency_code,
    }
    return (await session.execute(_THREE_WAY, asked)).mappings().all()


async def list_statement_lines(session: AsyncSession, statement_id: UUID) -> Sequence[StatementLine]:
    """Return a statement's lines in their order."""
    lines = select(StatementLine).where(StatementLine.statement_id == statement_id).order_by(StatementLine.position)
    return (await session.scalars(lines)).all()


async def find_statement(
    session: AsyncSession, agency_code: str, provider: str, day: date, sha256: str
) -> Statement | None:
    """Return a statement that was taken before with the same content."""
    same = select(Statement).where(
        Statement.agency_code == agency_code,
        Statement.provider == provider,
        Statement.day == day,
        Statement.sha256 == sha256,
    )
    return await session.scalar(same)


async def lock_reconciliation_of(
    session: AsyncSession, agency_code: str, provider: str, day: date
) -> Reconciliation | None:
    """Lock the reconciliation of a provider's day, if there is one."""
    of_day = select(Reconciliation).where(
        Reconciliation.agency_code == agency_code, Reconciliation.provider == provider, Reconciliation.day == day
    )
    return await session.scalar(of_day.with_for_update())


async def get_reconciliation(session: AsyncSession, reconciliation_id: UUID, caller: Caller) -> Reconciliation:
    """Return a reconciliation; raises ReconciliationNotFound when there is none or it is not the caller's to see."""
    found = await session.get(Reconciliation, reconciliation_id)
    if found is None or not caller.may_see(found.agency_code):
        raise ReconciliationNotFound(reconciliation_id=reconciliation_id)
    return found


async def lock_due_reconciliation(session: AsyncSession, now: datetime) -> Reconciliation | None:
    """Lock a reconciliation for which the provider is to be asked now; skip what another process has."""
    due = select(Reconciliation).where(Reconciliation.ask_at <= now).order_by(Reconciliation.ask_at).limit(1)
    return await session.scalar(due.with_for_update(skip_locked=True))


async def list_reconciliations(
    session: AsyncSession, caller: Caller, window: Window, *, provider: str | None, day: date | None
) -> Sequence[Reconciliation]:
    """Return the reconciliations that the caller may see, of one provider or day when given."""
    given = {Reconciliation.provider: provider, Reconciliation.day: day}
    conditions = [column == value for column, value in given.items() if value is not None]
    return await _page(session, Reconciliation, [within(Reconciliation.agency_code, caller), *conditions], window)


async def list_differences(
    session: AsyncSession, caller: Caller, window: Window, *, reconciliation_id: UUID | None, open_only: bool
) -> Sequence[Difference]:
    """Return differences that the caller may see, of one reconciliation when given; open ones are unresolved."""
    conditions = [within(Difference.agency_code, caller)]
    if reconciliation_id is not None:
        conditions.append(Difference.reconciliation_id == reconciliation_id)
    if open_only:
        conditions.append(Difference.resolved_at.is_(None) & Difference.cleared_at.is_(None))
    return await _page(session, Difference, conditions, window)


async def list_known_differences(session: AsyncSession, reconciliation_id: UUID) -> Sequence[Difference]:
    """Return what was found in a reconciliation and is not resolved, locked."""
    known = (
        select(Difference)
        .where(Difference.reconciliation_id == reconciliation_id, Difference.resolved_at.is_(None))
        .order_by(Difference.id)
    )
    return (await session.scalars(known.with_for_update())).all()


async def lock_difference(session: AsyncSession, difference_id: UUID, caller: Caller) -> Difference:
    """Lock a difference; raises DifferenceNotFound when there is none or it is not the caller's to see."""
    found = await session.get(Difference, difference_id, with_for_update=True)
    if found is None or not caller.may_see(found.agency_code):
        raise DifferenceNotFound(difference_id=difference_id)
    return found


async def list_to_ask(session: AsyncSession, found: Reconciliation, span: Span, life: timedelta) -> list[Payment]:
    """Return the attempts whose money could be of a day: open at some time of it, or paid on it as far as we know."""
    paid = select(Deposit.payment_id).where(
        Deposit.provider == found.provider, Deposit.paid_at >= span.begin, Deposit.paid_at < span.end
    )
    was_open = (Payment.opened_at >= span.begin - life) & (Payment.opened_at < span.end)
    own = found.agency_code
    asked = (
        select(Payment)
        .where(
            Payment.provider == found.provider,
            or_(was_open, Payment.id.in_(paid)),
            or_(Payment.agency_code == own, Payment.agency_code.startswith(f"{own}.", autoescape=True)),
        )
        .order_by(Payment.id)
    )
    return list((await session.scalars(asked)).all())


async def find_agency_of_reference(session: AsyncSession, provider: str, reference: str | None) -> str | None:
    """Return the agency of the attempt that a reference names."""
    named = select(Payment.agency_code).where(Payment.provider == provider, Payment.reference == reference)
    return await session.scalar(named)


async def _page(
    session: AsyncSession,
    model: type[Listed],
    conditions: Iterable[ColumnElement[bool]],
    window: Window,
) -> Sequence[Listed]:
    query = select(model).where(*conditions).order_by(model.id).limit(min(window.limit, LIST_MAX) + 1)
    if window.after is not None:
        query = query.where(model.id > window.after)
    return (await session.scalars(query)).all()


async def list_provinces(session: AsyncSession, provider: str) -> Sequence[str]:
    """Return the topmost agencies for which a provider ever held money."""
    top = func.split_part(LedgerAccount.agency_code, ".", 1)
    held = select(top).where(LedgerAccount.kind == AccountKind.CLEARING, LedgerAccount.provider == provider)
    return (await session.scalars(held.distinct().order_by(top))).all()
