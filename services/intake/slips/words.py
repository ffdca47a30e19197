"""What slips say in Vietnamese about agencies, terms, papers and dates."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.intake.models import Document, Dossier
from services.intake.queries import Catalogue
from shared.events.values import Duration, ReturnMethod
from shared.printing import dong, moment_in_words, short_day, short_moment
from shared.worktime import OutsideCalendarError, Span, WorkingCalendar

UNITS = {
    "hour": "giờ",
    "working_hour": "giờ làm việc",
    "day": "ngày",
    "working_day": "ngày làm việc",
    "month": "tháng",
}
_WHOLE_DAYS = (
    "Thời hạn tính theo ngày trên lịch, kể cả ngày nghỉ; hết hạn vào cuối giờ làm việc của ngày cuối cùng, "
    "hoặc của ngày làm việc tiếp theo nếu ngày đó là ngày nghỉ."
)
ON_THE_CALENDAR = {"hour": "Thời hạn tính theo giờ liên tục.", "day": _WHOLE_DAYS, "month": _WHOLE_DAYS}
"""How terms run that do not count working time (Bộ luật Dân sự 2015, Art. 147 and 148)."""
RETURNS = {
    ReturnMethod.COUNTER: "tại Bộ phận Một cửa",
    ReturnMethod.ONLINE: "trực tuyến",
    ReturnMethod.POSTAL: "qua dịch vụ bưu chính công ích",
}
_PLACE = re.compile(r"\b(?:tỉnh|thành phố|phường|xã|đặc khu|thị trấn|quận|huyện|thị xã) (.+)$")


@dataclass(frozen=True, slots=True)
class Office:
    """The agency that gives out a slip."""

    name: str
    parent: str | None
    place: str
    """The place in front of a date; empty when the agency's name holds none."""
    competent: str | None = None
    """Who decides, when that is another agency."""


def office_of(catalogue: Catalogue, code: str, name: str, competent_code: str | None = None) -> Office:
    """Return the office of a dossier, by the name that it had then."""
    entry = catalogue.agencies.get(code)
    parent = catalogue.agencies.get(entry.parent) if entry and entry.parent else None
    place = _PLACE.search(name)
    competent = catalogue.agencies.get(competent_code) if competent_code else None
    return Office(
        name,
        parent=parent.name if parent else None,
        place=place.group(1) if place else "",
        competent=competent.name if competent else competent_code,
    )


def term(dossier: Dossier) -> str:
    """Return the term that the law sets for a dossier."""
    if dossier.same_day:
        return "trong ngày làm việc; tiếp nhận sau 15 giờ thì tính từ ngày làm việc tiếp theo"
    if dossier.duration is None:
        return "pháp luật không quy định thời hạn"
    duration = Duration.model_validate(dossier.duration)
    return f"{_figure(duration.amount)} {UNITS[duration.unit]}"


def _figure(number: float) -> str:
    return f"{round(number, 2):g}".replace(".", ",")


def fees(dossier: Dossier) -> str:
    """Return what a dossier costs through its channel."""
    parts = [f"{fee['name']}: {dong(fee['amount_vnd'])}" for fee in dossier.fees]
    return "; ".join(parts) if parts else "không thu"


def paper(document: Document) -> dict[str, str]:
    """Return a paper as a slip lists it: its name and the form it was handed in."""
    name = document.name
    if document.reused_result:
        return {"name": name, "form": f"Tái sử dụng kết quả số {document.reused_result}"}
    if document.reuse:
        return {"name": name, "form": "Đề nghị tái sử dụng kết quả"}
    return {"name": name, "form": "Tệp điện tử" if document.sha256 else "Bản giấy"}


def why_due(dossier: Dossier, calendar: WorkingCalendar) -> list[str]:
    """Return in a few lines how the due date follows from acceptance and term; nothing where there is no due date."""
    if dossier.accepted_at is None or dossier.due_at is None:
        return []
    begins = f"Tính từ khi tiếp nhận hồ sơ hợp lệ ({short_moment(dossier.accepted_at)}), thời hạn {term(dossier)}."
    unit = dossier.duration["unit"] if dossier.duration and not dossier.same_day else "working_day"
    if unit in ON_THE_CALENDAR:
        return [begins, ON_THE_CALENDAR[unit], f"Theo lịch làm việc {dossier.calendar_version}."]
    try:
        spans = calendar.explain(dossier.accepted_at, dossier.due_at)
    except OutsideCalendarError:
        return [begins]
    minutes = sum(span.minutes for span in spans)
    days = minutes / calendar.document.day_minutes
    counted = f"Thời gian làm việc được tính: {_figure(minutes / 60)} giờ ({_figure(days)} ngày)."
    return [begins, counted, *_left_out(spans), f"Theo lịch làm việc {dossier.calendar_version}."]


def _left_out(spans: Sequence[Span]) -> Iterator[str]:
    rest = sum(len(list(_days(span))) for span in spans if span.kind == "weekly_rest")
    if rest:
        yield f"Không tính {rest} ngày nghỉ hằng tuần."
    for span in spans:
        days = list(_days(span))
        when = days[0] if len(days) == 1 else f"{days[0]} đến {days[-1]}"
        if span.kind == "day_off":
            yield f"Không tính ngày nghỉ lễ {when} ({span.name})."
        elif span.kind == "make_up_day":
            yield f"Tính ngày làm bù {when} ({span.name})."


def _days(span: Span) -> Iterator[str]:
    day = span.start.date()
    while day < span.end.date() or (day == span.end.date() and span.end.time() != span.end.min.time()):
        yield short_day(day)
        day += timedelta(days=1)


def received_late(dossier: Dossier) -> str | None:
    """Return what a slip says about a late entry, None where there was none."""
    if dossier.late_reason is None and dossier.acceptance_late_reason is None:
        return None
    entered = dossier.acceptance_entered_at or dossier.entered_at
    reason = dossier.acceptance_late_reason or dossier.late_reason
    return f"Nhập vào hệ thống lúc {moment_in_words(entered)}; lý do: {reason}."
