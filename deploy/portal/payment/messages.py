"""What may stand in INIT, QUERY and GET_BILL."""

import re
from collections.abc import Iterator, Mapping

import orjson

from deploy.portal.words import date

VERSION = "1.0.6"
CONSTANTS = {
    "LoaiBanTin": "INIT",
    "PhienBan": VERSION,
    "LoaiHinhThanhToan": "PAY",
    "MaKenhThanhToan": "1",
    "MaThietBi": "1",
    "NgonNgu": "vi-VN",
    "MaTienTe": "VND",
    "MaNganHang": "PAYMENT",
}
REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}")
NAME_MAX = 250
Message = Mapping[str, object]


def receipt_of(message: Message) -> dict[str, object]:
    """Return ThongTinBienLai, which comes as an object or as JSON in a string; empty if there is none."""
    receipt = message.get("ThongTinBienLai")
    if isinstance(receipt, str) and receipt:
        try:
            receipt = orjson.loads(receipt)
        except orjson.JSONDecodeError:
            return {}
    return receipt if isinstance(receipt, dict) else {}


def complaints_about_init(message: Message) -> list[str]:
    """Return what is wrong with an INIT, in Vietnamese."""
    return list(_complaints_about_init(message))


def complaints_about_question(message: Message, kind: str) -> list[str]:
    """Return what is wrong with a QUERY or GET_BILL, in Vietnamese."""
    return [
        f"{name}: phải là {value}"
        for name, value in {"LoaiBanTin": kind, "PhienBan": VERSION}.items()
        if str(message.get(name)) != value
    ] + list(_complaints_about_time(message))


def _complaints_about_init(message: Message) -> Iterator[str]:
    for name, value in CONSTANTS.items():
        if str(message.get(name)) != value:
            yield f"{name}: phải là {value}"
    if not REFERENCE.fullmatch(str(message.get("MaThamChieu", ""))):
        yield "MaThamChieu: 1 đến 64 chữ cái, chữ số, dấu chấm, gạch"
    amount = str(message.get("SoTien", ""))
    if not re.fullmatch(r"[1-9]\d{0,12}", amount, re.ASCII):
        yield "SoTien: phải là số nguyên dương"
    if not message.get("ThongTinGiaoDich"):
        yield "ThongTinGiaoDich: bắt buộc"
    yield from _complaints_about_time(message)
    receipt = receipt_of(message)
    if len(str(receipt.get("TenTTHC", ""))) > NAME_MAX:
        yield f"ThongTinBienLai.TenTTHC: dài quá {NAME_MAX} ký tự"
    fees = receipt.get("PhiLePhi")
    if isinstance(fees, list) and fees and str(_total(fees)) != amount:
        yield "ThongTinBienLai.PhiLePhi: tổng khác SoTien"


def _complaints_about_time(message: Message) -> Iterator[str]:
    if complaint := date(str(message.get("ThoiGianGD", ""))):
        yield f"ThoiGianGD: {complaint}"


def _total(fees: list[object]) -> int | None:
    amounts = [str(fee.get("SoTien", "")) if isinstance(fee, dict) else "" for fee in fees]
    return sum(map(int, amounts)) if all(re.fullmatch(r"\d+", amount, re.ASCII) for amount in amounts) else None
