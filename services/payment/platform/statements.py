"""Bank statement files: CSV, XLSX and MT940. Only credits are taken; what is written of a debit is passed over.

CSV (UTF-8, comma or semicolon) and the first sheet of an XLSX have a heading row; columns are found by these names, in
any order, others are passed over:

    transaction_number   or  Số giao dịch, Mã giao dịch, Số tham chiếu
    booked_at            or  Ngày giao dịch, Thời gian giao dịch
                         2026-11-23T14:30:05+07:00, 23/11/2026 14:30:05, 23/11/2026
    amount_vnd           or  Số tiền ghi có, Ghi có, Số tiền
                         50000, 50.000, 50,000; empty or negative is no credit
    content              or  Nội dung, Diễn giải, Nội dung giao dịch
    account_number       or  Số tài khoản; may be absent when the call names the account

MT940 (SWIFT): `:25:` account; `:61:` value date, entry date, C, amount with a comma, type, our reference`//`the bank's;
`:86:` words.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Literal

from python_calamine import CalamineError, CalamineWorkbook

from services.payment.errors import StatementUnreadable
from services.payment.operations.bank import Line
from shared.clock import VN
from shared.errors import FieldError

Format = Literal["csv", "xlsx", "mt940"]
BYTES_MAX, LINES_MAX, ERRORS_MAX, NAME_MAX = 10 * 2**20, 20_000, 20, 64
COLUMNS = {
    "transaction_number": ("transaction_number", "số giao dịch", "mã giao dịch", "số tham chiếu"),
    "booked_at": ("booked_at", "ngày giao dịch", "thời gian giao dịch"),
    "amount_vnd": ("amount_vnd", "số tiền ghi có", "ghi có", "số tiền"),
    "content": ("content", "nội dung", "diễn giải", "nội dung giao dịch"),
    "account_number": ("account_number", "số tài khoản"),
}
TIMES = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
_ENTRY = re.compile(
    r"(?P<day>\d{6})(?:\d{4})?(?P<mark>R?[CD])[A-Z]?(?P<amount>\d{1,15},\d{0,2})[A-Z]\w{3}(?P<ours>[^/]*)(?://(?P<bank>\S+))?"
)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{3})+|[+-]?\d+")

Row = dict[str, Any]


class _Unfit(Exception):
    """A row cannot be taken; the message says why."""


def read_statement(content: bytes, kind: Format, account_number: str | None) -> list[Line]:
    """Return the credits of a statement; account_number is that of rows that name none.

    Raises StatementUnreadable, which names the first rows that are wrong; nothing of such a file is taken.
    """
    if len(content) > BYTES_MAX:
        raise StatementUnreadable(f"At most {BYTES_MAX} bytes.")
    rows = {"csv": _csv, "xlsx": _xlsx, "mt940": _mt940}[kind](content)
    lines: list[Line] = []
    errors: list[FieldError] = []
    for number, row in enumerate(rows, start=1):
        if number > LINES_MAX:
            raise StatementUnreadable(f"At most {LINES_MAX} rows.")
        try:
            line = _line(row, account_number)
        except _Unfit as problem:
            errors.append(FieldError(f"rows[{number}]", str(problem)))
            continue
        if line is not None:
            lines.append(line)
    if errors:
        raise StatementUnreadable(f"{len(errors)} rows cannot be read.", errors=errors[:ERRORS_MAX])
    return lines


def _line(row: Row, account_number: str | None) -> Line | None:
    """Return a row as a credit; None when it is none. Raises _Unfit."""
    amount_vnd = _amount(row.get("amount_vnd"))
    if amount_vnd is None:
        return None
    transaction_number = str(row.get("transaction_number") or "").strip()
    account = str(row.get("account_number") or account_number or "").strip()
    if not transaction_number or len(transaction_number) > NAME_MAX:
        raise _Unfit("transaction_number: 1 to 64 characters")
    if not account or len(account) > NAME_MAX:
        raise _Unfit("account_number: in the row, or for the whole file")
    content = " ".join(str(row.get("content") or "").split())[:500]
    return Line(account, transaction_number, _time(row.get("booked_at")), amount_vnd, content)


def _amount(value: object) -> int | None:
    """Return whole đồng of a credit, None for a debit or nothing. Raises _Unfit."""
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        if value != int(value):
            raise _Unfit("amount_vnd: whole đồng")
        return int(value) if 0 < value < 10**15 else None
    text = str(value).strip().removesuffix("đ").removesuffix("VND").strip()
    if not _GROUPED.fullmatch(text):
        raise _Unfit("amount_vnd: digits, thousands apart by . or ,")
    amount_vnd = int(re.sub(r"[.,]", "", text))
    return amount_vnd if 0 < amount_vnd < 10**15 else None


def _time(value: object) -> datetime:
    """Return a moment; without a zone it is Vietnam's. Raises _Unfit."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=VN)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=VN)
    text = str(value or "").strip()
    for form in TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=VN)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError as problem:
        raise _Unfit("booked_at: 2026-11-23T14:30:05+07:00 or 23/11/2026 14:30:05") from problem
    return found if found.tzinfo else found.replace(tzinfo=VN)


