"""HTTP bodies of bank lines and cash desks. Amounts are whole đồng, times RFC 3339."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.bodies import Body

Money = Annotated[int, Field(ge=0, lt=10**15)]
Note = Annotated[str, Field(min_length=3, max_length=500)]


class _Request(Body):
    """What a call sends."""


class _View(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class ImportView(_View):
    """What became of the credits of a statement."""

    lines: int
    known: int
    """Told before, by the bank's push or an earlier file."""
    settled: int
    refunded: int
    """Money that is not ours to keep: its refund was requested."""
    unmatched: int
    """Credits whose words name no attempt: see /bank-lines?unmatched=true."""


class LineView(_View):
    """One credit on an account of an agency."""

    id: UUID
    account_number: str
    transaction_number: str
    booked_at: datetime
    amount_vnd: int
    content: str
    source: str
    """`push`, `inquiry` or `file`."""
    recorded_at: datetime
    payment_id: UUID | None
    """Which attempt it pays; null as long as nobody knows."""
    returned_at: datetime | None
    transfer_reference: str | None
    decided_by: str | None
    note: str | None


class AssignRequest(_Request):
    """Which fee a credit pays, and how that was found out."""

    fee_id: UUID
    note: Note = Field(examples=["Công dân trình giấy báo nợ số 12"])


class ReturnRequest(_Request):
    """The transfer that sent a credit back, and why nobody could use it."""

    transfer_reference: str = Field(min_length=1, max_length=100, examples=["FT26097000123"])
    note: Note


class ShiftRequest(_Request):
    """Whose shift begins, where, and with how much in the drawer."""

    agency_code: str = Field(min_length=3, max_length=32, examples=["H32.14"])
    cashier: str = Field(min_length=1, max_length=64, examples=["thu.ngan"])
    opening_vnd: Money


class CloseRequest(_Request):
    """What was counted in the drawer; a difference needs a word about it."""

    counted_vnd: Money
    note: Note | None = None


class ShiftView(_View):
    """A cashier's shift at a desk."""

    id: UUID
    agency_code: str
    cashier: str
    opened_at: datetime
    opening_vnd: int
    closed_at: datetime | None
    counted_vnd: int | None
    expected_vnd: int | None
    """The opening and every cash payment of the shift, less what was given back of the drawer."""
    note: str | None

    @computed_field
    @property
    def difference_vnd(self) -> int | None:
        """What was counted beyond what must be there; null until the shift is closed."""
        if self.counted_vnd is None or self.expected_vnd is None:
            return None
        return self.counted_vnd - self.expected_vnd
