"""A day's statement as banks give it: CSV, XLSX, MT940."""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

import xlsxwriter

Format = Literal["csv", "xlsx", "mt940"]
MEDIA: dict[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "mt940": "text/plain",
}
COLUMNS = ("transaction_number", "booked_at", "amount_vnd", "content", "account_number")
HEADINGS = ("Số giao dịch", "Ngày giao dịch", "Số tiền ghi có", "Nội dung", "Số tài khoản")


def write(credits_: Sequence[dict[str, Any]], kind: Format, day: date) -> bytes:
    """Return a statement."""
    return {"csv": _csv, "xlsx": _xlsx, "mt940": _mt940}[kind](credits_, day)


def _csv(rows: Sequence[dict[str, Any]], _day: date) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows({name: row[name] for name in COLUMNS} for row in rows)
    return text.getvalue().encode()


def _xlsx(rows: Sequence[dict[str, Any]], _day: date) -> bytes:
    drawn = io.BytesIO()
    with xlsxwriter.Workbook(drawn, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sao kê")
        sheet.write_row(0, 0, HEADINGS)
        for number, row in enumerate(rows, start=1):
            booked = datetime.fromisoformat(row["booked_at"])
            cells = [row[name] for name in COLUMNS]
            cells[1] = f"{booked:%d/%m/%Y %H:%M:%S}"
            sheet.write_row(number, 0, cells)
    return drawn.getvalue()


def _mt940(rows: Sequence[dict[str, Any]], day: date) -> bytes:
    lines: list[str] = []
    for account in sorted({row["account_number"] for row in rows}):
        lines += [f":20:{day:%y%m%d}", f":25:970415/{account}", ":28C:1/1", f":60F:C{day:%y%m%d}VND0,"]
        for row in rows:
            if row["account_number"] == account:
                entry = f"{datetime.fromisoformat(row['booked_at']):%y%m%d}C{row['amount_vnd']},NTRF"
                lines += [f":61:{entry}NONREF//{row['transaction_number']}", f":86:{row['content']}"]
        lines += [f":62F:C{day:%y%m%d}VND0,", "-"]
    return "\n".join(lines).encode()
