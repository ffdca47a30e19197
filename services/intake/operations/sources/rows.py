"""Rows out of files: JSON Lines, JSON, CSV, XLSX, plain or gzipped; a row that cannot be read says so with its line."""

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from services.intake.operations.sources.headings import agency_content, agency_meanings, content_of, meanings

BYTES_MAX = 512 * 1024 * 1024
"""Unpacked: a small packed file cannot fill the memory."""
HEADING_ROWS = 20
"""Sheets begin with titles; the headings are looked for in so many rows."""
CELL_MAX = 2_000_000
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
NESTED = ("procedures", "agencies", "result", "data", "rows", "items")
"""Under these names a document holds its rows."""


class UnreadableError(ValueError):
    """The file holds nothing that can be read as rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it says, or why it cannot be read."""

    line: int
    content: dict[str, Any] | None
    problem: str = ""
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """How a kind of table is read: what its headings mean, and what a row of it says."""

    meanings: Callable[[Sequence[str]], dict[int, str]]
    content: Callable[[Mapping[int, str], Sequence[Any]], dict[str, Any]]


PROCEDURES = Table(meanings, content_of)
AGENCIES = Table(agency_meanings, agency_content)


def read_rows(data: bytes, table: Table = PROCEDURES) -> Iterator[Row]:
    """Yield the rows of a file by what it holds, whatever it is called; raises UnreadableError."""
    data, cut = _unpacked(data)
    if data.startswith(ZIP):
        yield from _sheet_rows(data, table)
        return
    text = _decoded(data)
    first = text.lstrip()[:1]
    if first == "[" or (first == "{" and _is_one_document(text)):
        yield from _document_rows(text)
    elif first == "{" or not text.strip():
        yield from _json_lines(text, cut=cut)
    else:
        yield from _csv_rows(text, table)


def rows_of(contents: Iterable[object]) -> Iterator[Row]:
    """Yield rows that came as JSON values already, numbered from 1."""
    for line, content in enumerate(contents, start=1):
        yield _row(line, content)


def _row(line: int, content: object) -> Row:
    if isinstance(content, dict):
        return Row(line, content)
    return Row(line, None, f"a {type(content).__name__} where an object should be")


def _unpacked(data: bytes) -> tuple[bytes, bool]:
    if not data.startswith(GZIP):
        return data, False
    inflater = zlib.decompressobj(wbits=31)
    try:
        unpacked = inflater.decompress(data, BYTES_MAX)
    except zlib.error as problem:
        raise UnreadableError(f"The gzip file is damaged: {problem}.") from problem
    if inflater.unconsumed_tail:
        raise UnreadableError(f"Unpacked it is larger than {BYTES_MAX} bytes.")
    return unpacked, not inflater.eof


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _is_one_document(text: str) -> bool:
    """Tell whether a text that begins like an object is one object over several lines, not one object a line."""
    head = text.lstrip().split("\n", 1)[0]
    try:
        found = json.loads(head)
    except (ValueError, RecursionError):
        return _loaded(text) is not None
    return isinstance(found, dict) and _nested(found) is not None


def _nested(content: Mapping[str, Any]) -> list[Any] | None:
    """Return the rows that a document wraps; None for a row, which has a code itself."""
    if "code" in content or "MATTHC" in content or "MADONVI" in content:
        return None
    return next((content[name] for name in NESTED if isinstance(content.get(name), list)), None)


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _document_rows(text: str) -> Iterator[Row]:
    content = _loaded(text)
    if isinstance(content, dict):
        nested = _nested(content)
        yield from rows_of([content] if nested is None else nested)
    elif isinstance(content, list):
        yield from rows_of(content)
    else:
        yield from _json_lines(text, cut=False)


def _json_lines(text: str, *, cut: bool) -> Iterator[Row]:
    lines = text.split("\n")
    whole = lines[:-1] if cut else lines
    for line, written in enumerate(whole, start=1):
        part = written.strip().strip("\ufeff").rstrip(",")
        if not part:
            continue
        try:
            yield _row(line, json.loads(part))
        except (ValueError, RecursionError) as problem:
            yield Row(line, None, f"no JSON: {str(problem)[:120]}")
    if cut:
        # What stands there may look whole, and what came behind it is gone.
        yield Row(len(lines), None, "the packed file breaks off here: rows are missing", cut_short=True)


def _csv_rows(text: str, table: Table) -> Iterator[Row]:
    csv.field_size_limit(CELL_MAX)
    sample = text[:20_000]
    separator = max(",;\t", key=sample.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text.replace("\x00", "")), delimiter=separator)
    try:
        yield from _table_rows(((reader.line_num, cells) for cells in reader), table)
    except csv.Error as problem:
        raise UnreadableError(f"The CSV file cannot be read after line {reader.line_num}: {problem}.") from problem


def _sheet_rows(data: bytes, table: Table) -> Iterator[Row]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except (CalamineError, OSError) as problem:
        raise UnreadableError(f"The workbook cannot be read: {problem}.") from problem
    for sheet in sheets:
        # Merged and empty cells at the top count: a line is the sheet's own.
        rows = sheet.to_python(skip_empty_area=False)
        lines = enumerate(rows, start=1)
        if any(_headings(row, table) for row in rows[:HEADING_ROWS]):
            yield from _table_rows(lines, table)
            return
    raise UnreadableError(_NO_HEADINGS)


_NO_HEADINGS = (
    "No row of headings names a code and a name (code, name, … or Mã TTHC, Tên TTHC, …): "
    "services/intake/README.md lists the headings that are understood."
)


def _table_rows(lines: Iterable[tuple[int, Sequence[Any]]], table: Table) -> Iterator[Row]:
    columns: dict[int, str] = {}
    for line, cells in lines:
        if not columns:
            columns = _headings(cells, table)
            if not columns and line > HEADING_ROWS:
                break
            continue
        if any(str(cell).strip() for cell in cells):
            yield Row(line, table.content(columns, cells))
    if not columns:
        raise UnreadableError(_NO_HEADINGS)


def _headings(cells: Sequence[Any], table: Table) -> dict[int, str]:
    """Return the meaning of each column, none when this is no row of headings."""
    found = table.meanings([str(cell) for cell in cells])
    return found if {"code", "name"} <= set(found.values()) else {}
