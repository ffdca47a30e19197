"""Bringing in agencies that others listed; what is known of them already is completed, not lost."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.intake.models import Agency, AgencyEntry
from services.intake.operations.catalogue import digest_of, lock_catalogue, next_revision
from services.intake.operations.imports import Progress, Report, Works
from services.intake.operations.sources import AgencyReading, Oddity
from shared.work import Work

BATCH = 500


def sift_agencies(readings: Iterable[AgencyReading]) -> tuple[Report, list[AgencyReading]]:
    """Return a report that knows the refused and the repeated rows, and the readings that are to be written."""
    report, last = Report(), {}
    for reading in readings:
        report.oddities.extend(reading.oddities)
        if reading.entry is None:
            report.refusals.append({"line": reading.line, "code": reading.code, "reason": reading.refusal})
            continue
        if earlier := last.pop(reading.code, None):
            report.repeated += 1
            found = f"{earlier.entry.name} and {reading.entry.name}"
            report.oddities.append(
                Oddity(reading.line, reading.code, "code", "code_repeated", found, "the later one counts")
            )
        last[reading.code] = reading
    return report, list(last.values())


async def import_agencies(
    works: Works,
    report: Report,
    readings: Sequence[AgencyReading],
    *,
    before: Sequence[AgencyEntry] = (),
    write: bool = True,
    progress: Progress,
) -> Report:
    """Bring in agencies; `before` are such that ended and are only added where nothing is known of them."""
    progress(0, len(readings))
    for start in range(0, len(readings), BATCH):
        batch = [reading.entry for reading in readings[start : start + BATCH] if reading.entry]
        async with works() as work:
            await _take(work, report, batch, write=write)
        progress(min(start + BATCH, len(readings)), len(readings))
    if before and write:
        async with works() as work:
            await _add_ended(work, before)
    return report


async def _take(work: Work, report: Report, batch: Sequence[AgencyEntry], *, write: bool) -> None:
    if write:
        await lock_catalogue(work)
    known = await _known(work, [entry.code for entry in batch])
    changed = []
    for entry in batch:
        before = known.get(entry.code)
        after = completed(entry, before) if before else entry
        if after == before:
            report.unchanged += 1
            continue
        report.added += before is None
        report.changed += before is not None
        changed.append(after)
    if changed and write:
        await _write(work, changed)


def completed(entry: AgencyEntry, known: AgencyEntry) -> AgencyEntry:
    """Return an agency with what a list says of it: a closing and identifiers are added, silence erases nothing."""
    said = {name: value for name, value in entry.model_dump().items() if value not in (None, ())}
    kept = known.model_dump() | {name: said[name] for name in ("valid_from", "valid_to", "successors") if name in said}
    kept["also_known_as"] = tuple(dict.fromkeys((*known.also_known_as, *entry.also_known_as)))
    kept["parent"] = known.parent or entry.parent
    return AgencyEntry(**kept)


async def _add_ended(work: Work, entries: Sequence[AgencyEntry]) -> None:
    await lock_catalogue(work)
    wanted = {code for entry in entries for code in (entry.code, *entry.successors)}
    known = await _known(work, sorted(wanted))
    fresh = [entry for entry in entries if entry.code not in known and known.keys() >= set(entry.successors)]
    if fresh:
        await _write(work, fresh)


async def _known(work: Work, codes: Sequence[str]) -> dict[str, AgencyEntry]:
    rows = await work.session.scalars(select(Agency.entry).where(Agency.code.in_(codes)))
    return {entry.code: entry for entry in map(AgencyEntry.model_validate, rows)}


async def _write(work: Work, entries: Sequence[AgencyEntry]) -> None:
    """Write agencies; of those that the province's own file holds, the digest stays that file's."""
    revision = await next_revision(work)
    statement = insert(Agency)
    replace = {name: statement.excluded[name] for name in ("entry", "revision")}
    rows = [
        {"code": entry.code, "entry": content, "digest": digest_of(content), "revision": revision}
        for entry in entries
        for content in [entry.model_dump(mode="json")]
    ]
    await work.session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=replace), rows)
