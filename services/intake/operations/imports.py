"""Bringing in a catalogue that others wrote, a batch a transaction: what is there already is left alone.

A run that was killed loses the batch it was in; the next one finds what stands and goes on behind it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from services.intake.models import Agency, Field, FieldEntry, Procedure, ProcedureEntry
from services.intake.operations.catalogue import (
    as_json,
    changed_fields,
    lock_catalogue,
    next_revision,
    write_fields,
    write_procedures,
)
from services.intake.operations.sources import KINDS, Draft, Notes, Oddity, Reading
from services.intake.operations.sources.merging import merged_entry
from services.intake.queries import plain
from shared.identifiers import IdentifierError, current_agency
from shared.work import Work

BATCH = 200
FIRST_VERSION_DAYS = 30
"""A procedure that is new here is in force so many days back: dossiers may be entered so late."""
NO_FIELD = "Lĩnh vực khác"
FIELD_CODE_MAX = 40
_OURS_ALONE = frozenset({"version", "valid_from"})
"""What a new version has anew by itself."""

Works = Callable[[], AbstractAsyncContextManager[Work]]
"""Opens a transaction for a batch."""
Progress = Callable[[int, int], None]
"""Told how many of how many are through."""


@dataclass(slots=True)
class Report:
    """What came of an import: read = imported + refused; imported = added + changed + unchanged + repeated."""

    added: int = 0
    """New here."""
    changed: int = 0
    """Known, with another content: a new version."""
    unchanged: int = 0
    """Known exactly so: nothing was written."""
    repeated: int = 0
    """Rows whose code stands on a later row, which counts."""
    refusals: list[dict[str, object]] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    """{code, kind: added or changed, fields: [{field, ours, theirs}]} of each row that is not as it stands here."""

    @property
    def imported(self) -> int:
        """Rows that the catalogue holds now."""
        return self.added + self.changed + self.unchanged + self.repeated

    @property
    def read(self) -> int:
        """Rows that there were; empty lines are none."""
        return self.imported + len(self.refusals)

    def as_json(self) -> dict[str, Any]:
        """Return the report as it is written: counts, then kinds of oddities, then each."""
        kinds = Counter(odd.kind for odd in self.oddities)
        return {
            "read": self.read,
            "imported": self.imported,
            "refused": len(self.refusals),
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "repeated": self.repeated,
            "kinds": [
                {"kind": kind, "title": KINDS[kind][0], "title_vi": KINDS[kind][1], "count": count}
                for kind, count in kinds.most_common()
            ],
            "refusals": self.refusals,
            "oddities": [odd.as_json() for odd in self.oddities],
        }


def sift(readings: Iterable[Reading]) -> tuple[Report, list[Reading]]:
    """Return a report that knows the refused and the repeated rows, and the readings that are to be written."""
    report, last = Report(), {}
    for reading in readings:
        report.oddities.extend(reading.oddities)
        if reading.draft is None:
            report.refusals.append({"line": reading.line, "code": reading.code, "reason": reading.refusal})
            continue
        earlier = last.pop(reading.code, None)
        last[reading.code] = reading
        if earlier:
            report.repeated += 1
            same = earlier.draft == reading.draft
            decided = "the same twice, kept once" if same else f"line {reading.line} counts, it is the later one"
            found = f"lines {earlier.line} and {reading.line}"
            report.oddities.append(Oddity(earlier.line, reading.code, "code", "code_repeated", found, decided))
    return report, list(last.values())


async def import_procedures(
    works: Works, report: Report, readings: Sequence[Reading], *, day: date, write: bool = True, progress: Progress
) -> Report:
    """Bring in what was read, compared with what is there; `write` off only compares. Returns the report, filled.

    Emits intake.procedure.published.v1 for every version that is new.
    """
    progress(0, len(readings))
    for start in range(0, len(readings), BATCH):
        batch = readings[start : start + BATCH]
        async with works() as work:
            await _take(work, report, batch, day=day, write=write)
        progress(min(start + BATCH, len(readings)), len(readings))
    report.oddities.sort(key=lambda odd: odd.line)
    return report


async def _take(work: Work, report: Report, batch: Sequence[Reading], *, day: date, write: bool) -> None:
    if write:
        await lock_catalogue(work)
    newest = await _newest(work, [reading.code for reading in batch])
    fields = _Fields({row.code: row.name for row in await work.session.execute(select(Field.code, Field.name))})
    agencies = frozenset(await work.session.scalars(select(Agency.code)))
    changed = []
    for reading in batch:
        entry = next_version(reading, newest.get(reading.code), fields, report.oddities, agencies=agencies, day=day)
        known = newest.get(reading.code)
        if entry is known:
            report.unchanged += 1
            continue
        changed.append(entry)
        report.differences.append(_difference(entry, known))
        report.added += known is None
        report.changed += known is not None
    if changed and write:
        revision = await next_revision(work)
        entries = [FieldEntry(code=code, name=name) for code, name in fields.names.items()]
        await write_fields(work, await changed_fields(work, entries))
        await write_procedures(work, changed, fields.names, revision=revision)


def _difference(entry: ProcedureEntry, known: ProcedureEntry | None) -> dict[str, Any]:
    theirs = as_json(entry)
    ours = as_json(known) if known else {}
    fields = [
        {"field": name, "ours": ours.get(name), "theirs": value}
        for name, value in theirs.items()
        if known and name not in _OURS_ALONE and ours.get(name) != value
    ]
    return {"code": entry.code, "kind": "changed" if known else "added", "fields": fields}


async def _newest(work: Work, codes: Sequence[str]) -> dict[str, ProcedureEntry]:
    wanted = select(Procedure.code, Procedure.entry).where(Procedure.code.in_(codes))
    rows = await work.session.execute(wanted.order_by(Procedure.code, Procedure.version))
    return {code: ProcedureEntry.model_validate(entry) for code, entry in {row.code: row.entry for row in rows}.items()}


def compare_with_nothing(report: Report, readings: Sequence[Reading], *, day: date, progress: Progress) -> Report:
    """Fill a report as if there were no catalogue yet: what a dry run without a database can tell."""
    fields = _Fields({})
    progress(0, len(readings))
    for reading in readings:
        next_version(reading, None, fields, report.oddities, agencies=None, day=day)
        report.added += 1
    progress(len(readings), len(readings))
    report.oddities.sort(key=lambda odd: odd.line)
    return report


def next_version(
    reading: Reading,
    known: ProcedureEntry | None,
    fields: "_Fields",
    oddities: list[Oddity],
    *,
    agencies: frozenset[str] | None,
    day: date,
) -> ProcedureEntry:
    """Return the version that a reading makes of a procedure, or `known` itself where it says nothing new."""
    draft = reading.draft
    if draft is None:
        raise ValueError("a row that was refused makes no version")
    notes = Notes(reading.line, reading.code)
    draft.agencies = _known_agencies(draft, agencies, notes)
    field_code = fields.code_of(draft, known)
    first_day = draft.valid_from or (day if known else day - timedelta(days=FIRST_VERSION_DAYS))
    entry = merged_entry(
        draft,
        known,
        notes,
        field=field_code,
        version=known.version if known else 1,
        valid_from=max(first_day if draft.valid_from else known.valid_from, known.valid_from) if known else first_day,
    )
    oddities.extend(notes.oddities)
    if known is None:
        return entry
    if as_json(entry) == as_json(known):
        return known
    return entry.model_copy(update={"version": known.version + 1, "valid_from": max(first_day, known.valid_from)})


def _known_agencies(draft: Draft, agencies: frozenset[str] | None, notes: Notes) -> tuple[str, ...]:
    found = []
    for written in draft.agencies:
        try:
            code = current_agency(written)
        except IdentifierError:
            code = ""
        if agencies is not None and code not in agencies:
            notes.add("agencies", "agency_unknown", written, "left out; without any, the levels say who receives")
        elif code:
            found.append(code)
    return tuple(dict.fromkeys(found))


class _Fields:
    """The fields of procedures: a name that is known, however it is written, keeps its code."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self._codes = {_folded(name): code for code, name in names.items()}

    def code_of(self, draft: Draft, known: ProcedureEntry | None) -> str:
        """Return the code of a draft's field, given one if it is new."""
        if not draft.field_name and known:
            return known.field
        name = draft.field_name or NO_FIELD
        if draft.field_code in self.names:
            return draft.field_code
        found = self._codes.get(_folded(name))
        if found is None:
            found = self._fresh(draft.field_code or name)
            self.names[found], self._codes[_folded(name)] = name, found
        return found

    def _fresh(self, written: str) -> str:
        stem = re.sub(r"[^a-z0-9.\-]+", "_", plain(written)).strip("_.-")[:FIELD_CODE_MAX] or "linh_vuc"
        code, number = stem, 1
        while code in self.names:
            number += 1
            code = f"{stem[: FIELD_CODE_MAX - 4]}_{number}"
        return code


def _folded(name: str) -> str:
    return " ".join(re.findall(r"\w+", plain(name)))
