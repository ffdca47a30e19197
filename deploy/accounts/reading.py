"""Reads a roster as offices keep them: CSV or XLSX, one row for each role that an official holds in a unit.

Columns may stand in any order, by their English or Vietnamese names. A row without unit and role is an account alone;
a row without an account is a unit. What cannot be taken is refused with its line and reason, the rest goes on.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from python_calamine import CalamineWorkbook

from services.workflow.operations.roster import AssignmentGiven, OfficialGiven, Roster, UnitGiven

TEXT_MAX = 200
ODDITIES_MAX = 10_000

_NAMES = {
    "username": ("username", "account", "tài khoản", "tên đăng nhập"),
    "name": ("name", "full name", "họ tên", "họ và tên"),
    "email": ("email", "e-mail", "thư điện tử"),
    "agency": ("agency", "agency code", "mã cơ quan", "mã định danh"),
    "agency_name": ("agency name", "tên cơ quan", "cơ quan"),
    "unit": ("unit", "unit code", "mã đơn vị", "đơn vị"),
    "unit_name": ("unit name", "tên đơn vị"),
    "parent": ("parent", "parent unit", "đơn vị cấp trên"),
    "role": ("role", "vai trò", "chức vụ"),
    "valid_from": ("valid from", "from", "từ ngày"),
    "valid_to": ("valid to", "to", "đến ngày"),
    "active": ("active", "status", "trạng thái"),
}
_COLUMN = {name: column for column, names in _NAMES.items() for name in names}
_INACTIVE = frozenset({"0", "no", "false", "inactive", "không", "nghỉ", "khóa", "ngừng hoạt động"})
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y")


class UnreadableError(ValueError):
    """This file is no roster."""


@dataclass(slots=True)
class Read:
    """What a file holds, and what was odd about it."""

    roster: Roster = field(default_factory=Roster)
    rows: int = 0
    refused: int = 0
    oddities: list[dict[str, object]] = field(default_factory=list)

    def odd(self, line: int, what: str, decided: str) -> None:
        """Note something odd and what was decided about it."""
        if len(self.oddities) < ODDITIES_MAX:
            self.oddities.append({"line": line, "what": what, "decided": decided})

    def refuse(self, line: int, what: str) -> None:
        """Leave a row out."""
        self.refused += 1
        self.odd(line, what, "row left out")


def read_roster(path: Path) -> Read:
    """Return the roster in a CSV or XLSX file; raises UnreadableError when it has no usable header."""
    read = Read()
    seen: dict[str, OfficialGiven] = {}
    units: dict[tuple[str, str], UnitGiven] = {}
    for line, row in _rows(path):
        read.rows += 1
        try:
            _take(read, line, row, seen, units)
        except ValueError as problem:
            read.refuse(line, str(problem))
    read.roster.officials, read.roster.units = list(seen.values()), list(units.values())
    return read


def _take(
    read: Read,
    line: int,
    row: dict[str, str],
    seen: dict[str, OfficialGiven],
    units: dict[tuple[str, str], UnitGiven],
) -> None:
    agency, unit, username = row.get("agency", ""), row.get("unit", ""), row.get("username", "")
    if not agency:
        raise ValueError("no agency")
    if long := [name for name, value in row.items() if len(value) > TEXT_MAX]:
        raise ValueError(f"{long[0]} is longer than {TEXT_MAX} characters")
    begins, ends = _day(row.get("valid_from", "")), _day(row.get("valid_to", ""))
    if begins and ends and ends < begins:
        raise ValueError("valid to lies before valid from")
    if row.get("agency_name"):
        read.roster.agency_names.setdefault(agency, row["agency_name"])
    if unit and (row.get("unit_name") or row.get("parent") or not username):
        dates = {} if username else {"valid_from": begins, "valid_to": ends}
        name, parent = row.get("unit_name") or unit, row.get("parent") or None
        units.setdefault((agency, unit), UnitGiven(agency=agency, code=unit, name=name, parent=parent, **dates))
    if not username:
        if not unit:
            raise ValueError("neither an account nor a unit")
        return
    _take_official(read, line, row, seen)
    if bool(unit) != bool(row.get("role")):
        read.odd(line, "a unit without a role, or a role without a unit", "account taken without an assignment")
    elif unit:
        given = AssignmentGiven(
            username=username, agency=agency, unit=unit, role=row["role"], valid_from=begins, valid_to=ends
        )
        read.roster.assignments.append(given)


def _take_official(read: Read, line: int, row: dict[str, str], seen: dict[str, OfficialGiven]) -> None:
    given = OfficialGiven(
        username=row["username"],
        agency=row["agency"],
        name=row.get("name") or row["username"],
        email=row.get("email") or None,
        active=row.get("active", "").casefold() not in _INACTIVE,
    )
    known = seen.setdefault(given.username, given)
    if known != given:
        read.odd(line, f"{given.username} stands with other particulars further up", "the first ones count")


def _day(value: str) -> date | None:
    if not value:
        return None
    for form in _DATES:
        try:
            return datetime.strptime(value, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    raise ValueError(f"{value} is no date (2026-04-07 or 07/04/2026)")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    sheets = _sheets(path) if path.suffix.casefold() in {".xlsx", ".xls", ".ods"} else [_lines(path)]
    usable = 0
    for sheet in sheets:
        lines = iter(sheet)
        columns = [_COLUMN.get(cell.strip().casefold().replace("_", " ")) for cell in next(lines, [])]
        if "agency" not in columns:
            continue
        usable += 1
        for number, cells in enumerate(lines, start=2):
            row = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column}
            if any(row.values()):
                yield number, row
    if not usable:
        raise UnreadableError(f"{path.name} has no column `agency` (mã cơ quan)")


def _lines(path: Path) -> Iterable[Sequence[str]]:
    text = path.read_text(encoding="utf-8-sig")
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    return csv.reader(io.StringIO(text), delimiter=delimiter)


def _sheets(path: Path) -> Iterator[Iterable[Sequence[str]]]:
    book = CalamineWorkbook.from_path(str(path))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
        yield [[_written(cell) for cell in row] for row in rows]


def _written(cell: object) -> str:
    if isinstance(cell, datetime | date):
        return cell.strftime("%Y-%m-%d")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
