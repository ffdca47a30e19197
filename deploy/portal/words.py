"""The fields of HoSo and TienDo and what each may hold (DOMAIN.md §1.4–1.5).

All values are strings; dates are yyyyMMddHHmmss in Vietnam's time. Which fields are required is known from the
comments of real senders, not from the portal's own manual; where such a comment asks for what cannot be known
(an acceptance time before acceptance) the key is required and its value may be empty.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deploy.portal.statuses import NAMES
from shared.clock import VN

Check = Callable[[str], str]
"""Return a complaint in Vietnamese, or an empty string."""

DATE_PARTS = re.compile(r"([12]\d{3})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
ID_LENGTH = {"1": 12, "2": 9}
"""Digits of a paper number by LoaiDinhDanh: 1 CCCD, 2 CMND."""


@dataclass(frozen=True, slots=True)
class Word:
    """One field: whether it must be there or be filled, and what it may hold."""

    check: Check
    need: Literal["none", "present", "filled"] = "none"


@dataclass(frozen=True, slots=True)
class Rows:
    """A field that holds a list of rows."""

    words: "Words"


Words = Mapping[str, Word | Rows]


def text(value: str) -> str:
    """Take any text."""
    del value
    return ""


def at_most(length: int) -> Check:
    """Take text up to a length in characters."""
    return lambda value: "" if len(value) <= length else f"dài quá {length} ký tự"


def one_of(*codes: str) -> Check:
    """Take a code of a list."""
    allowed = frozenset(codes)
    return lambda value: "" if value in allowed else f"mã không hợp lệ, chỉ nhận {', '.join(codes)}"


def like(pattern: str, complaint: str) -> Check:
    """Take text that a pattern matches as a whole."""
    compiled = re.compile(pattern)
    return lambda value: "" if compiled.fullmatch(value) else complaint


def date(value: str) -> str:
    """Take a date as yyyyMMddHHmmss that exists in the calendar."""
    found = DATE_PARTS.fullmatch(value)
    try:
        if found:
            year, month, day, hour, minute, second = map(int, found.groups())
            datetime(year, month, day, hour, minute, second, tzinfo=VN)
            return ""
    except ValueError:
        pass
    return "phải theo dạng yyyyMMddHHmmss"


dossier_code = like(
    r"(?:\d{3}\.\d{2}\.\d{2}\.)?[HG]\d{2}(?:\.\d{1,3}){0,3}-\d{6}-\d{4,7}",
    "sai cấu trúc MaDinhDanh-yyMMdd-NNNN",
)
procedure_code = like(r"\d\.\d{6}(?:(?:\.\d{3}\.\d{2}\.\d{2})?\.[HG]\d{2})?", "sai cấu trúc N.NNNNNN")
number = like(r"\d+", "phải là số nguyên không âm")
link = like(r"https?://\S+", "phải là đường dẫn http(s)")
email = like(r"[^@\s]+@[^@\s]+\.[^@\s]+", "thư điện tử sai cấu trúc")
phone = like(r"\+?\d[\d .-]{7,14}", "số điện thoại sai cấu trúc")
truth = one_of("True", "False")
status = one_of(*NAMES)

FEE: Words = {
    "TenPhiLePhi": Word(text, "filled"),
    "MaPhiLePhi": Word(text),
    "HinhThucThu": Word(one_of("1", "2", "4")),
    "Gia": Word(number, "filled"),
    "LoaiPhiLePhi": Word(one_of("1", "2", "3")),
}

PAPER: Words = {"TenGiayTo": Word(text, "filled"), "SoLuong": Word(number), "LoaiGiayTo": Word(text)}

DOCUMENT: Words = {
    "TepDinhKemId": Word(text, "filled"),
    "TenTepDinhKem": Word(at_most(4000), "filled"),
    "IsDeleted": Word(truth),
    "MaThanhPhanHoSo": Word(text),
    "DuongDanTaiTepTin": Word(link),
    "DuocSoHoa": Word(one_of("0", "1")),
    "DuocTaiSuDung": Word(one_of("0", "1", "2")),
    "DuocLayTuKhoDMQG": Word(one_of("0", "1")),
    "MaKetQuaThayThe": Word(text),
}

SUPPLEMENT: Words = {
    "HoSoBoSungId": Word(text, "filled"),
    "NguoiYeuCauBoSung": Word(text),
    "NoiDungBoSung": Word(text),
    "NgayBoSung": Word(date),
    "NguoiTiepNhanBoSung": Word(text),
    "ThongTinTiepNhan": Word(text),
    "NgayTiepNhanBoSung": Word(date),
    "TrangThaiBoSung": Word(truth),
    "DanhSachGiayToBoSung": Rows(PAPER),
    "DanhSachLePhiBoSung": Rows(FEE),
    "NgayHenTraTruoc": Word(date),
    "NgayHenTraMoi": Word(date),
}

RESULT: Words = {
    "TenGiayTo": Word(at_most(2000), "filled"),
    "MaThanhPhanHoSo": Word(text),
    "GiayToId": Word(text, "filled"),
    "DuongDanTepTinKetQua": Word(link),
    "MaGiayToKetQua": Word(text),
}

HOSO: Words = {
    "MaHoSo": Word(dossier_code, "filled"),
    "MaTTHC": Word(procedure_code, "filled"),
    "TenTTHC": Word(text, "filled"),
    "MaLinhVuc": Word(text, "filled"),
    "TenLinhVuc": Word(text, "filled"),
    "KenhThucHien": Word(one_of("1", "2", "3")),
    "SoBienNhan": Word(text),
    "SoGiayToChuHoSo": Word(text),
    "ChuHoSo": Word(text),
    "LoaiDoiTuong": Word(one_of("1", "2", "3", "4"), "filled"),
    "MaDoiTuong": Word(text),
    "ThongTinKhac": Word(text),
    "Fax": Word(text),
    "ThongTinTra": Word(text),
    "GhiChu": Word(text),
    "Email": Word(email, "present"),
    "SoDienThoai": Word(phone, "present"),
    "TrichYeuHoSo": Word(at_most(1000), "filled"),
    "NgayTiepNhan": Word(date, "present"),
    "NgayHenTra": Word(date, "present"),
    "TrangThaiHoSo": Word(status, "filled"),
    "NgayTra": Word(date),
    "NgayKetThucXuLy": Word(date),
    "HinhThuc": Word(one_of("0", "1"), "filled"),
    "DonViXuLy": Word(text, "filled"),
    "NoiNopHoSo": Word(one_of("1", "2")),
    "HoSoCoThanhPhanSoHoa": Word(one_of("0", "1")),
    "TaiKhoanDuocXacThucVoiVNeID": Word(one_of("0", "1")),
    "DuocThanhToanTrucTuyen": Word(one_of("0", "1", "2", "3")),
    "NgayTuChoi": Word(date),
    "NgayNopHoSo": Word(date),
    "TaiLieuNop": Rows(DOCUMENT),
    "DanhSachLePhi": Rows(FEE),
    "DanhSachTepDinhKemKhac": Rows(PAPER),
    "DanhSachHoSoBoSung": Rows(SUPPLEMENT),
    "DanhSachGiayToKetQua": Rows(RESULT),
    "DinhDanhCHS": Rows({"LoaiDinhDanh": Word(one_of("1", "2"), "filled"), "SoDinhDanh": Word(number, "filled")}),
    "DSKetNoiCSDL": Rows({"MaCSDL": Word(text, "filled")}),
}

TIEN_DO: Words = {
    "MaHoSo": Word(dossier_code, "filled"),
    "NguoiXuLy": Word(at_most(50), "filled"),
    "ChucDanh": Word(text),
    "ThoiDiemXuLy": Word(date, "filled"),
    "PhongBanXuLy": Word(text),
    "NoiDungXuLy": Word(text, "filled"),
    "TrangThai": Word(status, "filled"),
    "NgayBatDau": Word(date),
    "NgayKetThucTheoQuyDinh": Word(date),
}

STATUSES_WITH_ACCEPTANCE = frozenset({"2", "4", "8", "9", "10"})


def complaints_about_hoso(row: Mapping[str, object]) -> list[str]:
    """Return everything wrong with a HoSo, in Vietnamese; empty when it can be taken."""
    found = list(_complaints(row, HOSO))
    return found or list(_contradictions(row))


def complaints_about_tien_do(row: Mapping[str, object]) -> list[str]:
    """Return everything wrong with a TienDo, in Vietnamese; empty when it can be taken."""
    return list(_complaints(row, TIEN_DO))


def _complaints(row: Mapping[str, object], words: Words, path: str = "") -> Iterator[str]:
    for name, value in row.items():
        word = words.get(name)
        if word is None:
            yield f"{path}{name}: không có trong đặc tả"
        elif value is None or value == "":
            continue
        elif isinstance(word, Rows):
            yield from _complaints_about_rows(value, word.words, f"{path}{name}")
        elif not isinstance(value, str):
            yield f"{path}{name}: giá trị phải là chuỗi"
        elif complaint := word.check(value):
            yield f"{path}{name}: {complaint}"
    yield from _missing(row, words, path)


def _missing(row: Mapping[str, object], words: Words, path: str) -> Iterator[str]:
    for name, word in words.items():
        if isinstance(word, Rows) or word.need == "none":
            continue
        if name not in row or (word.need == "filled" and not row[name]):
            yield f"{path}{name}: bắt buộc"


def _complaints_about_rows(value: object, words: Words, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: phải là danh sách"
        return
    for index, row in enumerate(value):
        if isinstance(row, dict):
            yield from _complaints(row, words, f"{path}[{index}].")
        else:
            yield f"{path}[{index}]: phải là đối tượng"


def _contradictions(row: Mapping[str, object]) -> Iterator[str]:
    accepted_at, due_at = row["NgayTiepNhan"] or "", row["NgayHenTra"] or ""
    if row["TrangThaiHoSo"] in STATUSES_WITH_ACCEPTANCE and not accepted_at:
        yield "NgayTiepNhan: bắt buộc từ khi tiếp nhận"
    if not accepted_at and not row.get("NgayNopHoSo"):
        yield "NgayNopHoSo: bắt buộc khi chưa có NgayTiepNhan"
    if accepted_at and due_at and str(due_at) < str(accepted_at):
        yield "NgayHenTra: trước NgayTiepNhan"
    if not row["Email"] and not row["SoDienThoai"]:
        yield "Email, SoDienThoai: cần ít nhất một"
    if row.get("MaDoiTuong") and row.get("KenhThucHien") != "2":
        yield "MaDoiTuong: chỉ dùng khi KenhThucHien = 2"
    for index, document in enumerate(_rows(row, "TaiLieuNop")):
        if document.get("DuocTaiSuDung") == "2" and not document.get("MaKetQuaThayThe"):
            yield f"TaiLieuNop[{index}].MaKetQuaThayThe: bắt buộc khi DuocTaiSuDung = 2"
    for index, paper in enumerate(_rows(row, "DinhDanhCHS")):
        if len(str(paper["SoDinhDanh"])) != ID_LENGTH[str(paper["LoaiDinhDanh"])]:
            yield f"DinhDanhCHS[{index}].SoDinhDanh: sai số chữ số của loại giấy tờ"


def _rows(row: Mapping[str, object], name: str) -> list[dict[str, object]]:
    rows = row.get(name)
    return rows if isinstance(rows, list) else []
