"""The clock of a case: where a pause moves a due date, and why a due date is what it is. Nothing here reads or writes.

Sources: NĐ 118/2025 (the clock runs from valid acceptance and stands still while the applicant is awaited).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.workflow.models import ClockEntry
from services.workflow.states import ClockKind
from shared.clock import VN
from shared.events.values import Duration, DurationUnit, Pause
from shared.worktime import WorkingCalendar

ON_CALENDAR = frozenset({DurationUnit.HOUR, DurationUnit.DAY, DurationUnit.MONTH})
"""Units whose terms run day and night; the others run in working time alone."""

_UNITS = {
    DurationUnit.HOUR: ("hours", "giờ"),
    DurationUnit.WORKING_HOUR: ("working hours", "giờ làm việc"),
    DurationUnit.DAY: ("days", "ngày"),
    DurationUnit.WORKING_DAY: ("working days", "ngày làm việc"),
    DurationUnit.MONTH: ("months", "tháng"),
}
_AWAITED = {
    "supplement": ("a supplement was awaited", "chờ bổ sung hồ sơ"),
    "payment": ("a fee was awaited", "chờ thực hiện nghĩa vụ tài chính"),
    "stop": ("the case was stopped", "dừng giải quyết"),
}


@dataclass(frozen=True, slots=True)
class Why:
    """One reason for the due date: when, in words, and the due date from then on."""

    at: datetime
    text: str
    text_vi: str
    due_at: datetime | None


def due_after_pause(
    due_at: datetime, paused_at: datetime, resumed_at: datetime, *, calendar: WorkingCalendar, unit: DurationUnit | None
) -> datetime:
    """Return a due date moved by a pause: by its working time, or by all its time for a term that runs on the calendar.

    Exact to the microsecond; a due date that was missed before the pause stays missed by as much.
    """
    if unit in ON_CALENDAR:
        return due_at + (resumed_at - paused_at)
    return calendar.add(due_at, calendar.between(paused_at, resumed_at)).astimezone(UTC)


def recompute(entries: Sequence[ClockEntry], calendar: WorkingCalendar, unit: DurationUnit | None) -> datetime | None:
    """Return the due date that follows from a ledger in order: the one given at the start, moved by every pause.

    Raises ValueError for a ledger that does not begin with its start or whose pauses and resumes do not alternate.
    """
    start, *rest = entries
    if start.kind != ClockKind.START or [entry.kind for entry in rest] != _alternating(len(rest)):
        raise ValueError("A ledger is a start, then pauses and resumes in turn.")
    due_at = start.due_at
    for paused, resumed in zip(rest[::2], rest[1::2], strict=False):
        if due_at is not None:
            due_at = due_after_pause(due_at, paused.at, resumed.at, calendar=calendar, unit=unit)
    return due_at


def _alternating(count: int) -> list[str]:
    return [ClockKind.RESUME if nth % 2 else ClockKind.PAUSE for nth in range(count)]


def pauses(entries: Sequence[ClockEntry]) -> tuple[Pause, ...]:
    """Return the spans of a ledger in which the clock stood still; the last one may still last."""
    ends = [*(entry.at for entry in entries[2::2]), None]
    return tuple(
        Pause(reason=entry.reason, paused_at=entry.at, resumed_at=end)
        for entry, end in zip(entries[1::2], ends, strict=False)
    )


def explain(entries: Sequence[ClockEntry], calendar: WorkingCalendar, term: Duration | None) -> list[Why]:
    """Return in words, step by step, why the due date is what it is ("vì sao hẹn ngày này")."""
    start, *rest = entries
    whys = [_why_start(start, term)]
    unit = term.unit if term else None
    whys += [
        _why_moved(paused, resumed, calendar, unit) for paused, resumed in zip(rest[::2], rest[1::2], strict=False)
    ]
    if len(rest) % 2:
        whys.append(_why_standing(rest[-1]))
    return whys


def _why_start(start: ClockEntry, term: Duration | None) -> Why:
    at = _moment(start.at)
    if term is None or start.due_at is None:
        return Why(
            start.at,
            f"The dossier was validly accepted at {at}; the procedure has no term.",
            f"Tiếp nhận hợp lệ lúc {at}; thủ tục không quy định thời hạn.",
            None,
        )
    units, units_vi = _UNITS[term.unit]
    return Why(
        start.at,
        f"The clock started with the valid acceptance at {at}; the term of {term.amount:g} {units} "
        f"by calendar {start.calendar_version} ends at {_moment(start.due_at)}.",
        f"Tiếp nhận hợp lệ lúc {at}; thời hạn {term.amount:g} {units_vi} "
        f"theo lịch {start.calendar_version}: hẹn trả {_moment(start.due_at)}.",
        start.due_at,
    )


def _why_moved(paused: ClockEntry, resumed: ClockEntry, calendar: WorkingCalendar, unit: DurationUnit | None) -> Why:
    reason, reason_vi = _AWAITED[paused.reason]
    span = f"{_moment(paused.at)} – {_moment(resumed.at)}"
    if unit in ON_CALENDAR:
        length, kind, kind_vi = resumed.at - paused.at, "", ""
    else:
        length = timedelta(minutes=calendar.between(paused.at, resumed.at))
        kind, kind_vi = " of working time", " làm việc"
    end = _moment(resumed.due_at) if resumed.due_at else "–"
    return Why(
        resumed.at,
        f"{span}: the clock stood still because {reason}; {_length(length)}{kind} were added: due {end}.",
        f"{span}: tạm dừng tính thời hạn ({reason_vi}); cộng {_length_vi(length)}{kind_vi}: hẹn trả {end}.",
        resumed.due_at,
    )


def _why_standing(paused: ClockEntry) -> Why:
    reason, reason_vi = _AWAITED[paused.reason]
    at = _moment(paused.at)
    return Why(
        paused.at,
        f"Since {at} the clock stands still because {reason}; the due date moves when it runs again.",
        f"Từ {at} tạm dừng tính thời hạn ({reason_vi}); ngày hẹn trả sẽ lùi khi tiếp tục giải quyết.",
        paused.due_at,
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(VN):%H:%M %d/%m/%Y}"


def _length(length: timedelta) -> str:
    hours, minutes, seconds = _parts(length)
    return f"{hours} h {minutes:02d} min {seconds:02d} s"


def _length_vi(length: timedelta) -> str:
    hours, minutes, seconds = _parts(length)
    return f"{hours} giờ {minutes:02d} phút {seconds:02d} giây"


def _parts(length: timedelta) -> tuple[int, int, int]:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return *divmod(minutes, 60), seconds
