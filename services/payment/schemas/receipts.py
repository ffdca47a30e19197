"""HTTP bodies of receipts and of who issues them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from services.payment.schemas.fees import _Request, _View
from services.payment.states import Covers, ReceiptKind
from shared.events.values import FeeItem
from shared.identifiers import check_tax_code

Reason = Annotated[str, Field(min_length=3, max_length=500, examples=["Ghi sai tên người nộp"])]
AgencyCode = Annotated[str, Field(pattern=r"^[HG][0-9]{2}(\.[0-9]{1,3}){0,3}$", examples=["H32.14"])]
TaxCode = Annotated[str, AfterValidator(check_tax_code), Field(max_length=14)]
IMPORT_MAX = 5_000


class ReceiptView(_View):
    """A numbered receipt (biên lai)."""

    id: UUID
    issuer_code: str
    form_number: str
    series: str
    number: int
    """1, 2, 3… without a gap in its issuer's series."""
    kind: ReceiptKind
    covers: Covers
    """Of what it is: phí, lệ phí, or both."""
    on_behalf_of: str
    """The agency whose fee it is; the issuer itself unless it was delegated."""
    fee_id: UUID
    payment_id: UUID
    dossier_code: str
    payer_name: str
    payer_address: str | None
    items: list[FeeItem]
    amount_vnd: int
    """Less than none for a cancellation."""
    counters_id: UUID | None
    """The receipt that this one takes out of force."""
    reason: str | None
    check_code: str
    """The public check answers for it, without a login: /verify-receipt/{check_code}."""
    issued_at: datetime


class CancellationRequest(_Request):
    """Why a receipt is taken out of force."""

    reason: Reason


class ReplacementRequest(_Request):
    """What a replacement says rightly, and why the receipt was wrong."""

    reason: Reason
    payer_name: str = Field(min_length=1, max_length=200)
    payer_address: str | None = Field(default=None, max_length=500)


class ReceiptState(StrEnum):
    """What the public check says of a receipt."""

    VALID = "valid"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    IS_CANCELLATION = "is_cancellation"
    UNKNOWN = "unknown"


class ReceiptCheck(_View):
    """What anybody may know who holds a receipt; nothing about its payer."""

    state: ReceiptState
    state_vi: str
    form_number: str | None = None
    series: str | None = None
    number: int | None = None
    issuer_code: str | None = None
    issuer_name: str | None = None
    amount_vnd: int | None = None
    issued_at: datetime | None = None
    out_of_force_since: datetime | None = None
    sha256: str | None = None
    """The fingerprint of its signed document, once it was made."""
    document: str | None = None
    """`same` or `different`: whether the fingerprint that was asked about is that of its document."""


class FormBody(_Request):
    """A form of receipt and the letters that begin the names of its series."""

    covers: Covers
    form_number: str = Field(pattern=r"^[0-9]{2}BLP[0-9]-[0-9]{3}$", examples=["01BLP0-001"])
    letters: str = Field(pattern=r"^[A-Z]{2}$", examples=["BI"])


class IssuerBody(_Request):
    """What an agency's receipts say and look like, from a day on."""

    code: AgencyCode
    valid_from: date
    name: str = Field(min_length=2, max_length=200)
    tax_code: TaxCode | None = None
    address: str | None = Field(default=None, max_length=300)
    parent_name: str | None = Field(default=None, max_length=200)
    place: str | None = Field(default=None, max_length=100)
    forms: list[FormBody] = Field(min_length=1, max_length=2)
    """One that covers both, or one for phí and one for lệ phí with different letters."""

    @model_validator(mode="after")
    def _forms_cover_everything_once(self) -> Self:
        covered = sorted(form.covers for form in self.forms)
        if covered not in (["both"], ["le_phi", "phi"]) or len({form.letters for form in self.forms}) < len(covered):
            raise ValueError("give one form that covers both, or one for phi and one for le_phi with other letters")
        return self


class DelegationBody(_Request):
    """Who issues receipts for what an agency collects, from a day on; an agency that names itself ends a delegation."""

    agency_code: AgencyCode
    valid_from: date
    issuer_code: AgencyCode
    legal_basis: str = Field(min_length=3, max_length=300, examples=["QĐ 123/QĐ-UBND ngày 01/02/2026"])


class TreasuryAccountBody(_Request):
    """Into which treasury account an agency and those below it collect, from a day on."""

    agency_code: AgencyCode
    valid_from: date
    account_number: str = Field(pattern=r"^[0-9A-Z.]{4,30}$", examples=["3712.0.1234567"])
    account_name: str = Field(min_length=2, max_length=200)
    treasury_name: str = Field(min_length=2, max_length=200, examples=["KBNN khu vực XV"])


class IssuingImport(_Request):
    """Issuers, delegations and treasury accounts of a province, as many as there are at once."""

    issuers: list[IssuerBody] = Field(default=[], max_length=IMPORT_MAX)
    delegations: list[DelegationBody] = Field(default=[], max_length=IMPORT_MAX)
    treasury_accounts: list[TreasuryAccountBody] = Field(default=[], max_length=IMPORT_MAX)


class IssuingImported(_View):
    """What an import changed."""

    added: int
    changed: int
    """Rows whose day has not come yet."""
    unchanged: int


class IssuingView(_View):
    """Who issues an agency's receipts on a day, and where its money goes."""

    agency_code: str
    on: date
    issuer_code: str
    issuer_name: str | None
    forms: list[FormBody]
    treasury_account: str | None
