"""A row of the national catalogue, as JSON or in the portal's words, becomes a draft; no row stops the rest."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from services.intake.models import Level, NationalRecord
from services.intake.operations.sources import portal
from services.intake.operations.sources.drafts import Draft
from services.intake.operations.sources.oddities import Notes, Oddity
from services.intake.operations.sources.papers import read_components, read_results
from services.intake.operations.sources.rows import Row
from services.intake.operations.sources.texts import line_of, list_of, text_of
from services.intake.operations.sources.ways import read_ways
from services.intake.queries import plain
from shared.events.values import Channel, PartyKind

_NATIONAL = re.compile(r"\d\.\d{6}(?:(?:\.\d{3}\.\d{2}\.\d{2})?\.[HG]\d{2})?")
_DIGITS = re.compile(r"\d{7}")
_LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "ministry": Level.MINISTRY,
        "trung uong": Level.MINISTRY,
        "cap bo": Level.MINISTRY,
        "province": Level.PROVINCE,
        "tinh": Level.PROVINCE,
        "so": Level.PROVINCE,
        "district": Level.DISTRICT,
        "huyen": Level.DISTRICT,
        "commune": Level.COMMUNE,
        "ward": Level.COMMUNE,
        "xa": Level.COMMUNE,
        "phuong": Level.COMMUNE,
        "other": Level.OTHER,
        "khac": Level.OTHER,
        "bo": Level.MINISTRY,
    }
)
_NEAREST = (Level.COMMUNE, Level.DISTRICT, Level.PROVINCE, Level.MINISTRY, Level.OTHER)
_APPLICANTS: Mapping[str, PartyKind] = MappingProxyType(
    {
        "state_agency": PartyKind.STATE_AGENCY,
        "co quan nha nuoc": PartyKind.STATE_AGENCY,
        "citizen": PartyKind.CITIZEN,
        "cong dan": PartyKind.CITIZEN,
        "ca nhan": PartyKind.CITIZEN,
        "foreigner": PartyKind.CITIZEN,
        "nguoi nuoc ngoai": PartyKind.CITIZEN,
        "overseas_vietnamese": PartyKind.CITIZEN,
        "dinh cu": PartyKind.CITIZEN,
        "official": PartyKind.CITIZEN,
        "can bo": PartyKind.CITIZEN,
        "household": PartyKind.CITIZEN,
        "ho gia dinh": PartyKind.CITIZEN,
        "organisation": PartyKind.ORGANISATION,
        "organization": PartyKind.ORGANISATION,
        "enterprise": PartyKind.ORGANISATION,
        "cooperative": PartyKind.ORGANISATION,
        "to chuc": PartyKind.ORGANISATION,
        "doanh nghiep": PartyKind.ORGANISATION,
        "hop tac xa": PartyKind.ORGANISATION,
    }
)
"""Officials ask as persons; foreigners and Vietnamese abroad are persons to a procedure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one row: a draft, or why it was refused; and what was odd."""

    line: int
    code: str
    draft: Draft | None
    refusal: str
    oddities: tuple[Oddity, ...]


def read_procedures(rows: Iterable[Row]) -> Iterator[Reading]:
    """Yield what came of each row, in their order."""
    for row in rows:
        notes = Notes(row.line)
        try:
            draft, refusal = _read(row, notes)
        except (ValueError, TypeError, ArithmeticError, RecursionError) as problem:
            # Values of a kind that nobody foresaw: the row is named, the others go on.
            draft, refusal = None, f"its values cannot be understood: {type(problem).__name__}"
            notes.add("", "row_unreadable", refusal, "refused")
        yield Reading(row.line, notes.code, draft, refusal, tuple(notes.oddities))


def _read(row: Row, notes: Notes) -> tuple[Draft | None, str]:
    if row.content is None:
        notes.add("", "file_cut_short" if row.cut_short else "row_unreadable", row.problem, "refused")
        return None, row.problem
    said = portal.translate(row.content) if portal.is_portal(row.content) else row.content
    written = line_of(said.get("code"), notes, "code", most=200)
    notes.code = _code(written, notes)
    if not notes.code:
        notes.add("code", "code_missing", _identity(said), "refused: nothing tells which procedure it is")
        return None, "it names no procedure: code is missing"
    # Oddities that were noted before the code was known belong to it, too.
    earlier, notes.oddities = notes.oddities, []
    for odd in earlier:
        notes.add(odd.field, odd.kind, odd.found, odd.decided)
    return _draft(said, notes), ""


def _identity(said: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {str(value)[:80]}" for key, value in list(said.items())[:4]) or "nothing at all"


def _code(written: str, notes: Notes) -> str:
    """Return the code as it is written in the national form, else as it stands, cleaned; "" when there is none."""
    if _NATIONAL.fullmatch(written) or not written:
        return written
    inside, digits = _NATIONAL.search(written.replace(",", ".")), _DIGITS.fullmatch(written.strip())
    if inside:
        code = inside.group()
    elif digits:
        code = f"{written[0]}.{written[1:7]}"
    else:
        code = re.sub(r"[^\w.\-]+", "-", written).strip("-.")[:60]
    notes.code = code
    notes.add("code", "code_unusual", written, f"kept as {code}" if code else "there is none")
    return code


def _draft(said: Mapping[str, Any], notes: Notes) -> Draft:
    name = line_of(said.get("name"), notes, "name")
    if not name:
        notes.add("name", "name_missing", said.get("name"), "the name it had, else its code")
    field_name = line_of(said.get("field"), notes, "field", most=300)
    if not field_name:
        notes.add("field", "field_missing", said.get("field"), "the field it had, else Lĩnh vực khác")
    ways, texts = read_ways(said.get("channels"), notes)
    if not ways:
        notes.add("channels", "channels_missing", said.get("channels"), "the ways it had, else at the counter only")
    basis = [line_of(one, notes, "legal_basis") for one in list_of(said.get("legal_basis"), notes, "legal_basis")]
    return Draft(
        code=notes.code,
        name=name,
        field_name=field_name,
        field_code=line_of(said.get("field_code"), notes, "field_code", most=100) or None,
        levels=levels_of(said.get("levels"), notes),
        applicants=_applicants(said.get("applicants"), notes),
        agencies=tuple(line_of(one, notes, "agencies", most=100) for one in list_of(said.get("agencies"), notes, "")),
        ways=ways,
        components=read_components(said.get("components"), notes),
        results=read_results(said.get("results"), notes),
        legal_basis=tuple(dict.fromkeys(one for one in basis if one)),
        record=_record(said, texts, notes),
        valid_from=day_of(said.get("valid_from"), notes, "valid_from"),
        valid_to=day_of(said.get("valid_to"), notes, "valid_to"),
        service_level=plain(line_of(said.get("service_level"), notes, "service_level", most=100)),
    )


def _record(said: Mapping[str, Any], texts: dict[Channel, str], notes: Notes) -> NationalRecord:
    names = ("ministry", "decision", "kind", "authority", "performed_by", "coordinated_with")
    lines = {name: line_of(said.get(name), notes, name, most=4000) for name in names}
    requirements = text_of(said.get("requirements"), notes, "requirements", most=20_000)
    return NationalRecord(**lines, requirements=requirements, notes=texts)


def levels_of(value: object, notes: Notes) -> tuple[Level, ...]:
    """Return the levels, the one nearest to the citizen first."""
    found: set[Level] = set()
    for one in list_of(value, notes, "levels"):
        for part in re.split(r"[,;/]", line_of(one, notes, "levels", most=300)):
            words = plain(part).strip()
            level = next((level for name, level in _LEVELS.items() if re.search(rf"\b{name}\b", words)), None)
            if level is None and words:
                notes.add("levels", "level_unknown", part, "kept as another body's")
            elif level is Level.DISTRICT:
                notes.add("levels", "level_abolished", part, "kept; no agency of this level receives since 2025-07-01")
            if words:
                found.add(level or Level.OTHER)
    if not found:
        notes.add("levels", "level_missing", value, "the levels it had, else another body's")
    return tuple(level for level in _NEAREST if level in found)


def _applicants(value: object, notes: Notes) -> frozenset[PartyKind]:
    found: set[PartyKind] = set()
    for one in list_of(value, notes, "applicants"):
        words = plain(line_of(one, notes, "applicants", most=300))
        kinds = {kind for name, kind in _APPLICANTS.items() if name in words}
        if not kinds and words:
            notes.add("applicants", "applicant_unknown", one, "kept as others")
        found |= kinds or {PartyKind.OTHER}
    if not found:
        notes.add("applicants", "applicants_missing", value, "whom it was for, else everybody")
    return frozenset(found)


def day_of(value: object, notes: Notes, where: str) -> date | None:
    """Return a day as people and other systems write it, None when there is none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date) or value is None or value == "":
        return value or None
    text = str(value).strip()
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%Y%m%d%H%M%S"):
        try:
            return datetime.strptime(text[: 14 if "S" in form else 10], form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    notes.add(where, "dates_unreadable", value, "left out")
    return None
