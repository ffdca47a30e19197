"""Cash desks: a cashier's shift from the count at its opening to the count at its end."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from services.payment import queries
from services.payment.errors import DeskShiftClosed, DeskShiftOpen, DifferenceUnexplained
from services.payment.models import DeskShift
from shared.errors import NotFound
from shared.ids import new_id
from shared.work import Work


async def open_shift(work: Work, *, agency_code: str, cashier: str, opening_vnd: int) -> DeskShift:
    """Open a cashier's shift at an agency's desk. Raises NotFound (not the caller's agency), DeskShiftOpen."""
    if not work.caller.may_see(agency_code):
        raise NotFound("There is no such agency.", agency_code=agency_code)
    opened = await work.session.scalar(
        insert(DeskShift)
        .values(id=new_id(), agency_code=agency_code, cashier=cashier, opened_at=work.now, opening_vnd=opening_vnd)
        .on_conflict_do_nothing()
        .returning(DeskShift)
    )
    if opened is None:
        raise DeskShiftOpen(f"Close the open shift of {cashier} first.", cashier=cashier)
    return opened


async def close_shift(work: Work, *, shift_id: UUID, counted_vnd: int, note: str | None) -> DeskShift:
    """Close a shift with what was counted; a difference needs a word about it.

    Raises DeskShiftNotFound, DeskShiftClosed, DifferenceUnexplained.
    """
    shift = await queries.get_shift(work.session, shift_id, work.caller, lock=True)
    if shift.closed_at is not None:
        raise DeskShiftClosed(desk_shift_id=shift_id)
    expected_vnd = shift.opening_vnd + await queries.sum_of_shift(work.session, shift_id)
    if counted_vnd != expected_vnd and not note:
        raise DifferenceUnexplained(
            f"{expected_vnd} đồng must be there, {counted_vnd} were counted.",
            expected_vnd=expected_vnd,
            difference_vnd=counted_vnd - expected_vnd,
        )
    shift.closed_at, shift.counted_vnd, shift.expected_vnd, shift.note = work.now, counted_vnd, expected_vnd, note
    return shift
