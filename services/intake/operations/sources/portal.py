"""A procedure in the national portal's words: LayDanhSachTTHC and LayThuTuc, keys in upper case."""

from collections.abc import Mapping
from typing import Any

CHANNELS = {"1": "direct", "2": "online", "3": "postal"}
"""KENH: 1 trực tiếp, 2 trực tuyến, 3 bưu chính công ích."""


def is_portal(row: Mapping[str, Any]) -> bool:
    """Tell whether a row is written in the portal's words."""
    return any(key in row for key in ("MATTHC", "TENTTHC", "CACHTHUCTHUCHIEN"))


def translate(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a procedure of the portal in the shape of the national catalogue's JSON.

    A row of LayDanhSachTTHC has no details: what it leaves out is left out here, too.
    """
    fields = _many(row.get("LINHVUCTHUCHIEN"))
    first = fields[0] if fields and isinstance(fields[0], Mapping) else {}
    agencies = [one for one in _many(row.get("COQUANTHUCHIEN")) if isinstance(one, Mapping)]
    said: dict[str, Any] = {
        "code": row.get("MATTHC"),
        "name": row.get("TENTTHC"),
        "field": first.get("TENLINHVUC") or row.get("TENLINHVUC") or (fields[0] if fields and not first else None),
        "field_code": first.get("MALINHVUC") or row.get("MALINHVUC"),
        "levels": row.get("CAPTHUCHIEN"),
        "applicants": row.get("DOITUONGTHUCHIEN") or row.get("DOITUONG"),
        "agencies": [one.get("MADONVI") for one in agencies if one.get("MADONVI")],
        "performed_by": "; ".join(str(one.get("TENDONVI") or "") for one in agencies),
        "decision": row.get("SOQUYETDINH") or row.get("SOQD"),
        "ministry": row.get("MANGANH"),
        "kind": row.get("LOAITTHC"),
        "channels": [way for one in _many(row.get("CACHTHUCTHUCHIEN")) for way in _ways(one)],
        "components": [_component(one) for one in _components(row.get("THANHPHANHOSO"))],
        "results": [_result(one) for one in _many(row.get("KETQUATHUCHIEN"))],
        "legal_basis": [_basis(one) for one in _many(row.get("CANCUPHAPLY"))],
        "requirements": row.get("YEUCAU"),
        "service_level": row.get("MUCDO"),
        "valid_from": row.get("NGAYHIEULUC"),
        "valid_to": row.get("NGAYHETHIEULUC"),
    }
    return said


def _many(value: object) -> list[Any]:
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def _ways(one: object) -> list[dict[str, Any]]:
    if not isinstance(one, Mapping):
        return [{"channel": one}]
    channel = CHANNELS.get(str(one.get("KENH")), one.get("KENH"))
    times = _many(one.get("THOIGIAN")) or [one]
    return [{"channel": channel, **_way(time if isinstance(time, Mapping) else {"MOTA": time})} for time in times]


def _way(time: Mapping[str, Any]) -> dict[str, Any]:
    fees = [fee if isinstance(fee, Mapping) else {"SOTIEN": fee} for fee in _many(time.get("PHILEPHI"))]
    return {
        "duration": time.get("THOIGIANGIAIQUYET"),
        "duration_unit": time.get("DONVITINH"),
        "note": time.get("MOTA"),
        "fees": [{"amount": _amount(fee), "note": fee.get("MOTA")} for fee in fees],
        "free": False,
    }


def _amount(fee: Mapping[str, Any]) -> object:
    amount, unit = fee.get("SOTIEN"), fee.get("DONVI")
    return f"{amount} {unit}" if isinstance(amount, str) and unit else amount


def _components(value: object) -> list[Any]:
    """Return the papers, also where they are grouped by case (TRUONGHOP)."""
    papers: list[Any] = []
    for one in _many(value):
        grouped = one.get("GIAYTO") if isinstance(one, Mapping) else None
        papers.extend(grouped if isinstance(grouped, list) else [one])
    return papers


def _component(one: object) -> dict[str, Any]:
    if not isinstance(one, Mapping):
        return {"name": one}
    return {
        "name": one.get("GIAYTO") or one.get("TENGIAYTO"),
        "code": one.get("MAGIAYTO"),
        "form": one.get("TENMAUDON"),
        "originals": one.get("BANCHINH"),
        "copies": one.get("BANSAO"),
    }


def _result(one: object) -> object:
    return {"code": one.get("MAKETQUA"), "name": one.get("TENKETQUA")} if isinstance(one, Mapping) else one


def _basis(one: object) -> object:
    if not isinstance(one, Mapping):
        return one
    return " ".join(str(one[key]) for key in ("SOVANBAN", "TENVANBAN") if one.get(key))
