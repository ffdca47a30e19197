"""The catalogue as every process holds it in memory: submitting a dossier asks the database nothing about it."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.errors import ProcedureNotFound
from services.intake.models import (
    Agency,
    AgencyEntry,
    CatalogueFile,
    CatalogueRevision,
    Field,
    Form,
    FormEntry,
    Procedure,
    ProcedureEntry,
)
from shared.identifiers import IdentifierError, agency_ancestors, current_agency, national_procedure


def plain(text: str) -> str:
    """Return a text as people type it in a hurry: lower case, no accents, đ as d."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """Return the words of a text for searching: plain, without punctuation; codes stay whole."""
    return re.findall(r"[\w.\-]+", plain(text))


@dataclass(frozen=True)
class Catalogue:
    """Agencies, fields, and all versions of all procedures and e-forms, at one revision.

    Versions are kept as JSON and become entries when somebody first asks for them: a catalogue of any size is loaded
    in the time that reading it takes.
    """

    revision: int
    agencies: Mapping[str, AgencyEntry]
    fields: Mapping[str, str]
    """Name of each field, by code."""
    texts: Mapping[str, Mapping[int, str]]
    """Each procedure's versions as JSON, by code and number."""
    forms: Mapping[str, tuple[FormEntry, ...]]
    """The versions of each e-form, newest first, by code."""
    _entries: dict[tuple[str, int], ProcedureEntry] = field(default_factory=dict, repr=False)

    def in_force(self, code: str, day: date) -> ProcedureEntry | None:
        """Return the newest version of a procedure that is in force on a day; the code may carry a province."""
        known = self._known(code)
        numbers = sorted(self.texts.get(known, ()), reverse=True)
        return next((found for number in numbers if (found := self.version(known, number)).in_force(day)), None)

    def versions_of(self, code: str) -> tuple[ProcedureEntry, ...]:
        """Return all versions of a procedure, newest first; none when it is not known."""
        known = self._known(code)
        return tuple(self.version(known, number) for number in sorted(self.texts.get(known, ()), reverse=True))

    def find_version(self, code: str, number: int) -> ProcedureEntry | None:
        """Return one version, None when it is not known (yet)."""
        return self.version(code, number) if number in self.texts.get(code, ()) else None

    def version(self, code: str, number: int) -> ProcedureEntry:
        """Return one version; raises KeyError."""
        found = self._entries.get((code, number))
        if found is None:
            found = self._entries[code, number] = ProcedureEntry.model_validate_json(self.texts[code][number])
        return found

    def _known(self, code: str) -> str:
        if code in self.texts:
            return code
        try:
            return national_procedure(code)
        except IdentifierError:
            return code

    def current(self, day: date) -> Iterator[ProcedureEntry]:
        """Yield the procedures in force on a day, in order of code."""
        for code in sorted(self.texts):
            if found := self.in_force(code, day):
                yield found

    def agency(self, code: str) -> AgencyEntry | None:
        """Return an agency by its present or old code, or by another identifier it is known by."""
        try:
            found = self.agencies.get(current_agency(code))
        except IdentifierError:
            found = None
        return found or self.agencies.get(self._also_known.get(code, ""))

    def successors(self, code: str, day: date) -> tuple[AgencyEntry, ...]:
        """Return the agencies that an agency's tasks are with on a day: itself while it exists, else its successors.

        Mergers and splits that followed each other are walked to their end. An agency without a successor of its own
        went with the nearest one above it that has some; none are returned where nobody took over.
        """
        found: dict[str, AgencyEntry] = {}
        ways, seen = [code], {code}
        while ways:
            here = self.agencies.get(ways.pop())
            if here is None:
                continue
            if here.receives_on(day):
                found[here.code] = here
                continue
            fresh = [other for other in self._heirs(here) if other not in seen]
            seen.update(fresh)
            ways.extend(fresh)
        return tuple(found[one] for one in sorted(found))

    def _heirs(self, agency: AgencyEntry) -> tuple[str, ...]:
        line = (agency.code, *agency_ancestors(agency.code))
        named = (self.agencies[code].successors for code in line if code in self.agencies)
        return next((heirs for heirs in named if heirs), ())

    def predecessors(self, code: str, day: date) -> tuple[str, ...]:
        """Return the closed agencies outside its subtree whose dossiers are this agency's now, in order of code."""
        found = set()
        for closed in self._closed:
            heirs = () if closed.receives_on(day) else self.successors(closed.code, day)
            if any(_within(heir.code, code) for heir in heirs) and not _within(closed.code, code):
                found.add(closed.code)
        return tuple(sorted(one for one in found if not any(above in found for above in agency_ancestors(one))))

    def agency_words(self, code: str) -> str:
        """Return what a search for agencies looks into."""
        return self._agency_words[code]

    @cached_property
    def _agency_words(self) -> Mapping[str, str]:
        return {
            one.code: " ".join(words_of(f"{one.code} {one.name} {' '.join(one.also_known_as)}"))
            for one in self.agencies.values()
        }

    @cached_property
    def _closed(self) -> Sequence[AgencyEntry]:
        return [agency for agency in self.agencies.values() if agency.valid_to is not None]

    @cached_property
    def _also_known(self) -> Mapping[str, str]:
        return {other: agency.code for agency in self.agencies.values() for other in agency.also_known_as}

    def receives(self, procedure: ProcedureEntry, agency: AgencyEntry, day: date) -> bool:
        """Tell whether an agency takes a procedure's dossiers on a day: named, heir of a named one, or by its level."""
        if not agency.receives_on(day):
            return False
        if not procedure.agencies:
            return agency.level in procedure.all_levels
        if agency.code in procedure.agencies:
            return True
        return any(agency in self.successors(code, day) for code in procedure.agencies)

    def receivers(self, procedure: ProcedureEntry, day: date) -> tuple[str, ...]:
        """Return the agencies that take a procedure's dossiers on a day."""
        if procedure.agencies:
            return tuple(dict.fromkeys(one.code for code in procedure.agencies for one in self.successors(code, day)))
        levels = procedure.all_levels
        return tuple(one.code for one in self.agencies.values() if one.level in levels and one.receives_on(day))

    def form_of(self, procedure: str, day: date) -> FormEntry | None:
        """Return the e-form that goes with a procedure on a day."""
        known = self._known(procedure)
        for code in self._forms_of.get(known, ()):
            form = next((form for form in self.forms[code] if form.valid_from <= day), None)
            if form and known in form.procedures:
                return form
        return None

    @cached_property
    def _forms_of(self) -> Mapping[str, Sequence[str]]:
        """Codes of the forms of which some version goes with a procedure."""
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for code, versions in self.forms.items():
            for procedure in {procedure for form in versions for procedure in form.procedures}:
                found[procedure][code] = None
        return {procedure: tuple(codes) for procedure, codes in found.items()}


