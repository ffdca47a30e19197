"""Statements that providers make of a day for their merchants: CSV (UTF-8, comma or semicolon) or XLSX.

The heading row names the columns in any order, others are passed over:

    transaction_number  or  vnp_TransactionNo, MaGiaoDich, Mã giao dịch, Số giao dịch
    amount_vnd          or  vnp_Amount (×100), SoTien, Số tiền, Số tiền ghi có
    reference           or  vnp_TxnRef, MaThamChieu, Mã tham chiếu            may be absent
    status              or  vnp_TransactionStatus, TrangThaiGD, Trạng thái    may be absent: all are successes
    paid_at             or  vnp_PayDate, ThoiGianGD, booked_at, Thời gian     may be absent
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from services.payment.errors import StatementUnreadable
from services.payment.operations.reconciliation import Line
from services.payment.states import LineStatus
from shared.clock import VN
from shared.errors import FieldError

BYTES_MAX, LINES_MAX, ERRORS_MAX = 20 * 2**20, 100_000, 20
XLSX_SIGNATURE = b"PK\x03\x04"
HUNDREDTHS = "vnp_amount"
COLUMNS = {
    "transaction_number": ("transaction_number", "vnp_transactionno", "magiaodich", "mã giao dịch", "số giao dịch"),
    "amount_vnd": ("amount_vnd", HUNDREDTHS, "sotien", "số tiền", "số tiền ghi có"),
    "reference": ("reference", "vnp_txnref", "mathamchieu", "mã tham chiếu"),
    "status": ("status", "vnp_transactionstatus", "trangthaigd", "trạng thái"),
    "paid_at": (
        "paid_at",
        "vnp_paydate",
        "thoigiangd",
        "booked_at",
        "thời gian",
        "thời gian giao dịch",
        "ngày giao dịch",
    ),
}
STATUSES = {
    "": LineStatus.SUCCESS,
    "success": LineStatus.SUCCESS,
    "00": LineStatus.SUCCESS,
    "1": LineStatus.SUCCESS,
    "thành công": LineStatus.SUCCESS,
    "reversed": LineStatus.REVERSED,
    "04": LineStatus.REVERSED,
    "pending": LineStatus.PENDING,
    "01": LineStatus.PENDING,
    "3": LineStatus.PENDING,
}
"""Whatever else a provider says of a transaction is a failure."""
TIMES = ("%Y%m%d%H%M%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+|\d+")


class _Unfit(Exception):
    """A row cannot be taken; the message says why."""


def read_day(content: bytes) -> list[Line]:
    """Return the transactions of a provider's statement.

    Raises StatementUnreadable, which names the first rows that are wrong; nothing of such a file is taken.
    """
    if len(content) > BYTES_MAX:
        raise StatementUnreadable(f"At most {BYTES_MAX} bytes.")
    rows = _xlsx(content) if content.startswith(XLSX_SIGNATURE) else _csv(content)
    places, is_hundredths = _places(next(rows, []))
    lines: list[Line] = []
    errors: list[FieldError] = []
    for number, row in enumerate(rows, start=2):
        if number > LINES_MAX:
            raise StatementUnreadable(f"At most {LINES_MAX} rows.")
        cells = {name: row[place] if place < len(row) else "" for name, place in places.items()}
        if not any(cells.values()):
            continue
        try:
            lines.append(_line(cells, is_hundredths=is_hundredths))
        except _Unfit as problem:
            errors.append(FieldError(f"rows[{number}]", str(problem)))
    if errors:
        raise StatementUnreadable(f"{len(errors)} rows cannot be read.", errors=errors[:ERRORS_MAX])
    return lines


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise StatementUnreadable("Save it as CSV in UTF-8, or as XLSX.") from problem
    heading = text.partition("\n")[0]
    yield from csv.reader(io.StringIO(text), delimiter=";" if heading.count(";") > heading.count(",") else ",")


def _xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    except (CalamineError, IndexError) as problem:
        raise StatementUnreadable("This is no XLSX workbook.") from problem
    for row in sheet.to_python():
        yield [_cell(value) for value in row]


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _places(heading: Iterable[str]) -> tuple[dict[str, int], bool]:
    """Return where each column is, and whether amounts are a hundred times too high as VNPAY writes them."""
    names = [name.strip().lower() for name in heading]
    places = {
        column: next((names.index(alias) for alias in aliases if alias in names), -1)
        for column, aliases in COLUMNS.items()
    }
    missing = [column for column in ("transaction_number", "amount_vnd") if places[column] < 0]
    if missing:
        raise StatementUnreadable(f"The heading row names no {' and no '.join(missing)}.")
    found = {column: place for column, place in places.items() if place >= 0}
    return found, names[found["amount_vnd"]] == HUNDREDTHS


def _line(cells: dict[str, str], *, is_hundredths: bool) -> Line:
    """Return a row as a transaction. Raises _Unfit."""
    number = cells["transaction_number"].strip()
    amount = cells["amount_vnd"].strip()
    if not 0 < len(number) <= 64:  # noqa: PLR2004 - as long as the longest number of a provider
        raise _Unfit("no transaction number")
    if not _GROUPED.fullmatch(amount):
        raise _Unfit("the amount is no whole number of đồng")
    amount_vnd = int(re.sub("[.,]", "", amount))
    if is_hundredths:
        amount_vnd, rest = divmod(amount_vnd, 100)
        if rest:
            raise _Unfit("vnp_Amount is no whole number of đồng")
    status = STATUSES.get(cells.get("status", "").strip().lower(), LineStatus.FAILED)
    return Line(number, amount_vnd, status, cells.get("reference", "").strip() or None, _time(cells.get("paid_at", "")))


def _time(text: str) -> datetime | None:
    """Return a time, Việt Nam's when it names no zone. Raises _Unfit."""
    words = text.strip()
    if not words:
        return None
    try:
        found = datetime.fromisoformat(words) if "T" in words else None
    except ValueError as problem:
        raise _Unfit("the time is no time") from problem
    for form in () if found else TIMES:
        try:
            found = datetime.strptime(words, form)  # noqa: DTZ007 - its zone follows
        except ValueError:
            continue
        break
    if found is None:
        raise _Unfit("the time is no time")
    return found if found.tzinfo else found.replace(tzinfo=VN)
