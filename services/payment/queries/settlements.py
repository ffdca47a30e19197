"""Figures: what accounts hold, and what was collected, given back and settled. All of them are sums of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.caller import Caller

_SEEN = """
    WITH seen AS (
        SELECT a.* FROM ledger_account a
        WHERE EXISTS (SELECT FROM unnest(CAST(:agencies AS text[])) AS own(code)
                      WHERE a.agency_code = own.code OR starts_with(a.agency_code, own.code || '.')))
"""
_BALANCES = text(
    _SEEN
    + """
    SELECT seen.code, seen.kind, seen.agency_code, seen.provider, seen.treasury_account, seen.fee_kind,
           coalesce(sum(moved.debit_vnd), 0)::bigint AS debit_vnd,
           coalesce(sum(moved.credit_vnd), 0)::bigint AS credit_vnd
    FROM seen LEFT JOIN (
        SELECT debit AS code, amount_vnd AS debit_vnd, 0 AS credit_vnd FROM ledger_entry WHERE on_date <= :until
        UNION ALL
        SELECT credit, 0, amount_vnd FROM ledger_entry WHERE on_date <= :until) AS moved ON moved.code = seen.code
    GROUP BY seen.code, seen.kind, seen.agency_code, seen.provider, seen.treasury_account, seen.fee_kind
    ORDER BY seen.code
    """
)
# Both sides of the whole ledger, whoever asks: they are equal, or somebody has written past this program.
_TOTALS = text(
    """
    SELECT coalesce(sum(amount_vnd) FILTER (WHERE d.code IS NOT NULL), 0)::bigint AS debit_vnd,
           coalesce(sum(amount_vnd) FILTER (WHERE c.code IS NOT NULL), 0)::bigint AS credit_vnd,
           count(*) AS entries
    FROM ledger_entry e
    LEFT JOIN ledger_account d ON d.code = e.debit LEFT JOIN ledger_account c ON c.code = e.credit
    """
)
# One row for what one provider holds for one agency's treasury account. Money in raises clearing, money out lowers it.
_SETTLEMENTS = text(
    _SEEN
    + """
    , moved AS (
        SELECT debit AS code, amount_vnd AS signed_vnd, cause, fee_kind, on_date, transaction_number FROM ledger_entry
        UNION ALL
        SELECT credit, -amount_vnd, cause, fee_kind, on_date, transaction_number FROM ledger_entry)
    SELECT seen.agency_code, seen.treasury_account, seen.provider,
           count(DISTINCT transaction_number) FILTER (WHERE inside AND cause = 'settled') AS transactions,
           coalesce(sum(signed_vnd) FILTER (
               WHERE inside AND cause = 'settled' AND moved.fee_kind = 'phi'), 0)::bigint AS phi_vnd,
           coalesce(sum(signed_vnd) FILTER (
               WHERE inside AND cause = 'settled' AND moved.fee_kind = 'le_phi'), 0)::bigint AS le_phi_vnd,
           coalesce(sum(signed_vnd) FILTER (
               WHERE inside AND cause IN ('unsettled', 'unmatched', 'identified')), 0)::bigint AS unsettled_vnd,
           coalesce(sum(signed_vnd) FILTER (WHERE inside AND cause = 'adjusted'), 0)::bigint AS adjusted_vnd,
           -coalesce(sum(signed_vnd) FILTER (WHERE inside AND cause IN ('refund_done', 'refund_failed')), 0)::bigint
               AS refunded_vnd,
           -coalesce(sum(signed_vnd) FILTER (WHERE inside AND cause = 'paid_out'), 0)::bigint AS paid_out_vnd,
           coalesce(sum(signed_vnd) FILTER (WHERE inside AND cause = 'reversed'), 0)::bigint AS reversed_vnd,
           coalesce(sum(signed_vnd), 0)::bigint AS held_vnd
    FROM seen JOIN (SELECT *, on_date >= :since AS inside FROM moved WHERE on_date <= :until) AS moved
        ON moved.code = seen.code
    WHERE seen.kind = 'clearing'
    GROUP BY seen.agency_code, seen.treasury_account, seen.provider
    ORDER BY seen.agency_code, seen.treasury_account, seen.provider
    """
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:account, 8))")
_HELD = text(
    """
    SELECT coalesce(sum(CASE WHEN debit = :account THEN amount_vnd ELSE -amount_vnd END), 0)::bigint
    FROM ledger_entry WHERE debit = :account OR credit = :account
    """
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Both sides of the whole ledger."""

    debit_vnd: int
    credit_vnd: int
    entries: int


async def list_balances(session: AsyncSession, caller: Caller, until: date) -> Sequence[RowMapping]:
    """Return what was moved into and out of each account that the caller may see, up to a day."""
    asked = {"agencies": list(caller.agencies), "until": until}
    return (await session.execute(_BALANCES, asked)).mappings().all()


async def get_totals(session: AsyncSession) -> Totals:
    """Return both sides of the whole ledger."""
    row = (await session.execute(_TOTALS)).one()
    return Totals(row.debit_vnd, row.credit_vnd, row.entries)


async def list_settlements(session: AsyncSession, caller: Caller, since: date, until: date) -> list[dict[str, Any]]:
    """Return what each provider collected, gave back and paid out for each treasury account, in a span of days."""
    asked = {"agencies": list(caller.agencies), "since": since, "until": until}
    return [row._asdict() for row in await session.execute(_SETTLEMENTS, asked)]


async def lock_held_vnd(session: AsyncSession, account_code: str) -> int:
    """Return what a clearing account holds; payouts from it wait for each other."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:account, 8))"), {"account": account_code}
    )
    return int(await session.scalar(_HELD, {"account": account_code}) or 0)
