"""KhoSoHoa: an owner's results, asked for in the portal's words and answered in them, both ways.

Source: the field names of a sender in public use; the specification itself was not readable. Values are strings.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from gateway.portal.inbound import PortalWords, Text

DONE, NOTHING = "0", "1"
CONSENT = "Chủ sở hữu đồng ý cho khai thác kết quả trong Kho số hóa theo yêu cầu của Cổng Dịch vụ công quốc gia"
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
Number = Annotated[str, Field(pattern=r"^[0-9]{9,13}(-[0-9]{3})?$")]


class WantedResult(PortalWords):
    """One of DanhSachDanhMucKetQua: a kind of result, and the number of one if it is known."""

    MaKetQua: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    SoKyHieu: Text = ""


class WantedResults(PortalWords):
    """Whose results are asked for, by whom, through which channel and for which procedure."""

    SoDinhDanhChuSoHuu: Number
    HoTenNguoiYeuCau: Annotated[str, Field(min_length=1, max_length=200)]
    KenhThucHien: Annotated[str, Field(pattern="^[1-3]?$")] = ""
    SoDinhDanhNguoiYeuCau: Number
    MaThuTuc: Annotated[str, Field(min_length=1, max_length=40)]
    DanhSachDanhMucKetQua: Annotated[tuple[WantedResult, ...], Field(max_length=20)] = ()


class WantedFile(PortalWords):
    """A file that an answer named."""

    CoQuanChuQuan: Text
    DuongDan: Annotated[str, Field(pattern=f"^{_UUID}/{_UUID}$")]


def as_search(asked: WantedResults, at: str) -> dict[str, Any]:
    """Return our search for what the portal asks, at a moment (ISO 8601); its own consent screen is what was shown."""
    return {
        "owner_id_number": asked.SoDinhDanhChuSoHuu,
        "kind_codes": sorted({one.MaKetQua for one in asked.DanhSachDanhMucKetQua}),
        "consent": {"by": asked.HoTenNguoiYeuCau, "at": at, "text": CONSENT},
        "purpose": f"Kho số hóa: thủ tục {asked.MaThuTuc}",
    }


def as_answer(asked: WantedResults, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the portal's answer for what our search found; numbers that were named leave the others out."""
    numbers = {one.MaKetQua: one.SoKyHieu for one in asked.DanhSachDanhMucKetQua if one.SoKyHieu}
    items = [one for one in found["items"] if numbers.get(one["kind_code"], one["number"]) == one["number"]]
    papers = [_paper(one, str(found["id"])) for one in items]
    return {
        "errorCode": DONE if papers else NOTHING,
        "message": "Thành công" if papers else "Không có kết quả",
        "signature": "",
        "result": {"DanhSachGiayToKetQua": papers},
    }


def as_question(search: Mapping[str, Any], *, requester: str, procedure_code: str) -> dict[str, Any]:
    """Return KhoSoHoa's request for a search of ours: what we ask another repository."""
    return {
        "SoDinhDanhChuSoHuu": search["owner_id_number"],
        "HoTenNguoiYeuCau": search["consent"]["by"],
        "KenhThucHien": "2",
        "SoDinhDanhNguoiYeuCau": requester,
        "MaThuTuc": procedure_code,
        "DanhSachDanhMucKetQua": [{"MaKetQua": kind, "SoKyHieu": ""} for kind in search["kind_codes"]],
    }


def read_answer(answer: Mapping[str, Any]) -> Sequence[dict[str, str]]:
    """Return the files that another repository's answer names; none when it found nothing.

    errorCode comes as a number or a string. Raises KeyError, ValueError for what is no answer.
    """
    if int(answer["errorCode"]) != 0:
        return []
    return [
        {
            "kind_code": str(paper["MaKetQua"]),
            "kind_name": str(paper["TenGiayTo"]),
            "number": str(paper["SoKyHieu"]),
            "agency": str(paper["CoQuanChuQuan"]),
            "name": str(file["TenTep"]),
            "path": str(file["DuongDan"]),
        }
        for paper in answer["result"]["DanhSachGiayToKetQua"]
        for file in paper["DanhSachTepDinhKem"]
    ]


def as_file(content: bytes) -> dict[str, str]:
    """Return a file as the portal takes it."""
    return {"errorCode": DONE, "message": "Thành công", "result": base64.b64encode(content).decode()}


def _paper(one: Mapping[str, Any], consent_id: str) -> dict[str, Any]:
    extension = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}[one["media_type"]]
    file = {"TenTep": f"{one['number'].replace('/', '-')}.{extension}", "DuongDan": f"{consent_id}/{one['id']}"}
    return {
        "MaKetQua": one["kind_code"],
        "TenGiayTo": one["kind_name"],
        "SoKyHieu": one["number"],
        "CoQuanChuQuan": one["agency_code"],
        "DanhSachTepDinhKem": [file],
    }
