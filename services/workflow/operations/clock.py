"""The clock of a case: where its due date lies, and why. Nothing here reads or writes.

A ledger tells what happened (start, pauses, resumes, a date promised anew); the calendar turns it into a due date. So a
case's due date is at any time `recompute(ledger, calendar)`, also after the calendar was amended.

Sources: NĐ 118/2025 (the clock runs from valid acceptance and stands still while the applicant is awaited).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.workflow.models import Case, ClockEntry
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
    "consultation": ("another agency's answer was awaited", "chờ ý kiến cơ quan khác"),
}
_SET = {
    "extension": ("it was extended", "gia hạn"),
    "correction": ("it was corrected", "đính chính"),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the law promises the applicant: a term, or the same day, or neither."""

    term: Duration | None = None
    same_day: bool = False

    @property
    def unit(self) -> DurationUnit | None:
        """The unit in which pauses are added; None: working time."""
        return self.term.unit if self.term and not self.same_day else None

    def due(self, accepted_at: datetime, calendar: WorkingCalendar) -> datetime | None:
        """Return when the result is due if nothing happens; raises OutsideCalendarError."""
        amount, unit = (self.term.amount, self.term.unit.value) if self.term else (None, None)
        due_at = calendar.promised(accepted_at, amount, unit, same_day=self.same_day)
        return due_at.astimezone(UTC) if due_at else None


def terms_of(case: Case) -> Terms:
    """Return what a case's applicant was promised."""
    return Terms(case.term, case.same_day)


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


def recompute(entries: Sequence[ClockEntry], calendar: WorkingCalendar, terms: Terms) -> datetime | None:
    """Return the due date that follows from a ledger in order: the law's, moved by every pause and new promise.

    Raises ValueError for a ledger that does not begin with its start or whose pauses and resumes do not alternate,
    OutsideCalendarError when the calendar does not reach so far.
    """
    *_, (_, due_at) = replay(entries, calendar, terms)
    return due_at


def replay(
    entries: Sequence[ClockEntry], calendar: WorkingCalendar, terms: Terms
) -> Iterator[tuple[ClockEntry, datetime | None]]:
    """Yield each entry of a ledger with the due date after it, by one calendar; raises as `recompute`."""
    due_at: datetime | None = None
    paused_at: datetime | None = None
    if not entries:
        raise ValueError("A ledger begins with its start.")
    for nth, entry in enumerate(entries):
        if (entry.kind == ClockKind.START) != (nth == 0) or not _in_turn(entry, paused=paused_at is not None):
            raise ValueError("A ledger is a start, then pauses and resumes in turn.")
        if entry.kind == ClockKind.START:
            due_at = terms.due(entry.at, calendar)
        elif entry.kind == ClockKind.PAUSE:
            paused_at = entry.at
        elif entry.kind == ClockKind.RESUME and paused_at is not None:
            if due_at is not None:
                due_at = due_after_pause(due_at, paused_at, entry.at, calendar=calendar, unit=terms.unit)
            paused_at = None
        elif entry.kind == ClockKind.SET:
            due_at = entry.due_at
        yield entry, due_at


def _in_turn(entry: ClockEntry, *, paused: bool) -> bool:
    return entry.kind not in {ClockKind.PAUSE, ClockKind.RESUME} or (entry.kind == ClockKind.RESUME) == paused


def step_due(opened_at: datetime, minutes: int, pauses_since: Sequence[Pause], calendar: WorkingCalendar) -> datetime:
    """Return when a step is due: its working minutes from its opening, moved by the pauses that ended since."""
    due_at = calendar.add(opened_at, minutes)
    for pause in pauses_since:
        if pause.resumed_at is not None and pause.paused_at >= opened_at:
            due_at = calendar.add(due_at, calendar.between(pause.paused_at, pause.resumed_at))
    return due_at.astimezone(UTC)


def pauses(entries: Sequence[ClockEntry]) -> tuple[Pause, ...]:
    """Return the spans of a ledger in which the clock stood still; the last one may still last."""
    turns = [entry for entry in entries if entry.kind in {ClockKind.PAUSE, ClockKind.RESUME}]
    ends = [*(entry.at for entry in turns[1::2]), None]
    return tuple(
        Pause(reason=entry.reason, paused_at=entry.at, resumed_at=end)
        for entry, end in zip(turns[::2], ends, strict=False)
    )


def explain(entries: Sequence[ClockEntry], calendar: WorkingCalendar, terms: Terms) -> list[Why]:
    """Return in words, entry by entry, why the due date is what it is ("vì sao hẹn ngày này").

    Dates are those that the calendar in force gives; an amendment says what it changed. Raises as `recompute`.
    """
    whys: list[Why] = []
    paused: ClockEntry | None = None
    for entry, due_at in replay(entries, calendar, terms):
        if entry.kind == ClockKind.START:
            whys.append(_why_start(entry, due_at, terms, calendar))
        elif entry.kind == ClockKind.PAUSE:
            paused = entry
        elif entry.kind == ClockKind.RESUME and paused is not None:
            whys.append(_why_moved(paused, entry, due_at, calendar, terms.unit))
            paused = None
        else:
            whys.append(_why_set(entry, due_at))
    if paused is not None:
        whys.append(_why_standing(paused, whys[-1].due_at))
    return whys


