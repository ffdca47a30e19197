"""Answers true to a contract: made from its schemas, always the same for the same question; about nobody real."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lxml import etree

NAMES = ("Nguyễn Thị An", "Trần Văn Bình", "Lê Thị Cúc", "Phạm Văn Dũng", "Y Thị Hạnh", "Võ Minh Khôi")
PLACES = ("Xã Diên Khánh, Khánh Hòa", "Phường Nha Trang, Khánh Hòa", "Xã Cam Lâm, Khánh Hòa")
PEOPLE = ("HoTen", "HoVaTen", "ChuHo", "ChuSuDung", "TenKhachHang", "NguoiXuLy", "TenNguoiNhan")
LIST_MAX = 5
DAY_ZERO = date(2024, 1, 1)


class Dice:
    """Numbers that follow from a question alone."""

    def __init__(self, *question: object) -> None:
        self._seed = repr(question).encode()
        self._thrown = 0

    def throw(self, sides: int) -> int:
        """Return a number from 0 to sides - 1."""
        self._thrown += 1
        digest = hashlib.sha256(self._seed + self._thrown.to_bytes(4, "big")).digest()
        return int.from_bytes(digest[:8], "big") % sides


def answer(schema: Mapping[str, Any], known: Mapping[str, Any], dice: Dice, name: str = "") -> Any:  # noqa: ANN401
    """Return a value that a schema describes; a member that the question names has the question's value."""
    if name and name in known and not isinstance(known[name], dict | list):
        return known[name]
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        return {one: answer(inner, known, dice, one) for one, inner in properties.items()}
    if kind == "array":
        return [answer(schema["items"], {}, dice) for _ in range(1 + dice.throw(LIST_MAX))]
    return _simple(schema, dice, name)


def _simple(schema: Mapping[str, Any], dice: Dice, name: str) -> Any:  # noqa: ANN401 - JSON
    if "enum" in schema:
        return schema["enum"][dice.throw(len(schema["enum"]))]
    kind = schema.get("type")
    if kind == "boolean":
        return bool(schema.get("example", dice.throw(2) == 0))
    if kind == "integer":
        return int(schema.get("example", 1 + dice.throw(100)))
    if kind == "number":
        return float(schema.get("example", dice.throw(10_000) / 100))
    return _text(schema, dice, name)


def _text(schema: Mapping[str, Any], dice: Dice, name: str) -> str:
    day = DAY_ZERO + timedelta(days=dice.throw(900))
    if schema.get("format") == "date":
        return day.isoformat()
    if schema.get("format") == "date-time":
        return datetime(day.year, day.month, day.day, dice.throw(24), dice.throw(60), tzinfo=UTC).isoformat()
    if "example" in schema:
        return str(schema["example"])
    if "pattern" in schema:
        # Identity numbers have 12 digits, tax codes 10.
        twelve = str(schema["pattern"]).startswith("^[0-9]{12}")
        return f"{'0561' if twelve else '42'}{dice.throw(10**8):08d}"
    return _words(dice, name)


def _words(dice: Dice, name: str) -> str:
    if name in PEOPLE:
        return NAMES[dice.throw(len(NAMES))]
    if name.startswith(("DiaChi", "Noi")):
        return PLACES[dice.throw(len(PLACES))]
    return f"{name[:12]}-{dice.throw(10**6):06d}"


def as_xml(found: Mapping[str, Any]) -> bytes:
    """Return an answer as an office writes it that has not come to JSON yet."""
    root = etree.Element("KetQua")
    _fill(root, found)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _fill(element: Any, found: Any) -> None:  # noqa: ANN401 - lxml's element, JSON
    if isinstance(found, Mapping):
        for name, value in found.items():
            for one in value if isinstance(value, list) else [value]:
                _fill(etree.SubElement(element, name), one)
    else:
        element.text = str(found)
