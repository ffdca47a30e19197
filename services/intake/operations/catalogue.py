"""Bringing in a catalogue."""

import hashlib
from collections.abc import Sequence

import orjson
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.intake.models import (
    Agency,
    AgencyEntry,
    CatalogueFile,
    CatalogueRevision,
    Field,
    FieldEntry,
    Procedure,
    ProcedureEntry,
)
from shared.events.intake import ProcedurePublished
from shared.work import Work

# Replicas start together and bring in the same file: the second finds nothing left to do.
_ONE_IMPORT_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('intake.catalogue', 0))")


async def import_catalogue(work: Work, *, catalogue: CatalogueFile) -> Sequence[ProcedureEntry]:
    """Write what is new or changed in a catalogue and return the procedures among it; what it lacks stays.

    Emits intake.procedure.published.v1 for each of them; subject is the procedure's code.
    """
    await work.session.execute(_ONE_IMPORT_AT_A_TIME)
    changed = await _write_procedures(work, catalogue.procedures)
    places = await _write_agencies(work, catalogue.agencies) + await _write_fields(work, catalogue.fields)
    if changed or places:
        await work.session.execute(update(CatalogueRevision).values(revision=CatalogueRevision.revision + 1))
    names = {field.code: field.name for field in catalogue.fields}
    for entry in changed:
        work.emit(_published(entry, names[entry.field]), subject=entry.code)
    return changed


async def _write_procedures(work: Work, entries: Sequence[ProcedureEntry]) -> list[ProcedureEntry]:
    rows = await work.session.execute(select(Procedure.code, Procedure.version, Procedure.digest))
    known = {(code, version): digest for code, version, digest in rows}
    values = {(entry.code, entry.version): _procedure_row(work, entry) for entry in entries}
    changed = [e for e in entries if known.get((e.code, e.version)) != values[e.code, e.version]["digest"]]
    if changed:
        statement = insert(Procedure)
        statement = statement.on_conflict_do_update(
            index_elements=["code", "version"],
            set_={name: statement.excluded[name] for name in ("entry", "digest", "imported_at")},
        )
        await work.session.execute(statement, [values[entry.code, entry.version] for entry in changed])
    return changed


def _procedure_row(work: Work, entry: ProcedureEntry) -> dict[str, object]:
    as_json = entry.model_dump(mode="json") | {"applicants": sorted(entry.applicants)}
    digest = hashlib.sha256(orjson.dumps(as_json, option=orjson.OPT_SORT_KEYS)).digest()
    return {
        "code": entry.code,
        "version": entry.version,
        "entry": as_json,
        "digest": digest,
        "imported_at": work.now,
    }


async def _write_agencies(work: Work, entries: Sequence[AgencyEntry]) -> int:
    known = {row.code: row.entry for row in await work.session.execute(select(Agency.code, Agency.entry))}
    rows = [{"code": entry.code, "entry": entry.model_dump(mode="json")} for entry in entries]
    changed = [row for row in rows if known.get(str(row["code"])) != row["entry"]]
    if changed:
        statement = insert(Agency)
        replace = {"entry": statement.excluded.entry}
        await work.session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=replace), changed)
    return len(changed)


async def _write_fields(work: Work, entries: Sequence[FieldEntry]) -> int:
    known = {row.code: row.name for row in await work.session.execute(select(Field.code, Field.name))}
    changed = [entry.model_dump() for entry in entries if known.get(entry.code) != entry.name]
    if changed:
        statement = insert(Field)
        replace = {"name": statement.excluded.name}
        await work.session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=replace), changed)
    return len(changed)


def _published(entry: ProcedureEntry, field_name: str) -> ProcedurePublished:
    return ProcedurePublished(
        procedure_code=entry.code,
        version=entry.version,
        name=entry.name,
        field_code=entry.field,
        field_name=field_name,
        service_level=entry.service_level,
        process=entry.process,
    )
