"""Agencies out of lists that others wrote: administrative units, the portal's agencies, a province's own table.

A list of administrative units knows no agency identifiers (QĐ 20/2020/QĐ-TTg). A province has its own by name; a
commune gets one that is derived from its unit's code and can be told apart from those of departments (decision 0011).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from services.intake.models import AgencyEntry, Level
from services.intake.operations.sources.oddities import Notes, Oddity
from services.intake.operations.sources.reading import day_of, levels_of
from services.intake.operations.sources.rows import Row
from services.intake.operations.sources.texts import line_of, list_of
from services.intake.queries import plain
from shared.identifiers import IdentifierError, current_agency

UNIT_CODE_DIGITS = 5
_KINDS = ("thanh pho ", "tinh ", "tp ", "tp. ")


@dataclass(frozen=True, slots=True)
class AgencyReading:
    """What came of one row."""

    line: int
    code: str
    entry: AgencyEntry | None
    refusal: str
    oddities: tuple[Oddity, ...]


@cache
def _provinces() -> dict[str, Any]:
    return json.loads(files("services.intake").joinpath("data", "provinces.json").read_text(encoding="utf-8"))


@cache
def _province_codes() -> Mapping[str, str]:
    return {plain(one["name"]): one["code"] for one in _provinces()["provinces"]}


def merged_provinces() -> tuple[AgencyEntry, ...]:
    """Return the provinces that ended when the country was divided anew, with their successors (NQ 202/2025/QH15)."""
    last_day = date.fromisoformat(_provinces()["merged_on"]) - timedelta(days=1)
    return tuple(
        AgencyEntry(
            code=one["code"],
            name=f"Ủy ban nhân dân tỉnh {one['name']}",
            level=Level.PROVINCE,
            valid_to=last_day,
            successors=(one["successor"],),
        )
        for one in _provinces()["provinces"]
        if "successor" in one
    )


def read_agencies(rows: Iterable[Row]) -> Iterator[AgencyReading]:
    """Yield what came of each agency; a province in a list of units is followed by its communes."""
    for row in rows:
        if row.content is None:
            notes = Notes(row.line)
            notes.add("", "file_cut_short" if row.cut_short else "row_unreadable", row.problem, "refused")
            yield AgencyReading(row.line, "", None, row.problem, tuple(notes.oddities))
        elif isinstance(row.content.get("wards"), list):
            yield from _units(row.line, row.content)
        else:
            yield _read(row.line, _renamed(row.content))


def _units(line: int, province: Mapping[str, Any]) -> Iterator[AgencyReading]:
    notes = Notes(line)
    name = line_of(province.get("name"), notes, "name")
    code = _province_codes().get(_stem(name), "")
    since = _provinces()["merged_on"]
    unit = line_of(province.get("code"), notes, "code", most=40)
    said = {"code": code, "name": _office(name), "level": "province", "also_known_as": [unit], "notes": notes}
    yield _read(line, said)
    for ward in province["wards"]:
        notes = Notes(line)
        given = ward if isinstance(ward, Mapping) else {"name": ward}
        unit = line_of(given.get("code"), notes, "wards.code", most=40)
        yield _read(
            line,
            {
                "code": commune_code(code, unit),
                "name": _office(line_of(given.get("name"), notes, "wards.name")),
                "level": "commune",
                "parent": code,
                "valid_from": since,
                "also_known_as": [unit],
                "notes": notes,
            },
        )


def commune_code(province: str, unit: str) -> str:
    """Return the identifier of a commune until its national one is known: H32 and 22339 give H32.922.339.

    Departments have two digits behind the province, so the 9 keeps the two apart; "" without a usable code.
    """
    digits = re.sub(r"\D", "", unit).zfill(UNIT_CODE_DIGITS)
    if not province or not unit or len(digits) != UNIT_CODE_DIGITS:
        return ""
    return f"{province}.9{digits[:2]}.{digits[2:]}"


def _stem(name: str) -> str:
    words = plain(name)
    for kind in _KINDS:
        words = words.removeprefix(kind)
    return words.strip()


def _office(unit: str) -> str:
    return f"Ủy ban nhân dân {unit[:1].lower()}{unit[1:]}" if unit else ""


def _renamed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row in our words; LayDanhMucCoQuan has the portal's."""
    if "MADONVI" not in content:
        return dict(content)
    words = {"code": "MADONVI", "name": "TENDONVI", "level": "CAPDONVI", "parent": "MADONVICHA"}
    return {ours: content.get(theirs) for ours, theirs in words.items()}


def _read(line: int, said: Mapping[str, Any]) -> AgencyReading:
    notes: Notes = said.get("notes") or Notes(line)
    written = line_of(said.get("code"), notes, "code", most=100)
    name = line_of(said.get("name"), notes, "name")
    notes.code = _code(written)
    if not notes.code or not name:
        kind, problem = ("name_missing", "it has no name") if notes.code else ("code_missing", "it has no usable code")
        notes.add("code", kind, f"{written} {name}".strip() or "nothing", "refused")
        return AgencyReading(line, notes.code, None, problem, tuple(notes.oddities))
    parent = _code(line_of(said.get("parent"), notes, "parent", most=100))
    levels = levels_of(said.get("level"), notes)
    try:
        entry = AgencyEntry(
            code=notes.code,
            name=name,
            level=levels[0] if levels else Level.OTHER,
            parent=parent or None,
            valid_from=day_of(said.get("valid_from"), notes, "valid_from"),
            valid_to=day_of(said.get("valid_to"), notes, "valid_to"),
            successors=_codes(said.get("successors"), notes, "successors"),
            also_known_as=_others(said.get("also_known_as"), notes),
        )
    except ValidationError as problem:
        notes.add("", "row_unreadable", problem.errors()[0]["msg"], "refused")
        return AgencyReading(line, notes.code, None, "its values cannot be taken", tuple(notes.oddities))
    return AgencyReading(line, notes.code, entry, "", tuple(notes.oddities))


def _code(written: str) -> str:
    try:
        return current_agency(written)
    except IdentifierError:
        return ""


def _codes(value: object, notes: Notes, where: str) -> tuple[str, ...]:
    found = []
    for one in list_of(value, notes, where):
        for part in re.split(r"[,\s]+", line_of(one, notes, where, most=400)):
            if code := _code(part):
                found.append(code)
            elif part:
                notes.add(where, "agency_unknown", part, "left out")
    return tuple(dict.fromkeys(found))


def _others(value: object, notes: Notes) -> tuple[str, ...]:
    found = (line_of(one, notes, "also_known_as", most=40) for one in list_of(value, notes, "also_known_as"))
    return tuple(dict.fromkeys(one for one in found if re.fullmatch(r"[\w.\-]{1,40}", one)))
