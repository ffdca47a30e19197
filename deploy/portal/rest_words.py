"""HoSo and TienDo as the REST dialect of 2026 writes them (DOMAIN.md §1.8, one vendor's words), and back.

Seen: the names of a dossier's own fields, of its components and files, an ISO time and a number for the status, fees
and results with 5, 6 and 9 only. Assumed: words of HoSo that have no place of their own stand in EformThongTinChiTiet
under the same names, what a paper is marked with stands beside its file, the dates of a status stand beside it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby

from shared.clock import VN

Row = dict[str, object]

OWN = ("MaHoSo", "MaTTHC", "ChuHoSo", "LoaiDoiTuong")
SUBMITTER = ("MaDoiTuong", "Email", "SoDienThoai")
DATES = ("NgayTiepNhan", "NgayHenTra", "NgayTuChoi", "NgayKetThucXuLy", "NgayTra")
LISTS = ("DanhSachLePhi", "DanhSachGiayToKetQua")
STATUSES_WITH_LISTS = frozenset({5, 6, 9})
PROGRESS_DATES = ("ThoiDiemXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh")
FILE = {"TepDinhKemId": "IdGiayTo", "TenTepDinhKem": "TenGiayTo", "MaKetQuaThayThe": "MaKetQua"}


def to_words(body: Mapping[str, object]) -> Row:
    """Return what a dossier's body says, in the words of HoSo, without status and dates."""
    eform, submitter = body.get("EformThongTinChiTiet"), body.get("ThongTinNguoiNop")
    words: Row = {name: body.get(name) for name in OWN if body.get(name) is not None}
    words |= eform if isinstance(eform, dict) else {}
    words |= {name: submitter[name] for name in SUBMITTER if name in submitter} if isinstance(submitter, dict) else {}
    words["TaiLieuNop"] = list(_papers(body.get("ThanhPhanHoSo")))
    return words


def to_state(body: Mapping[str, object]) -> Row:
    """Return what a status' body says, in the words of HoSo. Raises ValueError for a time that is none."""
    state: Row = {"TrangThaiHoSo": str(body.get("TrangThai", ""))}
    state |= {name: compact(body.get(name)) for name in DATES}
    if body.get("TrangThai") in STATUSES_WITH_LISTS:
        state |= {name: body[name] for name in LISTS if name in body}
    return state


def to_progress(body: Mapping[str, object]) -> Row:
    """Return a progress in the words of TienDo. Raises ValueError for a time that is none."""
    told = {name: value for name, value in body.items() if name != "IdHoSo"}
    told |= {name: compact(told[name]) for name in PROGRESS_DATES if name in told}
    return told | {"TrangThai": str(body.get("TrangThai", ""))}


def from_hoso(hoso: Mapping[str, object]) -> Row:
    """Return a dossier that is held as the dialect shows it: its body with its status and dates."""
    elsewhere = {*OWN, *SUBMITTER, *DATES, "TaiLieuNop", "TrangThaiHoSo"}
    papers = hoso.get("TaiLieuNop")
    status = str(hoso.get("TrangThaiHoSo") or "")
    return {
        **{name: hoso[name] for name in OWN if name in hoso},
        "EformThongTinChiTiet": {name: value for name, value in hoso.items() if name not in elsewhere},
        "ThanhPhanHoSo": list(_components(papers if isinstance(papers, list) else [])),
        "ThongTinNguoiNop": {name: hoso[name] for name in SUBMITTER if name in hoso},
        "TrangThai": int(status) if status.isdecimal() else None,
        **{name: iso(hoso.get(name)) for name in DATES},
    }


def compact(value: object) -> str:
    """Return an ISO time as HoSo writes it; empty for none. Raises ValueError."""
    if value is None or value == "":
        return ""
    at = datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise ValueError("thời gian phải có múi giờ")
    return at.astimezone(VN).strftime("%Y%m%d%H%M%S")


def iso(value: object) -> str | None:
    """Return a time of HoSo in ISO form, None for none."""
    return datetime.strptime(str(value), "%Y%m%d%H%M%S").replace(tzinfo=VN).isoformat() if value else None


def _papers(components: object) -> Iterable[Row]:
    for component in components if isinstance(components, list) else []:
        files = component.get("GiayToDinhKem") if isinstance(component, dict) else None
        for file in files if isinstance(files, list) else []:
            back = {new: old for old, new in FILE.items()}
            yield {back.get(name, name): value for name, value in file.items()} | {
                "MaThanhPhanHoSo": component.get("MaThanhPhanHoSo")
            }


def _components(papers: Iterable[Row]) -> Iterable[Row]:
    for code, group in groupby(papers, key=lambda paper: paper.get("MaThanhPhanHoSo")):
        files = [
            {FILE.get(name, name): value for name, value in paper.items() if name != "MaThanhPhanHoSo"}
            for paper in group
        ]
        first = files[0].get("TenGiayTo")
        yield {
            "MaThanhPhanHoSo": code,
            "TenThanhPhanHoSo": first,
            "SoLuong": len(files),
            "GiayToDinhKem": files,
        }
