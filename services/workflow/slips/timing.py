"""The control sheet's verdict on a step (phiếu kiểm soát: Trước hạn, Đúng hạn, Quá hạn)."""

from datetime import datetime

from shared.clock import VN


def verdict(due_at: datetime | None, completed_at: datetime | None, *, now: datetime) -> str:
    """Return `Trước hạn` for a day before the due date's, `Đúng hạn` for that day up to the due time, else `Quá hạn`.

    Empty for a step without a due date, and for one that is not completed and not overdue.
    """
    if due_at is None:
        return ""
    if completed_at is None:
        return "Quá hạn" if now > due_at else ""
    if completed_at > due_at:
        return "Quá hạn"
    before = completed_at.astimezone(VN).date() < due_at.astimezone(VN).date()
    return "Trước hạn" if before else "Đúng hạn"