def _csv(content: bytes) -> Iterator[Row]:
    text = _text(content)
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        yield from _named(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as problem:
        raise StatementUnreadable(f"The CSV is malformed: {problem}.") from problem


def _xlsx(content: bytes) -> Iterator[Row]:
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError) as problem:
        raise StatementUnreadable("This is no XLSX workbook.") from problem
    yield from _named(iter(sheet.to_python(skip_empty_area=True)))


def _named(rows: Iterator[Sequence[Any]]) -> Iterator[Row]:
    """Yield rows by the names of their columns; raises StatementUnreadable when the heading names too few."""
    heading = [str(cell).strip().lower() for cell in next(rows, ())]
    places = {
        name: next((place for place, cell in enumerate(heading) if cell in names), None)
        for name, names in COLUMNS.items()
    }
    missing = [name for name, place in places.items() if place is None and name != "account_number"]
    if missing:
        raise StatementUnreadable(f"The heading row names no {', '.join(missing)}.")
    for row in rows:
        if any(cell not in (None, "") for cell in row):
            yield {name: row[place] for name, place in places.items() if place is not None and place < len(row)}


def _mt940(content: bytes) -> Iterator[Row]:
    account, entry = "", None
    for tag, value in _fields(_text(content).splitlines()):
        if tag == "25":
            account = value.rpartition("/")[2].strip()
        elif tag == "61":
            if entry is not None:
                yield entry
            entry = _entry(value, account)
        elif tag == "86" and entry is not None:
            entry["content"] = value
            yield entry
            entry = None
    if entry is not None:
        yield entry


def _fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    tag, value = "", ""
    for line in lines:
        begun = re.match(r":(\d\d[A-Z]?):(.*)", line)
        if begun or line.startswith("-"):
            if tag:
                yield tag, value
            tag, value = begun.groups() if begun else ("", "")
        elif tag:
            value += " " + line.strip()
    if tag:
        yield tag, value


def _entry(value: str, account: str) -> Row:
    found = _ENTRY.match(value)
    if found is None:
        raise StatementUnreadable(f"This :61: cannot be read: {value[:40]}")
    whole, _, fraction = found["amount"].partition(",")
    if fraction.strip("0"):
        raise StatementUnreadable("Amounts are whole đồng.")
    return {
        "transaction_number": (found["bank"] or found["ours"]).strip(),
        "booked_at": datetime.strptime(found["day"], "%y%m%d").replace(tzinfo=VN),
        "amount_vnd": int(whole) if found["mark"] in {"C", "RD"} else None,
        "account_number": account,
        "content": "",
    }


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise StatementUnreadable("The file is not UTF-8.") from problem
