"""HoSo and TienDo in the REST dialect of 2026, and back.

Source: one vendor's words (DOMAIN §1.8); the specification was not seen. Seen are the names of a dossier's own fields,
of its components and their files, of who hands it in, an ISO time and a number for the status, and that fees and
results go with 5, 6 and 9 only. ASSUMED, and to be checked before the portal is spoken to: words of HoSo without a
place of their own stand in EformThongTinChiTiet under the same names; what a paper is marked with stands beside its
file; the dates of a status stand beside it; MaDonViTiepNhan is the agency in the dossier's code.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson

from gateway.portal.port import Words
from shared.clock import VN

OWN = ("MaHoSo", "MaTTHC", "ChuHoSo", "LoaiDoiTuong")
SUBMITTER = ("MaDoiTuong", "Email", "SoDienThoai")
DATES = ("NgayTiepNhan", "NgayHenTra", "NgayTuChoi", "NgayKetThucXuLy", "NgayTra")
LISTS = ("DanhSachLePhi", "DanhSachGiayToKetQua")
STATUS = "TrangThaiHoSo"
_ELSEWHERE = frozenset({*OWN, *SUBMITTER, *DATES, "TaiLieuNop", STATUS})
_STATUSES_WITH_LISTS = frozenset({"5", "6", "9"})
_PROGRESS_DATES = ("ThoiDiemXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh")
_FILE = {"TepDinhKemId": "IdGiayTo", "TenTepDinhKem": "TenGiayTo", "MaKetQuaThayThe": "MaKetQua"}
_FILE_BACK = {new: old for old, new in _FILE.items()}
_FIRST = "1"


@dataclass(frozen=True, slots=True)
class Parts:
    """A HoSo taken apart as the dialect tells it: the dossier, and the status it stands at."""

    code: str
    dossier: Words
    """Body of TaoHoSo and CapNhatHoSo."""
    state: Words
    """Body of CapNhatTrangThai, without IdHoSo."""
    with_lists: bool
    """Fees and results go with this status."""
    beginning: bool
    """It stands where a creation puts it: status 1, no date yet."""
    dossier_digest: bytes
    """Of the dossier without fees and results."""
    lists_digest: bytes
    state_digest: bytes
    """Of the status and its dates."""


def parts_of(hoso: Mapping[str, Any]) -> Parts:
    """Take a HoSo apart."""
    status = str(hoso.get(STATUS) or "")
    dates = {name: to_iso(hoso.get(name)) for name in DATES}
    lists = {name: hoso.get(name) or [] for name in LISTS}
    dossier = _dossier(hoso)
    bare = dossier | {"EformThongTinChiTiet": _without(dossier["EformThongTinChiTiet"], LISTS)}
    told = {"MaHoSo": hoso["MaHoSo"], "TrangThai": int(status) if status.isdecimal() else None, **dates}
    return Parts(
        code=str(hoso["MaHoSo"]),
        dossier=dossier,
        state=told | (lists if status in _STATUSES_WITH_LISTS else {}),
        with_lists=status in _STATUSES_WITH_LISTS,
        beginning=status == _FIRST and not any(dates.values()),
        dossier_digest=_digest(bare),
        lists_digest=_digest(lists),
        state_digest=_digest(told),
    )


def to_hoso(data: Mapping[str, Any]) -> Words:
    """Return a dossier that the portal showed in the words of HoSo."""
    eform, submitter = data.get("EformThongTinChiTiet") or {}, data.get("ThongTinNguoiNop") or {}
    status = data.get("TrangThai")
    return {
        **{name: data[name] for name in OWN if data.get(name) is not None},
        **eform,
        **{name: submitter[name] for name in SUBMITTER if name in submitter},
        **{name: from_iso(data.get(name)) for name in DATES},
        STATUS: "" if status is None else str(status),
        "TaiLieuNop": list(_papers(data.get("ThanhPhanHoSo") or [])),
    }


def progress_of(tien_do: Mapping[str, Any]) -> Words:
    """Return a TienDo as CapNhatTienTrinh tells it, without IdHoSo."""
    dates = {name: to_iso(tien_do[name]) for name in _PROGRESS_DATES if tien_do.get(name)}
    told = {name: value for name, value in tien_do.items() if name not in _PROGRESS_DATES}
    return told | dates | {"TrangThai": int(tien_do["TrangThai"])}


def to_iso(value: str | None) -> str | None:
    """Return yyyyMMddHHmmss of Vietnam as ISO 8601 with its zone; None for nothing."""
    return datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=VN).isoformat() if value else None


def from_iso(value: str | None) -> str:
    """Return an ISO time as HoSo writes it; empty for nothing."""
    return datetime.fromisoformat(value).astimezone(VN).strftime("%Y%m%d%H%M%S") if value else ""


def _dossier(hoso: Mapping[str, Any]) -> Words:
    return {
        **{name: hoso[name] for name in OWN if name in hoso},
        "MaDichVuCong": f"{hoso['MaTTHC']}.01" if hoso.get("MaTTHC") else "",
        "MaDonViTiepNhan": str(hoso["MaHoSo"]).partition("-")[0],
        "EformThongTinChiTiet": {name: value for name, value in hoso.items() if name not in _ELSEWHERE},
        "ThanhPhanHoSo": list(_components(hoso.get("TaiLieuNop") or [])),
        "ThongTinNguoiNop": {name: hoso[name] for name in SUBMITTER if name in hoso},
    }


def _components(papers: Sequence[Mapping[str, Any]]) -> Iterable[Words]:
    for code, group in groupby(papers, key=lambda paper: paper.get("MaThanhPhanHoSo")):
        files = [
            {_FILE.get(name, name): value for name, value in paper.items() if name != "MaThanhPhanHoSo"}
            for paper in group
        ]
        yield {
            "MaThanhPhanHoSo": code,
            "TenThanhPhanHoSo": files[0].get("TenGiayTo", ""),
            "SoLuong": len(files),
            "GiayToDinhKem": files,
        }


def _papers(components: Iterable[Mapping[str, Any]]) -> Iterable[Words]:
    for component in components:
        for file in component.get("GiayToDinhKem") or []:
            told = {_FILE_BACK.get(name, name): value for name, value in file.items()}
            yield told | {"MaThanhPhanHoSo": component.get("MaThanhPhanHoSo")}


def _without(words: Mapping[str, Any], left_out: Iterable[str]) -> Words:
    return {name: value for name, value in words.items() if name not in left_out}


def _digest(value: object) -> bytes:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()
