"""The index of a batch of scans: a CSV or XLSX file, read row by row, the same way every time."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from deploy.backlog.columns import COLUMNS, HEADINGS, REASON_COLUMNS, plain

INDEX_NAMES = ("index.csv", "index.xlsx")
_SNIFFED_CHARACTERS = 4096


class IndexUnreadable(Exception):
    """The index as a whole cannot be taken; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as written; rows count from 1, the heading and empty rows do not count."""

    row_no: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Index:
    """An index whose headings are understood."""

    path: Path
    sha256: str
    headings: Sequence[str]
    names: Sequence[str | None]
    """The column's name for each heading; None for those that are not read."""
    rows_total: int

    def rows(self, *, after: int = 0) -> Iterator[Row]:
        """Yield the rows behind one, in order."""
        numbered = enumerate(islice(_filled(_lines(self.path)), 1, None), start=1)
        return (Row(number, cells) for number, cells in islice(numbered, after, None))

    def named(self, row: Row) -> dict[str, str]:
        """Return a row's cells by the columns' names."""
        return {name: cell for name, cell in zip(self.names, row.cells, strict=False) if name}


def find_index(place: Path, *, apart_from: Path | None = None) -> Path:
    """Return the index that is meant by a folder or a file; a file that will be written is none.

    Raises IndexUnreadable.
    """
    found = [place / name for name in INDEX_NAMES if (place / name).is_file()] if place.is_dir() else [place]
    if len(found) != 1 or not found[0].is_file():
        raise IndexUnreadable(f"{place}: name one index, or a folder with {' or '.join(INDEX_NAMES)} in it.")
    if apart_from and apart_from.resolve() == found[0].resolve():
        raise IndexUnreadable("Write the rejects to another file than the index that is read.")
    return found[0]


def open_index(path: Path) -> Index:
    """Read an index's headings and count its rows. Raises IndexUnreadable."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    lines = _filled(_lines(path))
    headings = next(lines, [])
    names = [_name(heading) for heading in headings]
    missing = [column for column in COLUMNS if column.required and column.name not in names]
    if missing:
        words = ", ".join(f"{column.name} ({column.heading_vi})" for column in missing)
        raise IndexUnreadable(f"{path.name}: these columns are missing: {words}.")
    doubled = {name for name in names if name and names.count(name) > 1}
    if doubled:
        raise IndexUnreadable(f"{path.name}: these columns are there twice: {', '.join(sorted(doubled))}.")
    return Index(path, sha256, headings, names, sum(1 for _ in lines))


def _name(heading: str) -> str | None:
    if heading in REASON_COLUMNS or not heading:
        return None
    name = HEADINGS.get(plain(heading))
    if name is None:
        known = ", ".join(column.name for column in COLUMNS)
        raise IndexUnreadable(f"No column is called “{heading}”. Columns: {known}.")
    return name


def _filled(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    return (cells for cells in lines if any(cells))


def _lines(path: Path) -> Iterator[list[str]]:
    if path.suffix.lower() == ".xlsx":
        return _spreadsheet(path)
    if path.suffix.lower() == ".csv":
        return _separated(path)
    raise IndexUnreadable(f"{path.name}: an index is a .csv or an .xlsx file.")


def _separated(path: Path) -> Iterator[list[str]]:
    """Read CSV in UTF-8, with comma, semicolon or tab, as spreadsheets of either language write it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            heading = file.readline(_SNIFFED_CHARACTERS)
            file.seek(0)
            separator = max(",;\t", key=heading.count)
            for cells in csv.reader(file, delimiter=separator):
                yield [cell.strip() for cell in cells]
    except UnicodeDecodeError as problem:
        raise IndexUnreadable(f"{path.name}: save it as “CSV UTF-8”.") from problem
    except csv.Error as problem:
        raise IndexUnreadable(f"{path.name}: {problem}.") from problem


def _spreadsheet(path: Path) -> Iterator[list[str]]:
    """Read the first sheet."""
    try:
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        for cells in sheet.iter_rows():
            yield [_text(cell) for cell in cells]
    except CalamineError as problem:
        raise IndexUnreadable(f"{path.name}: {problem}.") from problem


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
