"""The ledger: every đồng that is owed, comes, is kept or goes back, posted in the transaction that moves the status.

    assessed          receivable ← revenue            what a fee asks for, phí and lệ phí apart
    waived, cancelled revenue ← receivable            what is no longer asked for
    settled           clearing ← receivable           money of a provider that settles its fee
    unsettled         clearing ← suspense             money that settles nothing: owed back
    unmatched         clearing ← suspense             money of which nobody knows what it is for
    identified        suspense ← clearing             takes an unmatched sum back, before it settles or not
    refund_owed       revenue ← suspense              a settled fee is to be given back
    refund_sent       suspense ← transit              given back, not yet arrived
    refund_failed     transit ← suspense              it came back: still owed
    refund_done       transit ← clearing, treasury    it arrived: the money has left
    paid_out          treasury ← clearing             a provider's money arrived in the treasury account
    adjusted          either way clearing, suspense   a difference with a provider, resolved by two people

(debit ← credit). Postings are collected in the session and written together at the end of its transaction: one
statement for the accounts that are new, one for all entries, whatever the size of the batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.payment import queries
from services.payment.models import Fee, LedgerAccount, LedgerEntry, Payment, Refund
from services.payment.states import AccountKind, EntryCause, Provider, RefundMethod
from shared.clock import VN
from shared.work import Work

UNASSIGNED = "unassigned"
"""The treasury account of agencies for which none is set, nor for those above them."""
_POSTINGS = "ledger postings"
_HOLDS_MONEY = frozenset({AccountKind.CLEARING, AccountKind.TREASURY})


@dataclass(frozen=True, slots=True)
class Account:
    """An account by what it is; one that holds money and names no treasury account gets its agency's of the day."""

    kind: AccountKind
    agency_code: str
    provider: str = ""
    treasury_account: str = ""
    fee_kind: str = ""

    @property
    def code(self) -> str:
        """Return its code."""
        parts = (self.kind, self.provider, self.agency_code, self.treasury_account, self.fee_kind)
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class About:
    """What an entry is about, by the columns of the ledger."""

    agency_code: str
    fee_kind: str = ""
    dossier_code: str | None = None
    fee_id: UUID | None = None
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    provider: str | None = None
    transaction_number: str | None = None
    note: str | None = None
    reverses_id: int | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """A sum that is to be moved; whole đồng, more than none."""

    cause: EntryCause
    debit: Account
    credit: Account
    amount_vnd: int
    about: About
    on_date: date
    posted_at: datetime
    posted_by: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """Money that a provider has: one of its transactions, for an agency where one is known."""

    provider: str
    transaction_number: str
    agency_code: str
    amount_vnd: int
    paid_at: datetime


def post_assessed(work: Work, fee: Fee) -> None:
    """Post what a fee asks for."""
    for kind, amount_vnd in split(fee).items():
        _post(work, EntryCause.ASSESSED, _receivable(fee), _revenue(fee, kind), amount_vnd, _about(fee, kind))


def post_waived(work: Work, fee: Fee) -> None:
    """Post that a fee which is due is no longer asked for, on a legal basis."""
    _post_released(work, EntryCause.WAIVED, fee)


def post_cancelled(work: Work, fee: Fee) -> None:
    """Post that a fee which is due fell away."""
    _post_released(work, EntryCause.CANCELLED, fee)


def post_reduced(work: Work, fee: Fee, lifted: dict[str, int]) -> None:
    """Post that a part of a fee, by `phi` and `le_phi`, is no longer asked for."""
    for kind, amount_vnd in lifted.items():
        _post(work, EntryCause.WAIVED, _revenue(fee, kind), _receivable(fee), amount_vnd, _about(fee, kind))


def post_settled(work: Work, fee: Fee, payment: Payment, *, transaction_number: str, paid_at: datetime) -> None:
    """Post that a transaction settled a fee, whole."""
    clearing = Account(AccountKind.CLEARING, fee.agency_code, payment.provider)
    for kind, amount_vnd in split(fee).items():
        about = replace(
            _about(fee, kind),
            payment_id=payment.id,
            provider=payment.provider,
            transaction_number=transaction_number,
        )
        _post(work, EntryCause.SETTLED, clearing, _receivable(fee), amount_vnd, about, paid_at)


def post_unsettled(
    work: Work, payment: Payment, *, transaction_number: str, amount_vnd: int, paid_at: datetime
) -> None:
    """Post money for an attempt that settles nothing: it is owed back until its refund has arrived."""
    about = About(
        payment.agency_code,
        dossier_code=payment.dossier_code,
        fee_id=payment.fee_id,
        payment_id=payment.id,
        provider=payment.provider,
        transaction_number=transaction_number,
    )
    clearing = Account(AccountKind.CLEARING, payment.agency_code, payment.provider)
    suspense = Account(AccountKind.SUSPENSE, payment.agency_code, payment.provider)
    _post(work, EntryCause.UNSETTLED, clearing, suspense, amount_vnd, about, paid_at)


