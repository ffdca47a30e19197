"""Settlements: a provider's money arrives in the treasury account; and the taking back of what a person posted."""

from dataclasses import dataclass
from datetime import date

from services.payment import queries
from services.payment.errors import EntryNotFound, EntryReversed, IssuingNotYours, PayoutExceeds, PayoutKnown
from services.payment.models import LedgerEntry
from services.payment.operations import ledger
from services.payment.operations.ledger import About, Account, Posting
from services.payment.states import AccountKind, EntryCause, Provider
from shared.clock import VN
from shared.work import Work

BY_PEOPLE = frozenset({EntryCause.PAID_OUT, EntryCause.ADJUSTED})
"""What a status moved is corrected by moving the status, not by an entry."""


@dataclass(frozen=True, slots=True)
class Payout:
    """A transfer from a provider into a treasury account; whole đồng."""

    provider: Provider
    agency_code: str
    treasury_account: str
    amount_vnd: int
    bank_reference: str
    arrived_on: date


async def record_payout(work: Work, payout: Payout) -> None:
    """Post that a provider's money arrived in the treasury account.

    Raises IssuingNotYours, PayoutKnown (its bank reference), PayoutExceeds (more than the provider holds).
    """
    if not work.caller.may_see(payout.agency_code):
        raise IssuingNotYours(agency_code=payout.agency_code)
    provider = payout.provider.value
    clearing = Account(AccountKind.CLEARING, payout.agency_code, provider, payout.treasury_account)
    held_vnd = await queries.lock_held_vnd(work.session, clearing.code)
    if await queries.find_payout(work.session, provider, payout.bank_reference):
        raise PayoutKnown(bank_reference=payout.bank_reference)
    if payout.amount_vnd > held_vnd:
        raise PayoutExceeds(f"{provider} holds {held_vnd} đồng for it.", held_vnd=held_vnd)
    about = About(payout.agency_code, provider=provider, transaction_number=payout.bank_reference)
    treasury = Account(AccountKind.TREASURY, payout.agency_code, treasury_account=payout.treasury_account)
    cause = EntryCause.PAID_OUT
    ledger.post(
        work,
        Posting(
            cause, treasury, clearing, payout.amount_vnd, about, payout.arrived_on, work.now, work.caller.client_id
        ),
    )


async def reverse_entry(work: Work, *, entry_id: int, reason: str) -> LedgerEntry:
    """Take back a payout or an adjustment by an entry the other way round; return the one that is taken back.

    Raises EntryNotFound (also for what a status moved), EntryReversed.
    """
    entry = await queries.get_entry(work.session, entry_id, work.caller)
    if entry.cause not in BY_PEOPLE:
        raise EntryNotFound(
            "Only payouts and adjustments are reversed; all else follows its status.", entry_id=entry_id
        )
    debit, credit = [await _account(work, code) for code in (entry.debit, entry.credit)]
    await queries.lock_held_vnd(work.session, entry.debit)
    if await queries.find_reversal(work.session, entry.id):
        raise EntryReversed(entry_id=entry.id)
    about = About(
        entry.agency_code,
        provider=entry.provider,
        transaction_number=entry.transaction_number,
        note=reason,
        reverses_id=entry.id,
    )
    today = work.now.astimezone(VN).date()
    posting = Posting(
        EntryCause.REVERSED, credit, debit, entry.amount_vnd, about, today, work.now, work.caller.client_id
    )
    ledger.post(work, posting)
    return entry


async def _account(work: Work, code: str) -> Account:
    row = await queries.get_account(work.session, code)
    return Account(AccountKind(row.kind), row.agency_code, row.provider, row.treasury_account, row.fee_kind)
