"""The settlement report as a sheet: CSV and XLSX with Vietnamese headings."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

from shared import printing

COLUMNS = {
    "agency_code": "Đơn vị",
    "treasury_account": "Tài khoản kho bạc",
    "provider": "Kênh thu",
    "transactions": "Số giao dịch",
    "phi_vnd": "Phí",
    "le_phi_vnd": "Lệ phí",
    "unsettled_vnd": "Chờ hoàn trả, chờ xác định",
    "adjusted_vnd": "Điều chỉnh đối soát",
    "refunded_vnd": "Đã hoàn trả",
    "paid_out_vnd": "Đã chuyển kho bạc",
    "reversed_vnd": "Bút toán đảo",
    "held_vnd": "Còn tại kênh thu",
}
DEFINITIONS = {
    "transactions": "transactions that settled a fee, each once, by the day on which they were paid",
    "phi_vnd": "settled fees, their phí",
    "le_phi_vnd": "settled fees, their lệ phí",
    "unsettled_vnd": "money that settled nothing or is not identified, less what was identified since",
    "adjusted_vnd": "differences with the provider that two people resolved",
    "refunded_vnd": "refunds that arrived and were paid from what the provider holds, less those that came back",
    "paid_out_vnd": "transfers into the treasury account",
    "reversed_vnd": "payouts and adjustments that were taken back",
    "held_vnd": "all money in less all money out since the beginning, at the end of the last day",
}
SUMMED = tuple(DEFINITIONS)
Row = Mapping[str, Any]


def totals(rows: Sequence[Row]) -> dict[str, int]:
    """Return the sum of each column of figures."""
    return {name: sum(row[name] for row in rows) for name in SUMMED}


def as_csv(rows: Sequence[Row]) -> bytes:
    """Return the report as CSV in UTF-8 with a byte order mark, which spreadsheet programs look for."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS.values())
    writer.writerows([row[name] for name in COLUMNS] for row in rows)
    writer.writerow(["Tổng cộng", "", "", *totals(rows).values()])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Sequence[Row], *, since: date, until: date, as_of: datetime) -> bytes:
    """Return the report as a workbook whose totals are formulas; a second sheet says what each column is."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        money = book.add_format({"num_format": "#,##0"})
        sheet = book.add_worksheet("Quyết toán")
        days = f"{printing.short_day(since)} - {printing.short_day(until)}"
        sheet.write(0, 0, f"Báo cáo thu, nộp phí, lệ phí {days}", bold)
        sheet.write(1, 0, f"Số liệu đến {printing.short_moment(as_of)}; đơn vị: đồng")
        sheet.write_row(3, 0, COLUMNS.values(), bold)
        for place, row in enumerate(rows, start=4):
            sheet.write_row(place, 0, [row[name] for name in COLUMNS], money)
        _sum(sheet, len(rows), bold, totals(rows))
        sheet.set_column(0, len(COLUMNS) - 1, 18)
        notes = book.add_worksheet("Định nghĩa")
        for place, (name, meaning) in enumerate(DEFINITIONS.items()):
            notes.write_row(place, 0, [COLUMNS[name], name, meaning])
    return content.getvalue()


def _sum(sheet: Any, count: int, bold: Any, sums: Mapping[str, int]) -> None:  # noqa: ANN401 - xlsxwriter's own
    first, last = 5, 4 + count
    sheet.write(4 + count, 0, "Tổng cộng", bold)
    for place, name in enumerate(COLUMNS):
        if name in sums:
            letter = chr(ord("A") + place)
            formula = f"=SUM({letter}{first}:{letter}{last})" if count else "=0"
            sheet.write_formula(4 + count, place, formula, bold, sums[name])
