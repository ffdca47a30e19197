"""HTTP bodies of the ledger, of reconciliation and of settlement."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from services.payment.schemas.fees import _Request, _View
from services.payment.states import (
    AccountKind,
    DifferenceKind,
    EntryCause,
    Explanation,
    Provider,
    Resolution,
)


class EntryView(_View):
    """One sum moved from one account to another: `debit` gains what `credit` gives."""

    id: int
    posted_at: datetime
    on_date: date
    """The day to which it counts: of money that came, the day it was paid."""
    cause: EntryCause
    debit: str
    credit: str
    amount_vnd: int
    agency_code: str
    fee_kind: str
    """`phi`, `le_phi`, or empty."""
    dossier_code: str | None
    fee_id: UUID | None
    payment_id: UUID | None
    refund_id: UUID | None
    provider: str | None
    transaction_number: str | None
    reverses_id: int | None
    """The entry that this one takes back."""
    note: str | None
    posted_by: str


class EntryPage(_View):
    """Entries, oldest first."""

    items: list[EntryView]
    next_cursor: str | None
    """Give it as `cursor` to get what follows; null at the end."""


class ReversalRequest(_Request):
    """Why an entry is taken back."""

    reason: str = Field(min_length=3, max_length=500)


class BalanceView(_View):
    """What was moved into and out of an account."""

    code: str
    kind: AccountKind
    agency_code: str
    provider: str
    treasury_account: str
    fee_kind: str
    debit_vnd: int
    credit_vnd: int
    balance_vnd: int
    """Debit less credit: what is owed to us or held is more than none, what we earned or owe is less."""


class BalancesView(_View):
    """All accounts that the caller may see, and both sides of the whole ledger."""

    until: date
    as_of: datetime
    accounts: list[BalanceView]
    ledger_debit_vnd: int
    ledger_credit_vnd: int
    ledger_entries: int
    balanced: bool
    """Whether both sides of the whole ledger are equal."""


class QuestionRequest(_Request):
    """The day of a provider that is to be asked about, attempt by attempt."""

    provider: Provider
    day: date


class ReconciliationView(_View):
    """One day of one provider beside the ledger."""

    id: UUID
    agency_code: str
    provider: Provider
    day: date
    statement_id: UUID | None
    ask_at: datetime | None
    """When the provider is asked; null when it is not, or has answered."""
    compared_at: datetime | None
    compared_by: str | None
    ours_count: int
    ours_vnd: int
    theirs_count: int
    theirs_vnd: int
    matched_count: int
    matched_vnd: int


class DifferenceView(_View):
    """One transaction about which a provider and the ledger do not agree."""

    id: UUID
    reconciliation_id: UUID
    agency_code: str
    kind: DifferenceKind
    transaction_number: str
    reference: str | None
    ours_vnd: int
    theirs_vnd: int
    paid_at: datetime | None
    found_at: datetime
    cleared_at: datetime | None
    """When a later comparison no longer found it."""
    explanation: Explanation | None
    note: str | None
    explained_by: str | None
    explained_at: datetime | None
    resolution: Resolution | None
    resolved_by: str | None
    resolved_at: datetime | None


class ExplanationRequest(_Request):
    """Where a difference comes from."""

    explanation: Explanation
    note: str = Field(min_length=3, max_length=500)


class ResolutionRequest(_Request):
    """What is done about a difference that somebody else explained."""

    resolution: Resolution
    """`adjust`: the ledger follows the provider. `record`: the money is taken as if it had been told in time."""


class MatchView(_View):
    """One settled fee, its receipts in force, and what the provider received for it."""

    transaction_number: str
    dossier_code: str
    fee_id: UUID
    fee_vnd: int
    receipts_vnd: int
    settled_vnd: int
    statement_vnd: int
    matched: bool
    """Whether all four are the same."""


class MatchesView(_View):
    """The three-way match of a day."""

    as_of: datetime
    matched: int
    """The numerator of the matched share."""
    settled: int
    """Its denominator: all fees that were settled on the day by this provider."""
    definition: str
    items: list[MatchView]


class PayoutRequest(_Request):
    """A transfer from a provider into a treasury account."""

    provider: Provider
    agency_code: str = Field(max_length=30)
    treasury_account: str = Field(min_length=1, max_length=30)
    amount_vnd: int = Field(gt=0)
    bank_reference: str = Field(min_length=1, max_length=100, examples=["FT26097000123"])
    arrived_on: date


class PayoutView(_View):
    """A payout that was recorded."""

    provider: Provider
    agency_code: str
    treasury_account: str
    amount_vnd: int
    bank_reference: str
    arrived_on: date


class SettlementRow(_View):
    """What one provider collected for one agency's treasury account in a span of days."""

    agency_code: str
    treasury_account: str
    provider: Provider
    transactions: int
    phi_vnd: int
    le_phi_vnd: int
    unsettled_vnd: int
    adjusted_vnd: int
    refunded_vnd: int
    paid_out_vnd: int
    reversed_vnd: int
    held_vnd: int


class SettlementReport(_View):
    """The settlement report; every figure is a sum of the ledger."""

    since: date
    until: date
    as_of: datetime
    definitions: dict[str, str]
    """What each column is the sum of."""
    rows: list[SettlementRow]
    totals: dict[str, int]
