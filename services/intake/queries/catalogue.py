"""The catalogue as every process holds it in memory: submitting a dossier asks the database nothing about it."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.errors import ProcedureNotFound
from services.intake.models import (
    Agency,
    AgencyEntry,
    CatalogueFile,
    CatalogueRevision,
    Field,
    Level,
    Procedure,
    ProcedureEntry,
)
from shared.identifiers import IdentifierError, is_within, national_procedure


def plain(text: str) -> str:
    """Return a text as people type it in a hurry: lower case, no accents, đ as d."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@dataclass(frozen=True)
class Catalogue:
    """Agencies, fields and all versions of all procedures, at one revision."""

    revision: int
    agencies: dict[str, AgencyEntry]
    fields: dict[str, str]
    """Name of each field, by code."""
    versions: dict[str, tuple[ProcedureEntry, ...]]
    """The versions of each procedure, newest first."""

    def in_force(self, code: str, day: date) -> ProcedureEntry | None:
        """Return the newest version of a procedure that is in force on a day; the code may carry a province."""
        return next((version for version in self.versions_of(code) if version.in_force(day)), None)

    def versions_of(self, code: str) -> tuple[ProcedureEntry, ...]:
        """Return all versions of a procedure, none when it is not known."""
        if found := self.versions.get(code):
            return found
        try:
            return self.versions.get(national_procedure(code), ())
        except IdentifierError:
            return ()

    def current(self, day: date) -> Iterator[ProcedureEntry]:
        """Yield the procedures in force on a day, in order of code."""
        for code in self._codes:
            if found := self.in_force(code, day):
                yield found

    @cached_property
    def _codes(self) -> list[str]:
        return sorted(self.versions)

    @cached_property
    def haystacks(self) -> dict[tuple[str, int], str]:
        """What a search looks into, for each version: code and name without accents."""
        return {
            (entry.code, entry.version): plain(f"{entry.code} {entry.name}")
            for versions in self.versions.values()
            for entry in versions
        }


def read_catalogue(path: Path) -> CatalogueFile:
    """Return the catalogue of a file; raises OSError, or ValueError saying what in it is wrong."""
    return CatalogueFile.model_validate_json(path.read_bytes())


async def find_revision(session: AsyncSession) -> int:
    """Return the revision of the catalogue; 0 before the first import."""
    return await session.scalar(select(CatalogueRevision.revision)) or 0


async def load_catalogue(session: AsyncSession) -> Catalogue:
    """Return the catalogue as the database has it now."""
    # The revision is read first: what changes meanwhile only makes the next look load again.
    revision = await find_revision(session)
    agencies = await session.scalars(select(Agency.entry).order_by(Agency.code))
    fields = await session.execute(select(Field.code, Field.name).order_by(Field.code))
    procedures = await session.scalars(select(Procedure.entry).order_by(Procedure.code, Procedure.version.desc()))
    return Catalogue(
        revision=revision,
        agencies={entry.code: entry for entry in map(AgencyEntry.model_validate, agencies)},
        fields={row.code: row.name for row in fields},
        versions=_by_code(map(ProcedureEntry.model_validate, procedures)),
    )


def _by_code(entries: Iterable[ProcedureEntry]) -> dict[str, tuple[ProcedureEntry, ...]]:
    versions: defaultdict[str, list[ProcedureEntry]] = defaultdict(list)
    for entry in entries:
        versions[entry.code].append(entry)
    return {code: tuple(found) for code, found in versions.items()}


def get_procedure(catalogue: Catalogue, code: str, *, day: date) -> ProcedureEntry:
    """Return the version in force on a day, or the newest when none is; raises ProcedureNotFound."""
    versions = catalogue.versions_of(code)
    if not versions:
        raise ProcedureNotFound
    return catalogue.in_force(code, day) or versions[0]


def list_procedures(
    catalogue: Catalogue,
    *,
    day: date,
    words: str = "",
    field: str | None = None,
    agency: str | None = None,
    level: Level | None = None,
    after: str = "",
    limit: int,
) -> list[ProcedureEntry]:
    """Return procedures in force on a day whose code or name holds all the words, in order of code after `after`.

    Accents and case do not matter. `agency` keeps what that agency, or one below it, receives.
    """
    wanted = plain(words).split()
    found: list[ProcedureEntry] = []
    for entry in catalogue.current(day):
        if entry.code <= after or (field and entry.field != field) or (level and entry.level is not level):
            continue
        if agency and not any(is_within(receiver, agency) for receiver in entry.agencies):
            continue
        if all(word in catalogue.haystacks[entry.code, entry.version] for word in wanted):
            found.append(entry)
        if len(found) == limit:
            break
    return found
