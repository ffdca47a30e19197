"""The platform's words, and MaXacThuc = lower hex of SHA-256 over the fields in order and the secret, joined by "|".

The order of INIT, CONFIRM and QUERY is as real senders write it. The answer to QUERY is signed in the order of CONFIRM;
our reply to CONFIRM in the order in which its fields are listed. Times are yyyyMMddHHmmss on Vietnam's 24-hour clock.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.payment.models import Fee, Payment
from services.payment.operations.looked_up import lookup_code
from services.payment.operations.money import Money
from shared import clock
from shared.clock import VN
from shared.identifiers import service_code

VERSION = "1.0.6"
TAKEN, REFUSED = "00", "99"
"""MaLoi."""
PAID, PENDING, FAILED = "1", "3", "4"
"""TrangThaiGD."""
SERVICE_FEE = "2"
"""MaDichVu of a phí or lệ phí."""
ITEM_KINDS = {"phi": "1", "le_phi": "2"}
"""LoaiPhiLePhi."""
CURRENCY = "VND"
TIME = "%Y%m%d%H%M%S"

INIT_ORDER = (
    "LoaiBanTin",
    "PhienBan",
    "MaDoiTac",
    "MaThamChieu",
    "SoTien",
    "LoaiHinhThanhToan",
    "MaKenhThanhToan",
    "MaThietBi",
    "NgonNgu",
    "MaTienTe",
    "MaNganHang",
    "ThongTinGiaoDich",
    "ThoiGianGD",
    "Ip",
)
CONFIRM_ORDER = (
    "LoaiBanTin",
    "MaLoi",
    "MaDoiTac",
    "MaThamChieu",
    "SoTien",
    "MaTienTe",
    "MaGiaoDich",
    "MaNganHang",
    "ThoiGianGD",
    "ThongTinGiaoDich",
)
QUERY_ORDER = ("LoaiBanTin", "PhienBan", "MaDoiTac", "MaThamChieu", "ThoiGianGD")
"""Also of GET_BILL."""
REPLY_ORDER = ("MaLoi", "MoTaLoi", "MaDoiTac", "MaThamChieu", "ThoiGianGD")

_TIME_DIGITS = re.compile(r"\d{14}", re.ASCII)
_AMOUNT_DIGITS = re.compile(r"[1-9]\d{0,14}", re.ASCII)

Message = Mapping[str, object]


def authentication_code(message: Message, order: tuple[str, ...], secret: str) -> str:
    """Return the MaXacThuc of a message; an absent field counts as empty."""
    fields = [str(message.get(name, "")) for name in order]
    return hashlib.sha256("|".join([*fields, secret]).encode()).hexdigest()


def signed(message: Message, order: tuple[str, ...], secret: str) -> dict[str, object]:
    """Return a message with its MaXacThuc."""
    return {**message, "MaXacThuc": authentication_code(message, order, secret)}


def is_authentic(message: Message, order: tuple[str, ...], secret: str) -> bool:
    """Tell whether a message carries the right MaXacThuc, compared in constant time.

    A field with a "|" in it is not accepted: the joined text does not show where one field ends.
    """
    if any("|" in str(message.get(name, "")) for name in order):
        return False
    given = str(message.get("MaXacThuc", ""))
    return hmac.compare_digest(given.encode(), authentication_code(message, order, secret).encode())


def write_time(moment: datetime) -> str:
    """Return a moment as the platform writes it."""
    return moment.astimezone(VN).strftime(TIME)


def read_time(text: str) -> datetime | None:
    """Return the moment that the platform wrote, None when it is none."""
    try:
        return datetime.strptime(text, TIME).replace(tzinfo=VN) if _TIME_DIGITS.fullmatch(text) else None
    except ValueError:
        return None


def read_amount(text: str) -> int | None:
    """Return whole đồng, None when the text is no positive amount."""
    return int(text) if _AMOUNT_DIGITS.fullmatch(text) else None


def _empty_for_none(value: object) -> object:
    return "" if value is None else value


_Word = Annotated[
    str,
    BeforeValidator(_empty_for_none),
    Field(max_length=500),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": 500}, {"type": "number"}, {"type": "null"}]}),
]
"""As the platform happens to write it: a number without quotes and nothing at all are texts, too."""


class Report(BaseModel):
    """What the platform says about an attempt: a CONFIRM, or its answer to QUERY."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, coerce_numbers_to_str=True, populate_by_name=True, use_attribute_docstrings=True
    )

    kind: _Word = Field("", alias="LoaiBanTin", examples=["CONFIRM"])
    code: _Word = Field("", alias="MaLoi", examples=["00"])
    """"00": the money came."""
    partner: _Word = Field("", alias="MaDoiTac")
    reference: _Word = Field("", alias="MaThamChieu")
    amount: _Word = Field("", alias="SoTien", examples=["50000"])
    currency: _Word = Field("", alias="MaTienTe", examples=["VND"])
    transaction_number: _Word = Field("", alias="MaGiaoDich")
    bank: _Word = Field("", alias="MaNganHang")
    time: _Word = Field("", alias="ThoiGianGD", examples=["20210407090533"])
    description: _Word = Field("", alias="ThongTinGiaoDich")
    state: _Word = Field("", alias="TrangThaiGD")
    """1 paid, 3 pending, 4 failed; only in the answer to QUERY."""
    authentication_code: _Word = Field("", alias="MaXacThuc")

    def money(self) -> Money | None:
        """Return the transaction that this tells of, None when it has no number or no amount in đồng.

        A time that cannot be read is no reason to lose money: it counts as now.
        """
        amount_vnd = read_amount(self.amount)
        if amount_vnd is None or not self.transaction_number or self.currency != CURRENCY:
            return None
        return Money(self.transaction_number, amount_vnd, read_time(self.time) or clock.now())