def _why_start(start: ClockEntry, due_at: datetime | None, terms: Terms, calendar: WorkingCalendar) -> Why:
    at = _moment(start.at)
    if due_at is None or (terms.term is None and not terms.same_day):
        text, text_vi = "the procedure has no term.", "thủ tục không quy định thời hạn."
    elif terms.same_day:
        until = f"{calendar.document.same_day_until:%H:%M}"
        text = f"due the same day, or on the next working day when received after {until}: {_moment(due_at)}."
        text_vi = f"trả trong ngày, nhận sau {until} thì trả vào ngày làm việc kế tiếp: hẹn trả {_moment(due_at)}."
    else:
        term, term_vi = _in_words(terms)
        by = f"{calendar.document.name} {calendar.version}"
        text = f"the term of {term} by calendar {by} ends at {_moment(due_at)}."
        text_vi = f"thời hạn {term_vi} theo lịch {by}: hẹn trả {_moment(due_at)}."
    return Why(
        start.at,
        f"The clock started with the valid acceptance at {at}; {text}",
        f"Tiếp nhận hợp lệ lúc {at}; {text_vi}",
        due_at,
    )


def _in_words(terms: Terms) -> tuple[str, str]:
    if terms.term is None:
        return "", ""
    units, units_vi = _UNITS[terms.term.unit]
    return f"{terms.term.amount:g} {units}", f"{terms.term.amount:g} {units_vi}"


def _why_moved(
    paused: ClockEntry,
    resumed: ClockEntry,
    due_at: datetime | None,
    calendar: WorkingCalendar,
    unit: DurationUnit | None,
) -> Why:
    reason, reason_vi = _awaited(paused)
    span = f"{_moment(paused.at)} – {_moment(resumed.at)}"
    if unit in ON_CALENDAR:
        length, kind, kind_vi = resumed.at - paused.at, "", ""
    else:
        length = timedelta(minutes=calendar.between(paused.at, resumed.at))
        kind, kind_vi = " of working time", " làm việc"
    end = _moment(due_at) if due_at else "–"
    return Why(
        resumed.at,
        f"{span}: the clock stood still because {reason}; {_length(length)}{kind} were added: due {end}.",
        f"{span}: tạm dừng tính thời hạn ({reason_vi}); cộng {_length_vi(length)}{kind_vi}: hẹn trả {end}.",
        due_at,
    )


def _why_set(entry: ClockEntry, due_at: datetime | None) -> Why:
    at, end = _moment(entry.at), _moment(due_at) if due_at else "–"
    note = f" ({entry.note})" if entry.note else ""
    if entry.kind == ClockKind.RECALCULATE:
        return Why(
            entry.at,
            f"At {at} calendar {entry.calendar_version} was taken instead of the one before{note}: due {end}.",
            f"{at}: tính lại theo lịch {entry.calendar_version}{note}: hẹn trả {end}.",
            due_at,
        )
    what, what_vi = _SET.get(entry.reason, (f"of {entry.reason}", entry.reason))
    return Why(
        entry.at,
        f"At {at} a new date was promised because {what}{note}: due {end}.",
        f"{at}: hẹn lại ({what_vi}){note}: hẹn trả {end}.",
        due_at,
    )


def _why_standing(paused: ClockEntry, due_at: datetime | None) -> Why:
    reason, reason_vi = _awaited(paused)
    at = _moment(paused.at)
    return Why(
        paused.at,
        f"Since {at} the clock stands still because {reason}; the due date moves when it runs again.",
        f"Từ {at} tạm dừng tính thời hạn ({reason_vi}); ngày hẹn trả sẽ lùi khi tiếp tục giải quyết.",
        due_at,
    )


def _awaited(paused: ClockEntry) -> tuple[str, str]:
    return _AWAITED.get(paused.reason, (f"of {paused.reason}", paused.reason))


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


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of time between the acceptance and the due date, and what it counts for."""

    start: datetime
    end: datetime
    kind: str
    minutes: float
    text: str
    text_vi: str


def passages(
    entries: Sequence[ClockEntry], due_at: datetime | None, calendar: WorkingCalendar, terms: Terms
) -> list[Passage]:
    """Return the time from the acceptance to the due date span by span: what counted, what did not, and why.

    A pause counts for nothing, a term in hours, days or months counts day and night. Raises OutsideCalendarError.
    """
    found: list[Passage] = []
    moment = entries[0].at
    if due_at is None:
        return found
    for pause in pauses(entries):
        found += _running(moment, min(pause.paused_at, due_at), calendar, terms)
        moment = pause.resumed_at or max(due_at, pause.paused_at)
        if pause.paused_at < moment:
            reason, reason_vi = _AWAITED.get(pause.reason, (f"of {pause.reason}", pause.reason))
            edges = f"{_moment(pause.paused_at)} – {_moment(moment) if pause.resumed_at else '…'}"
            text = f"{edges}: the clock stood still because {reason}, not counted"
            text_vi = f"{edges}: tạm dừng ({reason_vi}), không tính"
            found.append(Passage(pause.paused_at.astimezone(UTC), moment.astimezone(UTC), "pause", 0.0, text, text_vi))
    return found + _running(moment, due_at, calendar, terms)


def _running(start: datetime, end: datetime, calendar: WorkingCalendar, terms: Terms) -> list[Passage]:
    if start >= end:
        return []
    if terms.unit in ON_CALENDAR:
        edges, minutes = f"{_moment(start)} – {_moment(end)}", (end - start) / timedelta(minutes=1)
        text, text_vi = f"{edges}: counted day and night", f"{edges}: tính liên tục theo ngày lịch"
        return [Passage(start.astimezone(UTC), end.astimezone(UTC), "calendar_time", minutes, text, text_vi)]
    return [
        Passage(span.start.astimezone(UTC), span.end.astimezone(UTC), span.kind, span.minutes, span.text, span.text_vi)
        for span in calendar.explain(start, end)
    ]
