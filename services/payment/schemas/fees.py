"""HTTP bodies of payment. Amounts are whole đồng, times RFC 3339."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl
from sqlalchemy.orm import Mapped

from services.payment.errors import CursorInvalid
from services.payment.states import FeeStatus, PaymentStatus, Provider, RefundReason, RefundStatus
from shared.events.values import CollectedAt, FeeItem

PAGE_DEFAULT, PAGE_MAX = 50, 200


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class _View(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class PaymentRequest(_Request):
    """Which fee is to be paid, and how."""

    fee_id: UUID
    provider: Provider
    """`national_platform` opens an attempt; `cash` records money taken at the counter."""
    return_url: Annotated[HttpUrl, Field(max_length=1000)] | None = None
    """Where the payer is to come back to; kept for the client, the platform is not told."""


class WaiverRequest(_Request):
    """Why nothing is to be paid."""

    legal_basis: str = Field(min_length=3, max_length=500, examples=["Khoản 2 Điều 10 Luật Phí và lệ phí"])


class TransferRequest(_Request):
    """The bank transfer that carries money back."""

    transfer_reference: str = Field(min_length=1, max_length=100, examples=["FT26097000123"])


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
    """Where the payer pays; null after the end, and until the platform has answered (some hundredths of a second)."""
    return_url: str | None
    transaction_number: str | None
    settles_fee: bool
    """False with `succeeded`: the money is being given back, see /refunds."""
    failure: str | None
    opened_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None


class ReceiptView(_View):
    """A numbered receipt (biên lai)."""

    id: UUID
    issuer_code: str
    series: str
    number: int
    """1, 2, 3… without a gap in its issuer's series."""
    fee_id: UUID
    payment_id: UUID
    dossier_code: str
    payer_name: str
    items: list[FeeItem]
    amount_vnd: int
    issued_at: datetime


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
    status: RefundStatus
    transfer_reference: str | None
    failure: str | None
    requested_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


Item = TypeVar("Item", bound=_View)


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
