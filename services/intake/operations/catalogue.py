"""Bringing in a catalogue: the province's own file as a whole, or entries that came from elsewhere."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.intake.errors import ProcedureNotFound
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
from services.intake.queries import words_of
from shared.errors import FieldError, InvalidRequest
from shared.events.intake import ProcedurePublished
from shared.identifiers import agency_ancestors
from shared.work import Work

# Replicas start together and bring in the same file: the second finds nothing left to do.
_ONE_IMPORT_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('intake.catalogue', 0))")
_REPLACED = ("entry", "digest", "imported_at", "revision", "haystack", "field_code", "levels", "receivers")
_DATES = ("valid_from", "valid_to")


async def import_catalogue(work: Work, *, catalogue: CatalogueFile) -> Sequence[ProcedureEntry]:
    """Write what is new or changed in a catalogue and return the procedures among it; what it lacks stays.

    Emits intake.procedure.published.v1 for each of them; subject is the procedure's code.
    """
    await lock_catalogue(work)
    names = {field.code: field.name for field in catalogue.fields}
    changed = await changed_procedures(work, catalogue.procedures)
    agencies = await changed_agencies(work, catalogue.agencies)
    fields = await changed_fields(work, catalogue.fields)
    if changed or agencies or fields:
        revision = await next_revision(work)
        await write_fields(work, fields)
        await write_agencies(work, agencies, revision=revision)
        await write_procedures(work, changed, names, revision=revision)
    return changed


async def lock_catalogue(work: Work) -> None:
    """Let nobody else change the catalogue until this transaction ends."""
    await work.session.execute(_ONE_IMPORT_AT_A_TIME)


async def next_revision(work: Work) -> int:
    """Give the catalogue its next revision, by which every process sees that it has to read again."""
    grown = update(CatalogueRevision).values(revision=CatalogueRevision.revision + 1)
    return await work.session.scalar(grown.returning(CatalogueRevision.revision)) or 0


async def changed_procedures(work: Work, entries: Sequence[ProcedureEntry]) -> list[ProcedureEntry]:
    """Return the entries whose version is not in the catalogue exactly as they are."""
    wanted = select(Procedure.code, Procedure.version, Procedure.digest)
    rows = await work.session.execute(wanted.where(Procedure.code.in_([entry.code for entry in entries])))
    known = {(code, version): digest for code, version, digest in rows}
    return [entry for entry in entries if known.get((entry.code, entry.version)) != digest_of(as_json(entry))]


async def write_procedures(
    work: Work, entries: Sequence[ProcedureEntry], fields: Mapping[str, str], *, revision: int
) -> None:
    """Write versions of procedures; `fields` names their fields. Emits intake.procedure.published.v1 for each."""
    if not entries:
        return
    statement = insert(Procedure)
    statement = statement.on_conflict_do_update(
        index_elements=["code", "version"],
        set_={name: statement.excluded[name] for name in (*_REPLACED, *_DATES)},
    )
    rows = [_procedure_row(work, entry, fields[entry.field], revision) for entry in entries]
    await work.session.execute(statement, rows)
    for entry in entries:
        work.emit(_published(entry, fields[entry.field]), subject=entry.code)


def as_json(entry: ProcedureEntry) -> dict[str, Any]:
    """Return an entry as the database keeps it: the same entry always gives the same."""
    return entry.model_dump(mode="json") | {"applicants": sorted(entry.applicants)}


def digest_of(content: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of a JSON object, whatever the order of its keys."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def _procedure_row(work: Work, entry: ProcedureEntry, field_name: str, revision: int) -> dict[str, object]:
    content = as_json(entry)
    receivers = {code for agency in entry.agencies for code in (agency, *agency_ancestors(agency))}
    return {
        "code": entry.code,
        "version": entry.version,
        "entry": content,
        "digest": digest_of(content),
        "imported_at": work.now,
        "revision": revision,
        "haystack": f" {' '.join(words_of(f'{entry.code} {entry.name} {field_name}'))}",
        "field_code": entry.field,
        "levels": [level.value for level in entry.all_levels],
        "receivers": sorted(receivers),
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
    }


async def expire_procedure(work: Work, *, code: str, last_day: date) -> None:
    """Let the newest version of a procedure end on a day. Raises ProcedureNotFound, InvalidRequest."""
    await lock_catalogue(work)
    wanted = select(Procedure).where(Procedure.code == code).order_by(Procedure.version.desc()).limit(1)
    newest = await work.session.scalar(wanted)
    if newest is None:
        raise ProcedureNotFound
    if last_day < newest.valid_from:
        message = f"It is in force from {newest.valid_from} on: give a later day."
        raise InvalidRequest(errors=[FieldError("body.last_day", message, "Ngày hết hiệu lực trước ngày có hiệu lực.")])
    # The digest stays that of what was brought in: no later start brings it back to life.
    newest.entry = {**newest.entry, "valid_to": last_day.isoformat()}
    newest.valid_to = last_day
    newest.revision = await next_revision(work)
    await work.session.flush()


async def changed_agencies(work: Work, entries: Sequence[AgencyEntry]) -> list[AgencyEntry]:
    """Return the entries that were never brought in exactly as they are; what people changed since does not count."""
    wanted = select(Agency.code, Agency.digest).where(Agency.code.in_([entry.code for entry in entries]))
    known = {row.code: row.digest for row in await work.session.execute(wanted)}
    return [entry for entry in entries if known.get(entry.code) != digest_of(entry.model_dump(mode="json"))]


async def write_agencies(work: Work, entries: Sequence[AgencyEntry], *, revision: int) -> None:
    """Write agencies, in place of what was known of them."""
    if not entries:
        return
    statement = insert(Agency)
    replace = {name: statement.excluded[name] for name in ("entry", "digest", "revision")}
    rows = [
        {"code": entry.code, "entry": content, "digest": digest_of(content), "revision": revision}
        for entry in entries
        for content in [entry.model_dump(mode="json")]
    ]
    await work.session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=replace), rows)


async def changed_fields(work: Work, entries: Sequence[FieldEntry]) -> list[FieldEntry]:
    """Return the fields that are new or have another name."""
    known = {row.code: row.name for row in await work.session.execute(select(Field.code, Field.name))}
    return [entry for entry in entries if known.get(entry.code) != entry.name]


async def write_fields(work: Work, entries: Sequence[FieldEntry]) -> None:
    """Write fields of procedures."""
    if not entries:
        return
    statement = insert(Field)
    replace = {"name": statement.excluded.name}
    rows = [entry.model_dump() for entry in entries]
    await work.session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=replace), rows)


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
