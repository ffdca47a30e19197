"""What became of the money for a fee."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.payment.models import Deposit, Fee, Payment, Refund
from services.payment.states import PaymentStatus, RefundStatus


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of one fee in whole đồng, and whether somebody is about to pay it."""

    received_vnd: int
    refunding_vnd: int
    refunded_vnd: int
    open_since: datetime | None

    @property
    def kept_vnd(self) -> int:
        """Return what came and is not on its way back."""
        return self.received_vnd - self.refunding_vnd - self.refunded_vnd


async def money_of_fee(session: AsyncSession, fee: Fee) -> Figures:
    """Return what came for a fee, what goes and went back, and since when an attempt is open, in one statement."""
    of_fee = select(Payment.id).where(Payment.fee_id == fee.id)
    received = select(func.coalesce(func.sum(Deposit.amount_vnd), 0)).where(Deposit.payment_id.in_(of_fee))
    is_done = Refund.status == RefundStatus.DONE
    going = select(func.coalesce(func.sum(case((is_done, 0), else_=Refund.amount_vnd)), 0)).where(
        Refund.fee_id == fee.id
    )
    gone = select(func.coalesce(func.sum(Refund.amount_vnd), 0)).where(Refund.fee_id == fee.id, is_done)
    is_open = Payment.status == PaymentStatus.INITIATED
    opened = select(func.min(Payment.opened_at)).where(Payment.fee_id == fee.id, is_open)
    row = await session.execute(
        select(received.scalar_subquery(), going.scalar_subquery(), gone.scalar_subquery(), opened.scalar_subquery())
    )
    received_vnd, going_vnd, gone_vnd, open_since = row.one()
    return Figures(int(received_vnd), int(going_vnd), int(gone_vnd), open_since)
