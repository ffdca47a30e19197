"""Table of the rules that lift fees."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.payment.models.fees import PaymentBase


class Exemption(PaymentBase):
    """A dated rule of law by which a fee, or a part of it, is not collected."""

    __tablename__ = "exemption"
    __table_args__ = (
        Index(None, "code", "valid_from", unique=True),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    legal_basis: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Of `phi` and `le_phi`, which it lifts."""
    procedures: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """To which procedures it applies; empty: to all."""
    agency_code: Mapped[str]
    """It applies in this agency and below."""
    percent: Mapped[int]
    """How much of each phí or lệ phí is not collected."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The last day."""
    created_at: Mapped[datetime]
    created_by: Mapped[str]