def post_unmatched(work: Work, money: Transaction) -> None:
    """Post money of which nobody knows what it is for."""
    clearing, suspense = _held(money)
    _post(work, EntryCause.UNMATCHED, clearing, suspense, money.amount_vnd, _about_money(money), money.paid_at)


def post_identified(work: Work, money: Transaction) -> None:
    """Take an unmatched sum back: it was found out what it is for (post that next), or it was returned by the bank."""
    clearing, suspense = _held(money)
    _post(work, EntryCause.IDENTIFIED, suspense, clearing, money.amount_vnd, _about_money(money), money.paid_at)


def post_refund_owed(work: Work, fee: Fee, refund: Refund, *, owed_before_vnd: int = 0) -> None:
    """Post that money which settled a fee is to be given back; money that settled nothing is owed already.

    owed_before_vnd is what earlier refunds of the same fee ask for: phí and lệ phí go back in proportion, to the đồng.
    """
    suspense = Account(AccountKind.SUSPENSE, fee.agency_code, refund.provider)
    before = share(split(fee), owed_before_vnd)
    after = share(split(fee), owed_before_vnd + refund.amount_vnd)
    for kind, amount_vnd in after.items():
        about = _about_refund(refund, kind)
        _post(work, EntryCause.REFUND_OWED, _revenue(fee, kind), suspense, amount_vnd - before.get(kind, 0), about)


def post_refund_sent(work: Work, refund: Refund) -> None:
    """Post that a refund is on its way."""
    _post_refund(work, EntryCause.REFUND_SENT, refund, _suspense_of(refund), _transit_of(refund))


async def post_refund_failed(work: Work, refund: Refund, *, after_done: bool = False) -> None:
    """Post that a refund came back, from its way or (after_done) from where it had arrived: it is owed again."""
    back_in = await _source_of(work, refund) if after_done else _transit_of(refund)
    _post_refund(work, EntryCause.REFUND_FAILED, refund, back_in, _suspense_of(refund))


async def post_refund_done(work: Work, refund: Refund) -> None:
    """Post that a refund arrived: the money has left the account that its method draws on."""
    _post_refund(work, EntryCause.REFUND_DONE, refund, _transit_of(refund), await _source_of(work, refund))


async def _source_of(work: Work, refund: Refund) -> Account:
    """Return the account that a refund is paid from.

    What a provider carries back it keeps from what it holds; cash comes from the cash desk; a transfer leaves the bank
    account that QR transfers come in on, for all other money the treasury account.
    """
    held = await queries.find_clearing_account(work.session, refund.provider, refund.transaction_number)
    treasury = held.treasury_account if held else ""
    if refund.method == RefundMethod.CASH:
        return Account(AccountKind.CLEARING, refund.agency_code, Provider.CASH.value)
    if refund.method == RefundMethod.PROVIDER or refund.provider == Provider.VIETQR:
        return Account(AccountKind.CLEARING, refund.agency_code, refund.provider, treasury)
    return Account(AccountKind.TREASURY, refund.agency_code, treasury_account=treasury)


def post_adjusted(
    work: Work,
    *,
    agency_code: str,
    provider: str,
    transaction_number: str,
    more_vnd: int,
    on_date: date,
    note: str,
) -> None:
    """Post by how much more (or, below none, less) a provider holds than was known; suspense takes the other side."""
    clearing = Account(AccountKind.CLEARING, agency_code, provider)
    suspense = Account(AccountKind.SUSPENSE, agency_code, provider)
    debit, credit = (clearing, suspense) if more_vnd > 0 else (suspense, clearing)
    about = About(agency_code, provider=provider, transaction_number=transaction_number, note=note)
    if more_vnd:
        post(
            work,
            Posting(EntryCause.ADJUSTED, debit, credit, abs(more_vnd), about, on_date, work.now, work.caller.client_id),
        )


def split(fee: Fee) -> dict[str, int]:
    """Return what a fee asks for as phí and as lệ phí, in whole đồng."""
    sums: dict[str, int] = {}
    for item in fee.items:
        sums[item["kind"]] = sums.get(item["kind"], 0) + item["amount_vnd"]
    return sums


def share(parts: dict[str, int], amount_vnd: int) -> dict[str, int]:
    """Return an amount in the proportion of some parts; whole đồng, the sum exact, no part beyond itself."""
    whole, left, shares = sum(parts.values()), amount_vnd, {}
    for kind in sorted(parts):
        shares[kind] = left * parts[kind] // whole if whole else 0
        left, whole = left - shares[kind], whole - parts[kind]
    return shares


