"""What is known of a dossier, in the portal's words: HoSo and TienDo of the national integration API, version 1.4.

Every value is a string, dates are yyyyMMddHHmmss in Asia/Ho_Chi_Minh. Source: field lists read from two senders
in public use (the specification itself, VPCP 20/04/2020, was readable only in part). Every flag is computed from
facts: what is not known is left out or empty, never invented. Left out for good, since no fact of ours says them:
DSKetNoiCSDL (the portal's list of MaCSDL is not public), DanhSachLePhiBoSung (no fee is assessed for a supplement),
MaThanhPhanHoSo of a result (it is of a kind, MaGiayToKetQua, and no component of its own dossier), DuocTaiSuDung 1 (a
re-used paper is always an earlier result, 2).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gateway.states import LABELS_VI, PortalStatus
from shared.clock import VN

SUMMARY_MAX = 1000
ACTOR_MAX = 50
NAME_MAX = 250
RETRACTED_VI = "Hủy hồ sơ do nhập nhầm"
"""What the citizen reads where the portal has no word of its own."""
PAPER_NAME_MAX = 4000
RESULT_NAME_MAX = 2000
_CHANNEL = {"direct": "1", "online": "2", "postal": "3"}
_PARTY = {"citizen": "1", "organisation": "2", "state_agency": "3", "other": "4"}
_IDENTITY = {"cccd": "1", "cmnd": "2"}
_RETURN = {"counter": "0", "online": "0", "postal": "1"}
_COLLECTED = {"on_acceptance": "1", "on_return": "4"}
_FEE_KIND = {"phi": "1", "le_phi": "2"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?\d{8,15}")
_GAPS = re.compile(r"[ .-]")
_PAID_ONLINE = {"national_platform": "1", "vnpay": "2", "vietqr": "2"}
"""DuocThanhToanTrucTuyen by the way of paying: 1 on the national platform, 2 by a gateway of the province, else 0."""

Facts = Mapping[str, Any]
Message = dict[str, Any]


def portal_time(value: datetime | str | None) -> str:
    """Return a time as the portal writes it; empty for None."""
    if value is None:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(VN).strftime("%Y%m%d%H%M%S")


def _if_like(pattern: re.Pattern[str], text: str) -> str:
    """Return a text that the portal takes for what it is, else nothing: one that it refuses stops the dossier."""
    return text if pattern.fullmatch(text) else ""


def _flag(*, true: bool) -> str:
    return "1" if true else "0"


ANOTHER_PAPER = "other"
"""Component code of a paper that the procedure does not ask for."""


def dossier_message(code: str, facts: Facts, status: PortalStatus) -> Message:
    """Return HoSo: the dossier as it stands when it reaches a status."""
    submitted, accepted = facts["submitted"], facts.get("accepted") or {}
    owner, applicant = submitted["owner"], submitted["applicant"]
    completed, returned = facts.get("completed") or {}, facts.get("returned") or {}
    documents = _documents(facts)
    counting = [document for document in documents if not document["gone"]]
    message = {
        "MaHoSo": code,
        "MaTTHC": submitted["procedure_code"],
        "TenTTHC": submitted["procedure_name"][:NAME_MAX],
        "MaLinhVuc": submitted["field_code"],
        "TenLinhVuc": submitted["field_name"],
        "KenhThucHien": _CHANNEL[submitted["channel"]],
        "ChuHoSo": owner["name"],
        "LoaiDoiTuong": _PARTY[owner["kind"]],
        # The portal's account counts only where somebody came through it.
        "MaDoiTuong": (applicant.get("portal_account") or "") if submitted["channel"] == "online" else "",
        "Email": _if_like(_EMAIL, applicant.get("email") or ""),
        "SoDienThoai": _if_like(_PHONE, _GAPS.sub("", applicant.get("phone") or "")),
        "TrichYeuHoSo": (submitted["summary"] or submitted["procedure_name"])[:SUMMARY_MAX],
        "NgayNopHoSo": portal_time(submitted["submitted_at"]),
        "NgayTiepNhan": portal_time(accepted.get("accepted_at")),
        "NgayHenTra": portal_time(facts.get("due_at")),
        "TrangThaiHoSo": str(int(status)),
        "NgayTuChoi": portal_time((facts.get("rejected") or {}).get("rejected_at")),
        "NgayKetThucXuLy": portal_time(completed.get("completed_at")),
        "NgayTra": portal_time(returned.get("returned_at")),
        "HinhThuc": _RETURN[returned.get("method") or submitted["return_method"]],
        "DonViXuLy": submitted["agency_name"],
        "NoiNopHoSo": "1" if submitted["origin"] == "national_portal" else "2",
        "HoSoCoThanhPhanSoHoa": _flag(true=any(document["digitised"] for document in counting)),
        "TaiKhoanDuocXacThucVoiVNeID": _flag(true=bool(applicant.get("eid_verified"))),
        "DuocThanhToanTrucTuyen": _paid_online(facts),
        "TaiLieuNop": [_submitted_paper(document) for document in documents if not _only_shown(document)],
        "DanhSachTepDinhKemKhac": [_other_paper(document) for document in counting if _only_shown(document)],
        "DanhSachLePhi": [_fee(item) for item in _fee_items(facts)],
        "DanhSachHoSoBoSung": [_supplement(one) for one in facts.get("supplements", [])],
        "DanhSachGiayToKetQua": [_result(one) for one in facts.get("results", {}).values() if one["valid"]],
    }
    # An unknown number is left out: never a made-up one.
    if owner.get("id_number"):
        message["SoGiayToChuHoSo"] = owner["id_number"]
        if owner.get("id_kind") in _IDENTITY:
            number = {"LoaiDinhDanh": _IDENTITY[owner["id_kind"]], "SoDinhDanh": owner["id_number"]}
            message["DinhDanhCHS"] = [number]
    return message


def progress_message(
    code: str, facts: Facts, status: PortalStatus, happened_at: datetime, detail: Mapping[str, Any]
) -> Message:
    """Return TienDo: who brought the dossier to a status, when, and what was done."""
    actor = next((detail[key] for key in _ACTORS if detail.get(key)), None) or facts["submitted"]["agency_name"]
    content = RETRACTED_VI if facts.get("retracted") else LABELS_VI[status]
    told = detail.get("reason") or detail.get("content")
    return {
        "MaHoSo": code,
        "NguoiXuLy": str(actor)[:ACTOR_MAX],
        "ThoiDiemXuLy": portal_time(happened_at),
        "PhongBanXuLy": str(detail.get("unit") or facts["submitted"]["agency_name"]),
        "NoiDungXuLy": f"{content}: {told}" if told else content,
        "TrangThai": str(int(status)),
        "NgayKetThucTheoQuyDinh": portal_time(facts.get("due_at")),
    }


_ACTORS = ("accepted_by", "rejected_by", "retracted_by", "requested_by", "stopped_by", "returned_by", "official")


def _documents(facts: Facts) -> list[Message]:
    """Return every paper handed in, in order, each with whether it is gone.

    Gone is what another paper came in the place of, and a claim to an earlier result that was refused.
    """
    documents = [*facts["submitted"]["documents"]]
    for supplement in facts.get("supplements", []):
        documents += supplement["documents"]
    replaced = {document["replaces"] for document in documents if document.get("replaces")}
    return [{**document, "gone": document["id"] in replaced or bool(document.get("refused"))} for document in documents]


def _only_shown(document: Mapping[str, Any]) -> bool:
    return document["component_code"] == ANOTHER_PAPER and not document["digitised"]


def _paid_online(facts: Facts) -> str:
    ways = {_PAID_ONLINE.get(fee.get("method", ""), "0") for fee in facts.get("fees", {}).values()}
    return min(ways - {"0"}, default="0")


def _fee_items(facts: Facts) -> Iterable[Mapping[str, Any]]:
    """Yield what is to be paid: as announced until it is assessed, then as assessed, reduced, waived or cancelled."""
    fees = [fee for fee in facts.get("fees", {}).values() if "items" in fee]
    assessed = {fee["collected"] for fee in fees}
    yield from (item for item in facts["submitted"]["fees"] if item["collected"] not in assessed)
    for fee in fees:
        if fee["status"] != "cancelled":
            nothing = {"amount_vnd": 0} if fee["status"] == "waived" else {}
            yield from ({**item, **nothing} for item in fee["items"])


def _submitted_paper(document: Mapping[str, Any]) -> Message:
    reused = document.get("reused_result")
    paper = {
        "TepDinhKemId": str(document["id"]),
        "TenTepDinhKem": document["name"][:PAPER_NAME_MAX],
        "IsDeleted": str(document["gone"]),
        "MaThanhPhanHoSo": "" if document["component_code"] == ANOTHER_PAPER else document["component_code"],
        "DuocSoHoa": _flag(true=document["digitised"]),
        "DuocTaiSuDung": "2" if reused else "0",
        "DuocLayTuKhoDMQG": _flag(true=bool(document.get("from_national_store"))),
    }
    if document.get("stored"):
        paper["DuongDanTaiTepTin"] = f"/api/v1/documents/{document['id']}"
    if reused:
        paper["MaKetQuaThayThe"] = reused
    return paper


def _other_paper(document: Mapping[str, Any]) -> Message:
    return {"TenGiayTo": document["name"][:PAPER_NAME_MAX], "SoLuong": "1"}


def _fee(item: Mapping[str, Any]) -> Message:
    return {
        "TenPhiLePhi": item["name"],
        "MaPhiLePhi": item["code"],
        "HinhThucThu": _COLLECTED[item["collected"]],
        "Gia": str(item["amount_vnd"]),
        "LoaiPhiLePhi": _FEE_KIND[item["kind"]],
    }


def _supplement(one: Mapping[str, Any]) -> Message:
    taken = {"NguoiTiepNhanBoSung": one["received_by"]} if one.get("received_by") else {}
    return taken | {
        "HoSoBoSungId": one["id"],
        "NguoiYeuCauBoSung": one["requested_by"],
        "NoiDungBoSung": one["content"],
        "NgayBoSung": portal_time(one["requested_at"]),
        "NgayTiepNhanBoSung": portal_time(one["answered_at"]),
        "TrangThaiBoSung": str(one["answered_at"] is not None),
        "DanhSachGiayToBoSung": [_other_paper(document) for document in one["documents"]],
        "NgayHenTraTruoc": portal_time(one.get("previous_due_at")),
        "NgayHenTraMoi": portal_time(one.get("due_at")),
    }


def _result(one: Mapping[str, Any]) -> Message:
    return {
        "TenGiayTo": one["kind_name"][:RESULT_NAME_MAX],
        "GiayToId": one["id"],
        "MaGiayToKetQua": one["kind_code"],
        "DuongDanTepTinKetQua": f"/api/v1/results/{one['id']}/document",
    }


_LINKS = {"TaiLieuNop": "DuongDanTaiTepTin", "DanhSachGiayToKetQua": "DuongDanTepTinKetQua"}


def with_links(message: Message, public_url: str) -> Message:
    """Return HoSo with the paths of its files made into addresses below our public one."""
    linked = {
        rows: [paper | {link: public_url + paper[link]} if paper.get(link) else paper for paper in message[rows]]
        for rows, link in _LINKS.items()
        if rows in message
    }
    return message | linked