def _within(agency: str, subtree: str) -> bool:
    return agency == subtree or agency.startswith(f"{subtree}.")


def read_catalogue(path: Path) -> CatalogueFile:
    """Return the catalogue of a file; raises OSError, or ValueError saying what in it is wrong."""
    return CatalogueFile.model_validate_json(path.read_bytes())


async def find_revision(session: AsyncSession) -> int:
    """Return the revision of the catalogue; 0 before the first import."""
    return await session.scalar(select(CatalogueRevision.revision)) or 0


async def load_catalogue(session: AsyncSession, known: Catalogue | None = None) -> Catalogue:
    """Return the catalogue as the database has it now; of what is known already, only later changes are read."""
    # The revision is read first: what changes meanwhile only makes the next look load again.
    revision = await find_revision(session)
    since = known.revision if known else -1
    fields = await session.execute(select(Field.code, Field.name).order_by(Field.code))
    agencies = await _changed_agencies(session, since)
    texts = await _changed_texts(session, since)
    before = known or Catalogue(-1, {}, {}, {}, {})
    entries = {key: entry for key, entry in before._entries.items() if key[0] not in texts}  # noqa: SLF001 - its own
    return Catalogue(
        revision=revision,
        agencies=dict(sorted({**before.agencies, **agencies}.items())),
        fields={row.code: row.name for row in fields},
        texts={**before.texts, **{code: {**before.texts.get(code, {}), **new} for code, new in texts.items()}},
        forms=_merged(before.forms, await _changed_forms(session, since)),
        _entries=entries,
    )


async def _changed_agencies(session: AsyncSession, since: int) -> dict[str, AgencyEntry]:
    rows = await session.scalars(select(Agency.entry).where(Agency.revision > since))
    return {entry.code: entry for entry in map(AgencyEntry.model_validate, rows)}


async def _changed_texts(session: AsyncSession, since: int) -> dict[str, dict[int, str]]:
    wanted = select(Procedure.code, Procedure.version, cast(Procedure.entry, Text())).where(Procedure.revision > since)
    texts: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for code, version, entry in await session.execute(wanted):
        texts[code][version] = entry
    return texts


async def _changed_forms(session: AsyncSession, since: int) -> list[FormEntry]:
    rows = await session.scalars(select(Form.entry).where(Form.revision > since))
    return [FormEntry.model_validate(entry) for entry in rows]


def _merged(known: Mapping[str, tuple[FormEntry, ...]], changed: list[FormEntry]) -> dict[str, tuple[FormEntry, ...]]:
    merged = dict(known)
    for form in sorted(changed, key=lambda form: form.version):
        others = (other for other in merged.get(form.code, ()) if other.version != form.version)
        merged[form.code] = (form, *others)
    return merged


def get_procedure(catalogue: Catalogue, code: str, *, day: date, version: int | None = None) -> ProcedureEntry:
    """Return the version asked for, else the one in force on a day, else the newest. Raises ProcedureNotFound."""
    versions = catalogue.versions_of(code)
    if version is not None:
        versions = tuple(found for found in versions if found.version == version)
    if not versions:
        raise ProcedureNotFound
    return versions[0] if version is not None else catalogue.in_force(code, day) or versions[0]


def get_valid_procedure(catalogue: Catalogue, code: str, *, agency: AgencyEntry, day: date) -> ProcedureEntry:
    """Return the version under which an agency takes dossiers on a day; raises ProcedureNotFound when it takes none."""
    found = catalogue.in_force(code, day)
    if found is None or not catalogue.receives(found, agency, day):
        raise ProcedureNotFound
    return found