def _post_released(work: Work, cause: EntryCause, fee: Fee) -> None:
    for kind, amount_vnd in split(fee).items():
        _post(work, cause, _revenue(fee, kind), _receivable(fee), amount_vnd, _about(fee, kind))


def _post_refund(work: Work, cause: EntryCause, refund: Refund, debit: Account, credit: Account) -> None:
    _post(work, cause, debit, credit, refund.amount_vnd, _about_refund(refund))


def _post(
    work: Work,
    cause: EntryCause,
    debit: Account,
    credit: Account,
    amount_vnd: int,
    about: About,
    at: datetime | None = None,
) -> None:
    on_date = (at or work.now).astimezone(VN).date()
    if amount_vnd:
        post(work, Posting(cause, debit, credit, amount_vnd, about, on_date, work.now, work.caller.client_id))


def post(work: Work, posting: Posting) -> None:
    """Add an entry; it is written with all others of its transaction, right before the commit."""
    work.session.info.setdefault(_POSTINGS, []).append(posting)
    if _write not in work.last_steps:
        work.last_steps.append(_write)


def _receivable(fee: Fee) -> Account:
    return Account(AccountKind.RECEIVABLE, fee.agency_code)


def _revenue(fee: Fee, kind: str) -> Account:
    return Account(AccountKind.REVENUE, fee.agency_code, fee_kind=kind)


def _suspense_of(refund: Refund) -> Account:
    return Account(AccountKind.SUSPENSE, refund.agency_code, refund.provider)


def _transit_of(refund: Refund) -> Account:
    return Account(AccountKind.TRANSIT, refund.agency_code, refund.provider)


def _held(money: Transaction) -> tuple[Account, Account]:
    return (
        Account(AccountKind.CLEARING, money.agency_code, money.provider),
        Account(AccountKind.SUSPENSE, money.agency_code, money.provider),
    )


def _about(fee: Fee, kind: str) -> About:
    return About(fee.agency_code, kind, fee.dossier_code, fee.id)


def _about_refund(refund: Refund, kind: str = "") -> About:
    return About(
        refund.agency_code,
        kind,
        refund.dossier_code,
        refund.fee_id,
        refund.payment_id,
        refund.id,
        refund.provider,
        refund.transaction_number,
    )


def _about_money(money: Transaction) -> About:
    return About(money.agency_code, provider=money.provider, transaction_number=money.transaction_number)


async def _write(session: AsyncSession) -> None:
    """Write the accounts that are new and all entries of a transaction."""
    postings: list[Posting] = session.info.pop(_POSTINGS, [])
    if not postings:
        return
    treasuries = await _treasuries(session, postings)
    rows = [_row(posting, treasuries) for posting in postings]
    accounts = {account.code: account for _, debit, credit in rows for account in (debit, credit)}
    # In order of code, so that two transactions never wait for each other's new accounts.
    known = [_account_row(accounts[code]) for code in sorted(accounts)]
    await session.execute(upsert(LedgerAccount).on_conflict_do_nothing(), known)
    await session.execute(insert(LedgerEntry), [row for row, _, _ in rows])


async def _treasuries(session: AsyncSession, postings: Iterable[Posting]) -> dict[str, str]:
    """Return the treasury account of each agency for whose money none is named."""
    wanted = [account for posting in postings for account in (posting.debit, posting.credit) if _is_open(account)]
    if not wanted:
        return {}
    day = max(posting.posted_at for posting in postings).astimezone(VN).date()
    found = await queries.list_treasury_accounts(session, {account.agency_code for account in wanted}, day)
    return {code: number or UNASSIGNED for code, number in found.items()}


def _is_open(account: Account) -> bool:
    return account.kind in _HOLDS_MONEY and not account.treasury_account


def _row(posting: Posting, treasuries: dict[str, str]) -> tuple[dict[str, Any], Account, Account]:
    debit, credit = (
        replace(account, treasury_account=treasuries[account.agency_code]) if _is_open(account) else account
        for account in (posting.debit, posting.credit)
    )
    about = posting.about
    row = {
        "posted_at": posting.posted_at,
        "on_date": posting.on_date,
        "cause": posting.cause.value,
        "debit": debit.code,
        "credit": credit.code,
        "amount_vnd": posting.amount_vnd,
        "posted_by": posting.posted_by,
        **{name: getattr(about, name) for name in About.__dataclass_fields__},
    }
    return row, debit, credit


def _account_row(account: Account) -> dict[str, str]:
    return {
        "code": account.code,
        "kind": account.kind.value,
        "agency_code": account.agency_code,
        "provider": account.provider,
        "treasury_account": account.treasury_account,
        "fee_kind": account.fee_kind,
    }
