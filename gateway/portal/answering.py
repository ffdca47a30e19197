"""What we answer when the portal asks about a dossier: where it stands, how it came there, when it is due; no names.

The words are those of HoSo and TienDo; DanhSachTienDo, the statuses in order, is ours: no source shows such an answer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.portal.messages import portal_time
from gateway.portal.port import Words
from gateway.portal.rest_words import DATES, to_iso
from gateway.states import LABELS_VI, PortalStatus

NONE_SUCH, FOUND = "Không có hồ sơ", "Thành công"

Reached = Sequence[tuple[int, datetime]]
"""Statuses in order, each with when it was reached."""


def dossier_shown(code: str, facts: Mapping[str, Any], status: int, reached: Reached) -> Words:
    """Return a dossier in the legacy words: strings, times as yyyyMMddHHmmss."""
    submitted = facts["submitted"]
    return {
        "MaHoSo": code,
        "MaTTHC": submitted["procedure_code"],
        "TenTTHC": submitted["procedure_name"],
        "DonViXuLy": submitted["agency_name"],
        "TrangThaiHoSo": str(status),
        "NgayNopHoSo": portal_time(submitted["submitted_at"]),
        "NgayTiepNhan": portal_time((facts.get("accepted") or {}).get("accepted_at")),
        "NgayHenTra": portal_time(facts.get("due_at")),
        "NgayTuChoi": portal_time((facts.get("rejected") or {}).get("rejected_at")),
        "NgayKetThucXuLy": portal_time((facts.get("completed") or {}).get("completed_at")),
        "NgayTra": portal_time((facts.get("returned") or {}).get("returned_at")),
        "DanhSachTienDo": [
            {
                "TrangThai": str(one),
                "ThoiDiemXuLy": portal_time(at),
                "NoiDungXuLy": LABELS_VI[PortalStatus(one)],
            }
            for one, at in reached
        ],
    }


def in_envelope(shown: Words | None) -> Words:
    """Return the legacy answer: error_code, message, result; an empty result means unknown."""
    return {"error_code": "0", "message": FOUND if shown else NONE_SUCH, "result": [shown] if shown else []}


def in_rest_words(shown: Words | None) -> Words:
    """Return the answer of the REST dialect: ISO times, numbers for statuses; null data means unknown."""
    if shown is None:
        return {"code": 0, "message": NONE_SUCH, "data": None}
    times = {name: to_iso(shown[name]) for name in ("NgayNopHoSo", *DATES)}
    progress = [
        {**one, "TrangThai": int(one["TrangThai"]), "ThoiDiemXuLy": to_iso(one["ThoiDiemXuLy"])}
        for one in shown["DanhSachTienDo"]
    ]
    told = {name: value for name, value in shown.items() if name != "TrangThaiHoSo"}
    data = told | times | {"TrangThai": int(shown["TrangThaiHoSo"]), "DanhSachTienDo": progress}
    return {"code": 0, "message": FOUND, "data": data}