class Reply(BaseModel):
    """Our answer to CONFIRM; with "99" the platform sends it again."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    code: str = Field(alias="MaLoi", examples=["00"])
    description: str = Field(alias="MoTaLoi")
    partner: str = Field(alias="MaDoiTac")
    reference: str = Field(alias="MaThamChieu")
    time: str = Field(alias="ThoiGianGD")
    authentication_code: str = Field("", alias="MaXacThuc")


def init_message(fee: Fee, payment: Payment, *, partner: str, ip: str, account: Mapping[str, str]) -> dict[str, object]:
    """Return the INIT of an attempt, not yet signed; `account` names the account that the money goes to."""
    return {
        "LoaiBanTin": "INIT",
        "PhienBan": VERSION,
        "MaDoiTac": partner,
        "MaThamChieu": payment.reference,
        "SoTien": str(payment.amount_vnd),
        "LoaiHinhThanhToan": "PAY",
        "MaKenhThanhToan": "1",
        "MaThietBi": "1",
        "NgonNgu": "vi-VN",
        "MaTienTe": CURRENCY,
        "MaNganHang": "PAYMENT",
        "ThongTinGiaoDich": _description(fee),
        "ThoiGianGD": write_time(payment.opened_at),
        "Ip": ip,
        "ThongTinBienLai": {**_receipt_details(fee), **account},
    }


def question_message(kind: str, *, partner: str, reference: str, now: datetime) -> dict[str, object]:
    """Return a QUERY or GET_BILL, not yet signed."""
    return {
        "LoaiBanTin": kind,
        "PhienBan": VERSION,
        "MaDoiTac": partner,
        "MaThamChieu": reference,
        "ThoiGianGD": write_time(now),
    }


def _description(fee: Fee) -> str:
    return f"THANH TOAN HO SO {fee.dossier_code}"


def _receipt_details(fee: Fee) -> dict[str, object]:
    return {
        "MaDichVu": SERVICE_FEE,
        "MaDVC": service_code(fee.procedure_code),
        "MaTTHC": fee.procedure_code,
        "MaDonVi": fee.agency_code,
        "MaHoSo": fee.dossier_code,
        "NoiDungThanhToan": _description(fee),
        "HoTenNguoiNop": fee.payer_name,
        "SoCMNDNguoiNop": fee.payer_id_number or "",
        "DiaChiNguoiNop": fee.payer_address or "",
        "PhiLePhi": _items(fee),
    }


def _items(fee: Fee) -> list[dict[str, str]]:
    return [
        {
            "LoaiPhiLePhi": ITEM_KINDS[item["kind"]],
            "MaPhiLePhi": item["code"],
            "TenPhiLePhi": item["name"],
            "SoTien": str(item["amount_vnd"]),
        }
        for item in fee.items
    ]


class DebtQuestion(BaseModel):
    """dptracuuthanhtoanhs: the portal asks what a dossier has to pay."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    code: Annotated[str, Field(alias="MaHoSo", min_length=1, max_length=64, examples=["H32.14-260407-0001"])]


class Debt(BaseModel):
    """Our answer; the fields beside the first three are there only with something to pay."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    error_code: int
    """1 must pay, 0 nothing to pay, -1 not known."""
    message: str
    code: str = Field(alias="MaHoSo")
    lookup_code: str = Field("", alias="MaTraCuuTT")
    """MaHoSo + yyyyMMddHHmmss: the fee's own, the same however often it is asked, until a wrong sum came under it."""
    amount: str = Field("", alias="SoTien")
    content: str = Field("", alias="NoiDungThanhToan")
    payer: str = Field("", alias="HoTenNguoiNop")
    items: list[dict[str, str]] = Field(default_factory=list, alias="PhiLePhi")

    @classmethod
    def unknown(cls, code: str) -> Self:
        """Return the answer about a dossier that we do not know."""
        return cls(error_code=-1, message="Không tìm thấy hồ sơ", code=code)

    @classmethod
    def of(cls, code: str, due: Sequence[Fee]) -> Self:
        """Return the answer about a dossier and its fees that are due: one fee at a time, the first one first.

        A fee has its own payment and receipt; the next one is told of when this one is paid.
        """
        if not due:
            return cls(error_code=0, message="Hồ sơ không có khoản phải nộp hoặc đã nộp", code=code)
        return cls(
            error_code=1,
            message="Hồ sơ có khoản phải nộp",
            code=code,
            lookup_code=lookup_code(due[0]),
            amount=str(due[0].amount_vnd),
            content=_description(due[0]),
            payer=due[0].payer_name,
            items=_items(due[0]),
        )
