"""Tables of procedures: what their headings mean, in English and Vietnamese, and how a row becomes a national one."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from services.intake.queries import plain

HEADINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "code": ("code", "ma tthc", "ma thu tuc", "ma so tthc", "mattthc", "matthc", "ma so", "ma"),
        "name": ("name", "ten tthc", "ten thu tuc", "ten thu tuc hanh chinh", "tentthc", "thu tuc hanh chinh"),
        "ministry": ("ministry", "bo nganh", "bo co quan ngang bo"),
        "decision": ("decision", "so quyet dinh", "quyet dinh cong bo", "qd cong bo"),
        "levels": ("levels", "level", "cap thuc hien", "cap"),
        "kind": ("kind", "loai tthc", "loai thu tuc"),
        "field": ("field", "linh vuc", "ten linh vuc", "tenlinhvuc"),
        "field_code": ("field code", "ma linh vuc", "malinhvuc"),
        "applicants": ("applicants", "doi tuong thuc hien", "doi tuong"),
        "authority": ("authority", "co quan co tham quyen", "co quan ban hanh"),
        "performed_by": ("performed by", "co quan thuc hien", "coquanthuchien"),
        "coordinated_with": ("coordinated with", "co quan phoi hop"),
        "agencies": ("agencies", "ma co quan", "ma don vi", "madonvi", "don vi tiep nhan"),
        "channels": ("channels", "channel", "cach thuc thuc hien", "kenh", "hinh thuc nop"),
        "duration": ("duration", "thoi han giai quyet", "thoi gian giai quyet", "thoi han", "thoigiangiaiquyet"),
        "duration_unit": ("duration unit", "don vi tinh", "don vi thoi gian", "donvitinh"),
        "fee": ("fee", "fees", "phi le phi", "le phi", "phi", "muc phi", "so tien", "sotien"),
        "free": ("free", "mien phi"),
        "note": ("note", "notes", "ghi chu", "mo ta", "mota"),
        "components": ("components", "thanh phan ho so", "thanhphanhoso", "ho so"),
        "results": ("results", "result", "ket qua thuc hien", "ket qua", "ketquathuchien"),
        "legal_basis": ("legal basis", "can cu phap ly", "canculphaply"),
        "requirements": ("requirements", "yeu cau dieu kien", "yeu cau", "dieu kien"),
        "service_level": ("service level", "muc do", "muc do dich vu cong"),
        "valid_from": ("valid from", "ngay hieu luc", "hieu luc tu", "ngay co hieu luc"),
        "valid_to": ("valid to", "ngay het hieu luc", "hieu luc den"),
    }
)
_OF_A_WAY = ("duration", "duration_unit", "note")


AGENCY_HEADINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "code": ("code", "ma", "ma co quan", "ma don vi", "ma dinh danh", "madonvi"),
        "name": ("name", "ten", "ten co quan", "ten don vi", "tendonvi"),
        "level": ("level", "cap", "cap don vi", "capdonvi"),
        "parent": ("parent", "co quan cap tren", "don vi cap tren", "ma don vi cha", "madonvicha"),
        "valid_from": ("valid from", "hieu luc tu", "ngay thanh lap", "ngay hieu luc"),
        "valid_to": ("valid to", "hieu luc den", "ngay giai the", "ngay het hieu luc"),
        "successors": ("successors", "successor", "co quan ke thua", "don vi ke thua"),
        "also_known_as": ("also known as", "ma cu", "ma khac", "ma dvhc", "ma don vi hanh chinh"),
    }
)
"""The same for tables of agencies."""


def agency_meanings(headings: Sequence[str]) -> dict[int, str]:
    """Return what the columns of a table of agencies mean, by their place."""
    return _meanings(headings, AGENCY_HEADINGS)


def meanings(headings: Sequence[str]) -> dict[int, str]:
    """Return what the columns mean, by their place; other columns are left out, a meaning is given once."""
    return _meanings(headings, HEADINGS)


def _meanings(headings: Sequence[str], known: Mapping[str, tuple[str, ...]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, heading in enumerate(headings):
        words = " ".join("".join(c if c.isalnum() else " " for c in plain(heading)).split())
        meaning = next((meaning for meaning, ways in known.items() if words in ways), None)
        if meaning and meaning not in found.values():
            found[place] = meaning
    return found


def agency_content(columns: Mapping[int, str], cells: Sequence[Any]) -> dict[str, Any]:
    """Return a row of a table of agencies as JSON has it."""
    return {meaning: cells[place] for place, meaning in columns.items() if place < len(cells)}


def content_of(columns: Mapping[int, str], cells: Sequence[Any]) -> dict[str, Any]:
    """Return a table's row in the shape of the national catalogue's JSON.

    What a table says of time and money holds for every way of filing that it names.
    """
    said = {meaning: cells[place] for place, meaning in columns.items() if place < len(cells)}
    content = {name: _nested(value) for name, value in said.items() if name not in {"fee", "free", "channels"}}
    ways = _nested(said.get("channels"))
    if isinstance(ways, list) and all(isinstance(way, dict) for way in ways):
        return content | {"channels": ways}
    fee = said.get("fee")
    fees = [] if fee is None or str(fee).strip() == "" else [{"amount": fee, "note": None}]
    way = {name: said.get(name) for name in _OF_A_WAY} | {"fees": fees, "free": said.get("free")}
    kept = {name: value for name, value in content.items() if name not in _OF_A_WAY}
    return kept | {"channels": [{"channel": name, **way} for name in _names(ways)]}


def _names(ways: object) -> list[object]:
    if isinstance(ways, str):
        parts = [part.strip() for part in ways.replace("\n", ";").replace(",", ";").split(";")]
        return [part for part in parts if part] or ["direct"]
    return ways if isinstance(ways, list) and ways else ["direct"]


def _nested(value: object) -> object:
    """Return what a cell holds: JSON where it is written as JSON."""
    if isinstance(value, str) and value.strip()[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
