"""Table of the cash desks' shifts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.payment.models.fees import PaymentBase


class DeskShift(PaymentBase):
    """One cashier's time at a cash desk, from the count at its opening to the count at its end."""

    __tablename__ = "desk_shift"
    __table_args__ = (
        Index("uq_desk_shift_one_open", "agency_code", "cashier", unique=True, postgresql_where="closed_at IS NULL"),
        CheckConstraint("opening_vnd >= 0", name="opening"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_code: Mapped[str] = mapped_column(index=True)
    cashier: Mapped[str]
    """The official's account name."""
    opened_at: Mapped[datetime]
    opening_vnd: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[datetime | None]
    counted_vnd: Mapped[int | None] = mapped_column(BigInteger)
    expected_vnd: Mapped[int | None] = mapped_column(BigInteger)
    """What must be in the drawer: the opening and every cash payment of the shift; None until it is closed."""
    note: Mapped[str | None]
    """Why the count differs."""
