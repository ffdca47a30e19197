"""What the ledger says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import false, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payment.errors import EntryNotFound
from services.payment.models import LedgerAccount, LedgerEntry
from services.payment.states import EntryCause
from shared.caller import Caller

_MONEY_CAME = (EntryCause.SETTLED, EntryCause.UNSETTLED, EntryCause.UNMATCHED)


# The nearest agency above (or the agency itself) decides, there the newest account that is valid on the day.
_TREASURY = text(
    """
    SELECT wanted.code, (
        SELECT account_number FROM treasury_account AS t
        WHERE (wanted.code = t.agency_code OR starts_with(wanted.code, t.agency_code || '.')) AND t.valid_from <= :day
        ORDER BY length(t.agency_code) DESC, t.valid_from DESC LIMIT 1) AS number
    FROM unnest(CAST(:agencies AS text[])) AS wanted(code)
    """
)


async def list_treasury_accounts(
    session: AsyncSession, agency_codes: Collection[str], day: date
) -> dict[str, str | None]:
    """Return the number of each agency's treasury account on a day."""
    found = await session.execute(_TREASURY, {"agencies": sorted(agency_codes), "day": day})
    return {row.code: row.number for row in found}


async def find_treasury_account(session: AsyncSession, agency_code: str, day: date) -> str | None:
    """Return the number of an agency's treasury account on a day."""
    return (await list_treasury_accounts(session, [agency_code], day))[agency_code]


async def find_clearing_account(session: AsyncSession, provider: str, transaction_number: str) -> LedgerAccount | None:
    """Return the account that a provider's transaction was posted to when it came."""
    came = (
        select(LedgerAccount)
        .join(LedgerEntry, LedgerEntry.debit == LedgerAccount.code)
        .where(
            LedgerEntry.provider == provider,
            LedgerEntry.transaction_number == transaction_number,
            LedgerEntry.cause.in_(_MONEY_CAME),
        )
        .order_by(LedgerEntry.id.desc())
        .limit(1)
    )
    return await session.scalar(came)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are wanted; what is None is not asked for."""

    dossier_code: str | None = None
    account: str | None = None
    cause: str | None = None
    transaction_number: str | None = None
    since: date | None = None
    until: date | None = None


async def list_entries(
    session: AsyncSession, caller: Caller, wanted: EntryFilter, *, limit: int, after: int | None
) -> Sequence[LedgerEntry]:
    """Return entries that the caller may see, oldest first; one more than limit tells that there is more."""
    own = [
        or_(LedgerEntry.agency_code == code, LedgerEntry.agency_code.startswith(f"{code}.", autoescape=True))
        for code in caller.agencies
    ]
    query = select(LedgerEntry).where(or_(false(), *own)).order_by(LedgerEntry.id).limit(limit + 1)
    for column in (LedgerEntry.dossier_code, LedgerEntry.cause, LedgerEntry.transaction_number):
        value = getattr(wanted, column.key)
        query = query if value is None else query.where(column == value)
    if wanted.account is not None:
        query = query.where(or_(LedgerEntry.debit == wanted.account, LedgerEntry.credit == wanted.account))
    query = query if wanted.since is None else query.where(LedgerEntry.on_date >= wanted.since)
    query = query if wanted.until is None else query.where(LedgerEntry.on_date <= wanted.until)
    query = query if after is None else query.where(LedgerEntry.id > after)
    return (await session.scalars(query)).all()


async def get_entry(session: AsyncSession, entry_id: int, caller: Caller) -> LedgerEntry:
    """Return an entry; raises EntryNotFound when there is none or it is not the caller's to see."""
    entry = await session.get(LedgerEntry, entry_id)
    if entry is None or not caller.may_see(entry.agency_code):
        raise EntryNotFound(entry_id=entry_id)
    return entry


async def find_reversal(session: AsyncSession, entry_id: int) -> LedgerEntry | None:
    """Return the entry that took another back."""
    return await session.scalar(select(LedgerEntry).where(LedgerEntry.reverses_id == entry_id))


async def get_account(session: AsyncSession, code: str) -> LedgerAccount:
    """Return an account that an entry names."""
    return await session.get_one(LedgerAccount, code)


async def find_payout(session: AsyncSession, provider: str, bank_reference: str) -> LedgerEntry | None:
    """Return the payout that was recorded with a bank's reference."""
    known = select(LedgerEntry).where(
        LedgerEntry.cause == EntryCause.PAID_OUT,
        LedgerEntry.provider == provider,
        LedgerEntry.transaction_number == bank_reference,
    )
    return await session.scalar(known)
