"""Working calendars: publishing a version, saying beforehand what it would change, and then changing it.

A version in force replaces the one before for every case under way, from its acceptance on: the same ledger gives
another due date. That happens in small transactions beside the running traffic; a case that meanwhile still runs by its
former version is right by that version, and gets the new one in its turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from prometheus_client import Gauge

from services.workflow import queries
from services.workflow.errors import CalendarChanged, CalendarInvalid
from services.workflow.models import CalendarVersion, Case, ClockEntry, DueDateChange
from services.workflow.operations import clock, flow
from shared.caller import Caller, service_caller
from shared.clock import VN, now
from shared.db import Database
from shared.errors import FieldError
from shared.events.values import DueDateReason
from shared.events.workflow import CalendarPublished
from shared.work import Work, open_work
from shared.worktime import CalendarDocument, OutsideCalendarError, WorkingCalendar, load_calendar

BATCH = 100
DAY_S = 24 * 3600
CALENDAR_LEFT = Gauge(
    "motcua_calendar_left_seconds", "Time until the last day that a working calendar knows.", ["calendar"]
)
SHIPPED_REASON = "Lịch ban đầu của hệ thống."


@dataclass(frozen=True, slots=True)
class Move:
    """What a calendar would do to a case: another due date, or a problem that people have to look at."""

    case: Case
    due_at: datetime | None
    problem: str | None = None


async def publish_calendar(
    work: Work, *, document: CalendarDocument, agencies: Sequence[str], reason: str, published_by: str, base: str | None
) -> CalendarVersion:
    """Put a version of a calendar in force; `base` is the version it was made from, None for a new calendar.

    Cases under way follow in their turn (`apply_next`). Emits workflow.calendar.published.v1.

    Raises CalendarChanged when another version is in force than `base`, CalendarInvalid with all that is wrong.
    """
    code = document.name
    await work.session.execute(queries.LOCK_CALENDARS)
    current = await queries.find_current_calendar(work.session, code)
    if (current.version if current else None) != base:
        known = current.version if current else "none"
        raise CalendarChanged(f"The version of {code} in force is {known}.", version=known)
    await _check(work, document, agencies, current)
    row = CalendarVersion(
        calendar_code=code,
        nth=current.nth + 1 if current else 1,
        version=document.version,
        agencies=sorted(set(agencies)),
        document=document.model_dump(mode="json"),
        reason=reason,
        published_by=published_by,
        published_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    _tell(work, row)
    return row


def _tell(work: Work, row: CalendarVersion) -> None:
    published = CalendarPublished(
        calendar_code=row.calendar_code,
        version=row.version,
        nth=row.nth,
        agencies=tuple(row.agencies),
        document=row.document,
        reason=row.reason,
        published_by=row.published_by,
        published_at=row.published_at,
    )
    work.emit(published, subject=row.calendar_code)


async def publish_shipped(work: Work) -> bool:
    """Put the calendar that ships with the product in force where none is; return whether that was needed."""
    await work.session.execute(queries.LOCK_CALENDARS)
    if await queries.find_current_calendar(work.session, queries.SHIPPED):
        return False
    document = load_calendar(queries.SHIPPED).document
    by = work.caller.client_id
    await publish_calendar(work, document=document, agencies=(), reason=SHIPPED_REASON, published_by=by, base=None)
    return True


async def _check(
    work: Work, document: CalendarDocument, agencies: Sequence[str], current: CalendarVersion | None
) -> None:
    errors: list[FieldError] = []
    if document.name != queries.SHIPPED and not agencies:
        errors.append(FieldError("agencies", "Name the agencies that work by it.", "Cần nêu cơ quan áp dụng lịch."))
    if document.name == queries.SHIPPED and agencies:
        errors.append(
            FieldError("agencies", "This calendar is everybody else's: name nobody.", "Lịch chung không nêu cơ quan.")
        )
    errors += [
        FieldError(
            "agencies",
            f"{', '.join(sorted(shared))} works by calendar {other.calendar_code}: take it out there first.",
            f"Cơ quan đã áp dụng lịch {other.calendar_code}.",
        )
        for other in await queries.list_current_calendars(work.session)
        if other.calendar_code != document.name and (shared := set(other.agencies) & set(agencies))
    ]
    errors += _lost_years(document, current)
    if current and await queries.list_versions_named(work.session, document.name, document.version):
        errors.append(
            FieldError("document.version", "This version was published before: give a new one.", "Phiên bản đã có.")
        )
    if errors:
        raise CalendarInvalid(errors=errors)


def _lost_years(document: CalendarDocument, current: CalendarVersion | None) -> list[FieldError]:
    if current is None:
        return []
    first, last = current.document["first_year"], current.document["last_year"]
    if document.first_year <= first and document.last_year >= last:
        return []
    message = f"Must hold the years {first} to {last} of the version before: cases under way count by them."
    return [FieldError("document.last_year", message, f"Phải gồm các năm {first}–{last} của phiên bản trước.")]


async def foresee(
    work: Work, document: CalendarDocument, *, after: str, limit: int
) -> tuple[list[Move], str | None, int]:
    """Return whose due date a calendar would move, looking at up to `limit` cases after a dossier code.

    Also returns the code to go on after (None at the end) and how many cases were looked at. Changes nothing.
    """
    cases = await queries.list_cases_of_calendar(work.session, document.name, after=after, limit=limit)
    ledgers = await queries.list_clocks(work.session, [case.dossier_code for case in cases])
    await queries.load_calendars(work.session, {(case.calendar_code, case.calendar_version) for case in cases})
    calendar = WorkingCalendar(document)
    moves = [_move(work, case, ledgers[case.dossier_code], calendar) for case in cases]
    moves = [move for move in moves if move.problem or move.due_at != move.case.due_at]
    return moves, cases[-1].dossier_code if len(cases) == limit else None, len(cases)


def _move(work: Work, case: Case, ledger: Sequence[ClockEntry], calendar: WorkingCalendar) -> Move:
    terms = clock.terms_of(case)
    try:
        if clock.recompute(ledger, flow.calendar_of(work, case), terms) != case.due_at:
            return Move(case, case.due_at, "the ledger does not give the stored due date")
        return Move(case, clock.recompute(ledger, calendar, terms))
    except (OutsideCalendarError, ValueError) as problem:
        return Move(case, case.due_at, str(problem))


async def apply_next(work: Work, current: CalendarVersion, *, limit: int = BATCH) -> tuple[int, int]:
    """Bring the next cases under way to the version in force; return how many there were and how many were free.

    Cases that others hold are left for later. One that cannot be recomputed keeps its date and is listed with the
    problem. Emits workflow.case.due_date_changed.v1 for each whose date moves.
    """
    version = await queries.find_outdated_version(work.session, current)
    if version is None:
        return 0, 0
    codes = await queries.list_outdated_cases(work.session, current, version, limit=limit)
    await queries.lock_free_cases(work.session, codes)
    on_desk = [case for code in codes if (case := queries.desk(work.session).cases.get(code))]
    # What was read before the lock may have changed: another process may have done the same.
    cases = [case for case in on_desk if case.is_under_way() and case.calendar_version == version]
    ledgers = await queries.list_clocks(work.session, [case.dossier_code for case in cases])
    calendar = await queries.get_calendar(work.session, current.calendar_code, current.version)
    for case in cases:
        _apply(work, case, ledgers[case.dossier_code], current, calendar)
    return len(codes), len(cases)


def _apply(
    work: Work, case: Case, ledger: Sequence[ClockEntry], current: CalendarVersion, calendar: WorkingCalendar
) -> None:
    move, previous = _move(work, case, ledger, calendar), case.due_at
    if move.problem is None:
        _move_steps(work, case, ledger, calendar)
        case.calendar_version = current.version
        if move.due_at is None or move.due_at == previous:
            return
        flow.promise_anew(
            work,
            case,
            due_at=move.due_at,
            because=DueDateReason.CALENDAR,
            reason=f"Lịch làm việc {current.calendar_code} {current.version}: {current.reason}",
            changed_by=current.published_by,
        )
    change = DueDateChange(
        calendar_code=current.calendar_code,
        calendar_nth=current.nth,
        dossier_code=case.dossier_code,
        agency_code=case.competent_agency_code,
        previous_due_at=previous,
        due_at=move.due_at,
        problem=move.problem,
        changed_at=work.now,
    )
    work.session.add(change)


def _move_steps(work: Work, case: Case, ledger: Sequence[ClockEntry], calendar: WorkingCalendar) -> None:
    """Move the due dates of steps in hand that followed from the former calendar."""
    pauses, former = clock.pauses(ledger), flow.calendar_of(work, case)
    for task in case.tasks:
        if task.is_in_hand() and task.opened_at is not None:
            was = clock.step_due(task.opened_at, task.minutes, pauses, former)
            if was == task.due_at:
                task.due_at = clock.step_due(task.opened_at, task.minutes, pauses, calendar)


async def apply_round(database: Database) -> int:
    """Bring cases under way to the calendars in force, batch by batch, until none is left; return how many."""
    by = service_caller("workflow")
    async with open_work(database, by) as work:
        await publish_shipped(work)
    async with database.session() as session:
        calendars = await queries.list_current_calendars(session)
    for code, days in days_left(calendars, now().astimezone(VN).date()).items():
        CALENDAR_LEFT.labels(code).set(days * DAY_S)
    total = 0
    for current in calendars:
        while done := await _apply_batch(database, by, current):
            total += done
    return total


async def _apply_batch(database: Database, by: Caller, current: CalendarVersion) -> int:
    async with open_work(database, by) as work:
        done, moved = await apply_next(work, current)
        if not done and current.applied_at is None:
            await queries.mark_applied(work.session, current, work.now)
    # Cases that others hold are looked at again in the next round.
    return moved


def days_left(calendars: Sequence[CalendarVersion], today: date) -> dict[str, int]:
    """Return how many days each calendar still covers from a day on."""
    return {row.calendar_code: (date(row.document["last_year"], 12, 31) - today).days for row in calendars}
