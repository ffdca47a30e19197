"""The columns of an index, under their English names or the headings that offices use, and what may stand in them."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn

from services.results.operations import Reason
from shared.events.values import IdKind, PartyKind
from shared.identifiers import IdentifierError, check_tax_code, current_agency, national_procedure, parse_citizen_id

EARLIEST = date(1945, 9, 2)
"""No Vietnamese authority issued anything before."""
DIGITS = {IdKind.CCCD: 12, IdKind.CMND: 9}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")
_DAY = re.compile(r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})")
_IDENTITY_WORDS = {
    "cccd": IdKind.CCCD,
    "can cuoc": IdKind.CCCD,
    "can cuoc cong dan": IdKind.CCCD,
    "cmnd": IdKind.CMND,
    "chung minh nhan dan": IdKind.CMND,
    "mst": IdKind.MST,
    "ma so thue": IdKind.MST,
}


class Unfit(ValueError):
    """What stands in a column cannot be taken."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, the heading in Vietnamese, whether something must stand in it, what may."""

    name: str
    heading_vi: str
    required: bool
    read: Callable[[str], Any]


def unfit(field: str, code: str, message: str, message_vi: str) -> NoReturn:
    """Raise Unfit."""
    raise Unfit(Reason(field, code, message, message_vi))


def plain(words: str) -> str:
    """Return words without accents, case and marks, to compare headings by."""
    letters = unicodedata.normalize("NFD", words.replace("đ", "d").replace("Đ", "D"))
    kept = "".join(one for one in letters if not unicodedata.combining(one)).lower()
    return " ".join(re.findall(r"[a-z0-9]+", kept))


