"""MaXacThuc: lower hex of SHA-256 over f1|f2|…|secret. The platform's own reckoning, checked against the province's."""

import hashlib
import secrets
from collections.abc import Mapping

INIT = (
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
QUERY = ("LoaiBanTin", "PhienBan", "MaDoiTac", "MaThamChieu", "ThoiGianGD")
"""GET_BILL has the same order."""
CONFIRM = (
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
"""The answer to QUERY is signed in this order too, with LoaiBanTin QUERY."""
REPLY = ("MaLoi", "MoTaLoi", "MaDoiTac", "MaThamChieu", "ThoiGianGD")
"""The province's reply to CONFIRM. No source gives its order; this is the order in which its fields are listed."""


def authentication_code(message: Mapping[str, object], order: tuple[str, ...], secret: str) -> str:
    """Return the MaXacThuc of a message; a field that is absent counts as empty."""
    fields = [str(message.get(name, "")) for name in order]
    return hashlib.sha256("|".join([*fields, secret]).encode()).hexdigest()


def is_authentic(message: Mapping[str, object], order: tuple[str, ...], secret: str) -> bool:
    """Tell whether a message carries the right MaXacThuc; it is compared in constant time and in lower case only."""
    given = str(message.get("MaXacThuc", ""))
    return secrets.compare_digest(given.encode(), authentication_code(message, order, secret).encode())
