"""HTTP bodies of payment. Amounts are whole đồng, times RFC 3339."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Generic, Literal, Protocol, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, WithJsonSchema, model_validator
from sqlalchemy.orm import Mapped

from services.payment.errors import CursorInvalid
from services.payment.states import FeeStatus, PaymentStatus, Provider, RefundMethod, RefundReason, RefundStatus
from shared.bodies import Body
from shared.events.values import CollectedAt, FeeItem

PAGE_DEFAULT, PAGE_MAX = 50, 200


URL_MAX = 1000


class _Request(Body):
    """What a call sends."""


class _View(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


def _shorter(url: HttpUrl) -> HttpUrl:
    if len(str(url)) > URL_MAX:
        raise ValueError(f"written out, the address has more than {URL_MAX} characters")
    return url


ReturnUrl = Annotated[
    HttpUrl, AfterValidator(_shorter), WithJsonSchema({"type": "string", "format": "uri", "maxLength": URL_MAX})
]


class PaymentRequest(_Request):
    """Which fee is to be paid, and how."""

    fee_id: UUID
    provider: Provider
    """`cash` records money taken at the counter; the others open an attempt."""
    return_url: ReturnUrl | None = None
    """Where the payer is to come back to; VNPAY sends it there, for others it is kept for the client."""
    desk_shift_id: UUID | None = None
    """With `cash`: the cashier's open shift."""

    @model_validator(mode="after")
    def _takes_cash_in_a_shift(self) -> Self:
        if self.desk_shift_id is not None and self.provider != Provider.CASH:
            raise ValueError("desk_shift_id goes with the provider cash only")
        return self


class WaiverRequest(_Request):
    """Why nothing is to be paid."""

    legal_basis: str = Field(min_length=3, max_length=500, examples=["Khoản 2 Điều 10 Luật Phí và lệ phí"])


class RefundRequest(_Request):
    """Which payment is to be given back, how much of it, and why."""

    payment_id: UUID
    amount_vnd: Annotated[int, Field(gt=0, lt=10**15)] | None = None
    """Whole đồng; without it all that is left."""
    reason: Literal["decided", "exempted"] = "decided"
    legal_basis: str = Field(min_length=3, max_length=500, examples=["Khoản 3 Điều 12 Luật Phí và lệ phí"])


class TransferRequest(_Request):
    """How money goes back."""

    method: RefundMethod = RefundMethod.BANK_TRANSFER
    transfer_reference: str = Field("", max_length=100, examples=["FT26097000123"])
    """The bank's number of the transfer, or that of the slip at the counter; the provider makes its own."""
    account_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,19}$")] | None = None
    account_bank: Annotated[str, Field(pattern=r"^[0-9]{6}$", examples=["970415"])] | None = None
    """The bank's six digits."""
    account_name: Annotated[str, Field(max_length=100)] | None = None
    desk_shift_id: UUID | None = None
    """With `cash`: the shift whose drawer it is taken from."""

    @model_validator(mode="after")
    def _names_the_transfer(self) -> Self:
        if self.method != RefundMethod.PROVIDER and not self.transfer_reference:
            raise ValueError("transfer_reference is needed unless the provider carries the money")
        return self


class FailureRequest(_Request):
    """Why the transfer came back."""

    reason: str = Field(min_length=3, max_length=500, examples=["Tài khoản người hưởng đã đóng"])


class FeeView(_View):
    """What a dossier owes at one occasion."""

    id: UUID
    dossier_code: str
    agency_code: str
    procedure_code: str
    collected: CollectedAt
    items: list[FeeItem]
    amount_vnd: int
    status: FeeStatus
    payer_name: str
    assessed_at: datetime
    ended_at: datetime | None
    """When it was paid, waived or cancelled."""
    ended_because: str | None
    """The legal basis of a waiver, the reason of a cancellation."""
    exempted_vnd: int
    """What a rule of exemption lifted: of a fee that is due it is no longer in `amount_vnd`."""


class ExemptRequest(_Request):
    """Which rule lifts the fee, and what shows that it applies."""

    exemption_code: str = Field(min_length=1, max_length=64, examples=["MG-NCC"])
    evidence: str = Field(min_length=3, max_length=200, examples=["Thẻ thương binh số A 123456"])


class ProvidersView(_View):
    """Which ways of paying an agency offers."""

    agency_code: str
    providers: list[Provider]


class PaymentView(_View):
    """One attempt to pay a fee."""

    id: UUID
    fee_id: UUID
    dossier_code: str
    agency_code: str
    provider: Provider
    reference: str
    """What the provider calls it."""
    amount_vnd: int
    status: PaymentStatus
    pay_url: str | None
    """Where the payer pays; null after the end, until the platform has answered (some hundredths of a second), and for
    transfers."""
    qr_payload: str | None
    """What the QR code of a transfer says (EMVCo, NAPAS); its picture is at /payments/{id}/qr."""
    return_url: str | None
    transaction_number: str | None
    settles_fee: bool
    """False with `succeeded`: the money is being given back, see /refunds."""
    failure: str | None
    opened_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None


class RefundView(_View):
    """Money on its way back to who paid it."""

    id: UUID
    payment_id: UUID
    fee_id: UUID
    dossier_code: str
    agency_code: str
    provider: Provider
    transaction_number: str
    """The transaction that is given back."""
    amount_vnd: int
    reason: RefundReason
    legal_basis: str | None
    """Why a person asked for it; null when it was asked for by itself."""
    status: RefundStatus
    method: RefundMethod | None
    """How it was sent; null before."""
    account_number: str | None
    account_bank: str | None
    account_name: str | None
    transfer_reference: str | None
    failure: str | None
    requested_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


Item = TypeVar("Item", bound=BaseModel)


class Page(_View, Generic[Item]):
    """A part of a list, oldest first."""

    items: list[Item]
    next_cursor: str | None
    """Give it as `cursor` to get what follows; null at the end."""


class _Identified(Protocol):
    id: Mapped[UUID]


def page(found: Sequence[_Identified], limit: int) -> dict[str, object]:
    """Return a page of what was found with one more than the limit asked for."""
    more = len(found) > limit
    return {"items": found[:limit], "next_cursor": _write_cursor(found[limit - 1].id) if more else None}


def read_cursor(cursor: str | None) -> UUID | None:
    """Return the id after which a page begins; raises CursorInvalid."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(f"{cursor}==", altchars=b"-_", validate=True))
    except ValueError as problem:
        raise CursorInvalid("Give the next_cursor of the page before, or none.") from problem


def _write_cursor(last: UUID) -> str:
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")
