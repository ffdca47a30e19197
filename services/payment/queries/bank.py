"""What is read and locked of the agencies' accounts and cash desks."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.payment.errors import BankLineDecided, BankLineNotFound, DeskShiftClosed, DeskShiftNotFound
from services.payment.models import BankLine, Deposit, DeskShift, Payment, Refund
from services.payment.queries.fees import LIST_MAX, Window, visible
from services.payment.states import Provider, RefundMethod, RefundStatus
from shared.caller import Caller

UNDECIDED: ColumnElement[bool] = and_(BankLine.payment_id.is_(None), BankLine.returned_at.is_(None))


async def get_line(session: AsyncSession, line_id: UUID, caller: Caller, *, lock: bool = False) -> BankLine:
    """Return a line; raises BankLineNotFound when there is none or it is not the caller's to see."""
    line = await session.get(BankLine, line_id, with_for_update=lock)
    if line is None or not caller.may_see(line.agency_code):
        raise BankLineNotFound(line_id=line_id)
    return line


async def lock_undecided_line(session: AsyncSession, line_id: UUID, caller: Caller) -> BankLine:
    """Lock a line that waits for a person. Raises BankLineNotFound, BankLineDecided."""
    line = await get_line(session, line_id, caller, lock=True)
    if line.payment_id is not None or line.returned_at is not None:
        raise BankLineDecided(line_id=line_id, payment_id=line.payment_id)
    return line


async def list_lines(
    session: AsyncSession, caller: Caller, window: Window, *, unmatched: bool | None
) -> Sequence[BankLine]:
    """Return the lines that the caller may see: all, or only those that wait for a person, or that do not."""
    query = select(BankLine).where(visible(BankLine.agency_code, caller)).order_by(BankLine.id)
    if unmatched is not None:
        query = query.where(UNDECIDED if unmatched else ~UNDECIDED)
    if window.after is not None:
        query = query.where(BankLine.id > window.after)
    return (await session.scalars(query.limit(min(window.limit, LIST_MAX) + 1))).all()


async def get_shift(session: AsyncSession, shift_id: UUID, caller: Caller, *, lock: bool = False) -> DeskShift:
    """Return a shift; raises DeskShiftNotFound when there is none or it is not the caller's to see."""
    shift = await session.get(DeskShift, shift_id, with_for_update=lock)
    if shift is None or not caller.may_see(shift.agency_code):
        raise DeskShiftNotFound(desk_shift_id=shift_id)
    return shift


async def require_open_shift(session: AsyncSession, shift_id: UUID, caller: Caller) -> DeskShift:
    """Hold a shift open until the commit. Raises DeskShiftNotFound, DeskShiftClosed."""
    shift = await get_shift(session, shift_id, caller, lock=True)
    if shift.closed_at is not None:
        raise DeskShiftClosed(desk_shift_id=shift_id)
    return shift


async def list_shifts(
    session: AsyncSession, caller: Caller, window: Window, *, is_open: bool | None
) -> Sequence[DeskShift]:
    """Return the shifts that the caller may see: all, or only open or closed ones."""
    query = select(DeskShift).where(visible(DeskShift.agency_code, caller)).order_by(DeskShift.id)
    if is_open is not None:
        query = query.where(DeskShift.closed_at.is_(None) == is_open)
    if window.after is not None:
        query = query.where(DeskShift.id > window.after)
    return (await session.scalars(query.limit(min(window.limit, LIST_MAX) + 1))).all()


async def sum_of_shift(session: AsyncSession, shift_id: UUID) -> int:
    """Return what came into the drawer in a shift less what was taken out of it, in whole đồng."""
    of_shift = select(Payment.id).where(Payment.desk_shift_id == shift_id)
    taken = select(func.coalesce(func.sum(Deposit.amount_vnd), 0)).where(
        Deposit.payment_id.in_(of_shift), Deposit.provider == Provider.CASH
    )
    back = select(func.coalesce(func.sum(Refund.amount_vnd), 0)).where(
        Refund.desk_shift_id == shift_id,
        Refund.method == RefundMethod.CASH,
        Refund.status.in_([RefundStatus.SENT, RefundStatus.DONE]),
    )
    return int(await session.scalar(select(taken.scalar_subquery() - back.scalar_subquery())) or 0)