def _words(field: str, length_max: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > length_max:
            unfit(field, "too_long", f"Write at most {length_max} characters.", f"Viết tối đa {length_max} ký tự.")
        if not text.isprintable():
            unfit(
                field, "unprintable", "Remove line breaks and control characters.", "Bỏ ký tự xuống dòng, điều khiển."
            )
        return text

    return read


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        unfit("kind_code", "kind_code_invalid", "Write the code as in the catalogue.", "Ghi mã như trong danh mục.")
    return text


def _identifier(field: str, parse: Callable[[str], str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            return parse(text)
        except IdentifierError as problem:
            raise Unfit(Reason(field, problem.code, str(problem), problem.message_vi)) from problem

    return read


def _procedure(text: str) -> str:
    national_procedure(text)
    return text


def _day(field: str) -> Callable[[str], date]:
    def read(text: str) -> date:
        try:
            if found := _DAY.fullmatch(text):
                return date(int(found["y"]), int(found["m"]), int(found["d"]))
            return datetime.fromisoformat(text).date()
        except ValueError:
            unfit(field, "date_invalid", "Write the date as 31/12/2015.", "Ghi ngày theo mẫu 31/12/2015.")

    return read


def _owner_kind(text: str) -> str:
    words = {"ca nhan": "citizen", "cong dan": "citizen", "to chuc": "organisation", "doanh nghiep": "organisation"}
    kind = words.get(plain(text), text)
    if kind not in set(PartyKind):
        unfit("owner_kind", "owner_kind_unknown", f"Write one of {', '.join(PartyKind)}.", "Ghi: cá nhân hoặc tổ chức.")
    return kind


def _identity_kind(text: str) -> str:
    kind = _IDENTITY_WORDS.get(plain(text))
    if kind is None:
        unfit("identity_kind", "identity_kind_unknown", "Write cccd, cmnd or mst.", "Ghi: CCCD, CMND hoặc MST.")
    return kind


def _sha256(text: str) -> str:
    if not _HASH.fullmatch(text.lower()):
        unfit("sha256", "sha256_invalid", "Write 64 hexadecimal digits or nothing.", "Ghi 64 chữ số thập lục phân.")
    return text.lower()


COLUMNS: Sequence[Column] = (
    Column("number", "Số, ký hiệu", True, _words("number", 100)),
    Column("kind_code", "Mã loại kết quả", True, _code),
    Column("kind_name", "Tên loại kết quả", True, _words("kind_name", 200)),
    Column("agency_code", "Mã cơ quan ban hành", True, _identifier("agency_code", current_agency)),
    Column("owner_kind", "Loại chủ sở hữu", False, _owner_kind),
    Column("owner_name", "Tên chủ sở hữu", True, _words("owner_name", 200)),
    Column("identity_kind", "Loại giấy tờ", False, _identity_kind),
    Column("identity_number", "Số giấy tờ", False, _words("identity_number", 20)),
    Column("issued_on", "Ngày ban hành", True, _day("issued_on")),
    Column("issued_by", "Người ký", False, _words("issued_by", 200)),
    Column("valid_until", "Có giá trị đến", False, _day("valid_until")),
    Column("procedure_code", "Mã thủ tục", False, _identifier("procedure_code", _procedure)),
    Column("dossier_code", "Mã hồ sơ", False, _words("dossier_code", 100)),
    Column("file", "Tên tệp", True, _words("file", 500)),
    Column("sha256", "SHA-256", False, _sha256),
)
REASON_COLUMNS = ("reason", "reason_vi")
"""A rejects file has them, so that it can be corrected and fed back; an index may."""
HEADINGS: Mapping[str, str] = {
    plain(one): column.name for column in COLUMNS for one in (column.name, column.heading_vi)
}


def read_cells(cells: Mapping[str, str], *, today: date) -> tuple[dict[str, Any], list[Reason]]:
    """Return what a row says, and everything that is wrong with it."""
    facts: dict[str, Any] = {}
    reasons: list[Reason] = []
    for column in COLUMNS:
        text = cells.get(column.name, "")
        facts[column.name] = None
        if not text:
            if column.required:
                reasons.append(
                    Reason(column.name, "missing", f"Fill in {column.name}.", f"Điền cột “{column.heading_vi}”.")
                )
            continue
        try:
            facts[column.name] = column.read(text)
        except Unfit as problem:
            reasons.append(problem.reason)
    for check in (_check_identity, _check_days):
        try:
            check(facts, today)
        except Unfit as problem:
            reasons.append(problem.reason)
    return facts, reasons


def _check_identity(facts: dict[str, Any], today: date) -> None:
    kind, number = facts["identity_kind"], facts["identity_number"]
    facts["owner_kind"] = facts["owner_kind"] or (PartyKind.ORGANISATION if kind == IdKind.MST else PartyKind.CITIZEN)
    if kind is None and number is None:
        return
    if kind is None or number is None:
        unfit(
            "identity_number",
            "identity_incomplete",
            "Give kind and number of the identity paper, or neither.",
            "Ghi cả loại và số giấy tờ, hoặc bỏ trống cả hai.",
        )
    try:
        if kind == IdKind.MST:
            check_tax_code(number)
        elif len(number) == DIGITS[kind]:
            parse_citizen_id(number, today=today)
        else:
            unfit(
                "identity_number",
                "identity_length",
                f"A {kind} has {DIGITS[kind]} digits (spreadsheets drop leading zeros: format the column as text).",
                f"Số {kind.upper()} có {DIGITS[kind]} chữ số (bảng tính hay bỏ số 0 đầu: định dạng cột kiểu văn bản).",
            )
    except IdentifierError as problem:
        raise Unfit(Reason("identity_number", problem.code, str(problem), problem.message_vi)) from problem


def _check_days(facts: dict[str, Any], today: date) -> None:
    issued, until = facts["issued_on"], facts["valid_until"]
    if issued is None:
        return
    if not EARLIEST <= issued <= today:
        unfit(
            "issued_on",
            "date_implausible",
            f"The date of issue lies between {EARLIEST:%d/%m/%Y} and today.",
            f"Ngày ban hành phải từ {EARLIEST:%d/%m/%Y} đến hôm nay.",
        )
    if until is not None and until < issued:
        unfit(
            "valid_until",
            "ends_before_it_begins",
            "A result cannot end before it was issued.",
            "Ngày hết giá trị không được trước ngày ban hành.",
        )
