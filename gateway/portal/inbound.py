"""What the portal sends us: a dossier born there, in the words of HoSo, and how it reads in ours."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import ConfigDict, Field

from gateway.errors import PortalRefused
from shared.bodies import Body
from shared.clock import VN
from shared.errors import FieldError

_PARTY = {"1": "citizen", "2": "organisation", "3": "state_agency", "4": "other"}
_CCCD, _CMND = 12, 9
Text = Annotated[str, Field(max_length=1000)]


class PortalWords(Body):
    """Values are strings, as the portal writes them; fields we do not use are ignored."""

    model_config = ConfigDict(extra="ignore")


class PortalDocument(PortalWords):
    """TaiLieuNop: one file."""

    MaThanhPhanHoSo: Text
    TenTepDinhKem: Text
    DuongDanTaiTepTin: Annotated[str, Field(max_length=2000)] = ""
    HashTepTin: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the file; without an address the file itself stays with the portal."""


class PortalDossier(PortalWords):
    """HoSo as the portal hands it over."""

    MaHoSoDVCQG: Annotated[str, Field(min_length=1, max_length=100)]
    """The portal's own number: the same number is the same dossier."""
    MaTTHC: Annotated[str, Field(max_length=40)]
    MaDonVi: Annotated[str, Field(max_length=40)]
    ChuHoSo: Text
    SoGiayToChuHoSo: Annotated[str, Field(max_length=20)] = ""
    LoaiDoiTuong: Annotated[str, Field(pattern="^[1-4]$")]
    MaDoiTuong: Text = ""
    Email: Text = ""
    SoDienThoai: Text = ""
    TrichYeuHoSo: Text = ""
    NgayNopHoSo: Annotated[str, Field(pattern="^[0-9]{14}$")]
    HinhThuc: Annotated[str, Field(pattern="^[01]?$")] = "0"
    TaiKhoanDuocXacThucVoiVNeID: Annotated[str, Field(pattern="^[01]?$")] = "0"
    TaiLieuNop: Annotated[list[PortalDocument], Field(max_length=200)] = Field(default=[])


class Lookup(PortalWords):
    """TraCuuHoSo asked of us; the lower-case name is the portal's own."""

    mahoso: Annotated[str, Field(max_length=60)]


def submission(dossier: PortalDossier, files: Mapping[int, UUID]) -> bytes:
    """Return intake's submission body for a dossier born on the portal; raises PortalRefused naming the field.

    `files` are the ids under which intake keeps the files, by their place in TaiLieuNop.
    """
    party = {
        "kind": _PARTY[dossier.LoaiDoiTuong],
        "name": dossier.ChuHoSo,
        **_identity(dossier),
        "email": dossier.Email or None,
        "phone": dossier.SoDienThoai or None,
        "portal_account": dossier.MaDoiTuong or None,
        "eid_verified": dossier.TaiKhoanDuocXacThucVoiVNeID == "1",
    }
    body = {
        "origin": "national_portal",
        "procedure_code": dossier.MaTTHC,
        "agency_code": dossier.MaDonVi,
        "channel": "online",
        "applicant": party,
        "summary": dossier.TrichYeuHoSo,
        "return_method": "postal" if dossier.HinhThuc == "1" else "online",
        "submitted_at": _time(dossier.NgayNopHoSo),
        "origin_reference": dossier.MaHoSoDVCQG,
        "documents": [
            {"component_code": paper.MaThanhPhanHoSo, "document_id": files[place]}
            if place in files
            else {"component_code": paper.MaThanhPhanHoSo, "name": paper.TenTepDinhKem, "sha256": paper.HashTepTin}
            for place, paper in enumerate(dossier.TaiLieuNop)
        ],
    }
    return orjson.dumps(body)


def _identity(dossier: PortalDossier) -> dict[str, str]:
    number = dossier.SoGiayToChuHoSo
    if not number:
        return {}
    if dossier.LoaiDoiTuong == "1":
        kind = {_CCCD: "cccd", _CMND: "cmnd"}.get(len(number))
        if kind is None:
            raise PortalRefused(
                "See errors.",
                errors=[FieldError("SoGiayToChuHoSo", "Send 12 digits (CCCD) or 9 (CMND).", "Gửi 12 số hoặc 9 số.")],
            )
        return {"id_kind": kind, "id_number": number}
    return {"id_kind": "mst", "id_number": number}


def _time(text: str) -> str:
    try:
        # Naive on the wire: the portal's times are Vietnam's, and get their zone here.
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=VN).isoformat()
    except ValueError as problem:
        wrong = FieldError("NgayNopHoSo", "Send yyyyMMddHHmmss.", "Gửi theo dạng yyyyMMddHHmmss.")
        raise PortalRefused("See errors.", errors=[wrong]) from problem
