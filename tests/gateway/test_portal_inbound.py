"""The portal calls us: dossiers born there, and questions about those we hold."""

from datetime import datetime
from typing import Any

import pytest
from starlette.responses import Response

from gateway.errors import PortalRefused, UpstreamAway
from gateway.portal.messages import portal_time
from services.intake.schemas.requests import PortalDossierBody
from shared.errors import InvalidRequest
from tests.gateway.backstage import Backstage, Heard
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, Life, returned
from tests.gateway.test_proxy import intake_at
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem

DOSSIER: dict[str, Any] = {
    "MaHoSoDVCQG": "G22.99-260407-000123",
    "MaTTHC": "1.004222",
    "MaDonVi": "H32.14",
    "ChuHoSo": "Nguyễn Thị Bí Mật",
    "SoGiayToChuHoSo": "056090000001",
    "LoaiDoiTuong": "1",
    "MaDoiTuong": "TECH-1",
    "SoDienThoai": "0912345678",
    "TrichYeuHoSo": "Xây nhà",
    "NgayNopHoSo": "20260407090533",
    "HinhThuc": "1",
    "TaiKhoanDuocXacThucVoiVNeID": "1",
    "TaiLieuNop": [
        {"MaThanhPhanHoSo": "TP01", "TenTepDinhKem": "don.pdf", "HashTepTin": "a" * 64, "IsDeleted": "False"}
    ],
    "TruongKhac": "is not ours",
}


async def hand_over(visitor: Visitor, **changes: Any) -> Any:
    body = {name: value for name, value in {**DOSSIER, **changes}.items() if value is not None}
    return await visitor.post("/api/v1/portal/dossiers", who="national-portal", json=body)


class TestSubmission:
    """A citizen submitted at the portal."""

    async def test_reaches_intake_in_our_words(self, visitor: Visitor, backstage: Backstage) -> None:
        assert (await hand_over(visitor)).status_code == 201
        (heard,) = backstage.heard
        assert (heard.service, heard.target) == ("intake", "/portal-submissions")
        body = PortalDossierBody.model_validate_json(heard.body)
        assert (body.origin, body.origin_reference) == ("national_portal", "G22.99-260407-000123")
        assert (body.channel, body.return_method) == ("online", "postal")
        assert body.submitted_at
        assert body.submitted_at.isoformat() == "2026-04-07T02:05:33+00:00"
        applicant = body.applicant
        assert (applicant.id_kind, applicant.id_number, applicant.eid_verified) == ("cccd", "056090000001", True)
        assert [paper.sha256 for paper in body.documents] == ["a" * 64]

    async def test_sent_again_has_the_same_key_and_another_content_another(
        self, visitor: Visitor, backstage: Backstage
    ) -> None:
        for changes in ({}, {}, {"TrichYeuHoSo": "Xây kho"}):
            await hand_over(visitor, **changes)
        first, again, other = (heard.header("idempotency-key") for heard in backstage.heard)
        assert first == again != other

    async def test_is_logged_with_its_code_and_answered_with_its_address(
        self, visitor: Visitor, backstage: Backstage, house: Hall
    ) -> None:
        async def created(_: Heard) -> Response:
            return Response(b"{}", 201, headers={"location": "/dossiers/H32.14-260407-0007"})

        backstage.answer = created
        answer = await hand_over(visitor)
        assert answer.headers["location"] == "/api/v1/dossiers/H32.14-260407-0007"
        (call,) = await house.rows("SELECT * FROM transaction_log WHERE path LIKE '/api/v1/%'")
        assert (call["client_id"], call["service"], call["status"]) == ("national-portal", "intake", 201)
        assert call["dossier_code"] == "H32.14-260407-0007"

    @pytest.mark.parametrize(
        "changes",
        [
            {"MaHoSoDVCQG": None},
            {"MaHoSoDVCQG": ""},
            {"LoaiDoiTuong": "5"},
            {"NgayNopHoSo": "2026-04-07"},
            {"TaiLieuNop": [{"MaThanhPhanHoSo": "TP01", "TenTepDinhKem": "x", "HashTepTin": "short"}]},
            {"TaiLieuNop": "x"},
            {"ChuHoSo": 7},
        ],
    )
    async def test_malformed_is_refused_by_field(
        self, visitor: Visitor, backstage: Backstage, changes: dict[str, Any]
    ) -> None:
        document = assert_problem(await hand_over(visitor, **changes), InvalidRequest)
        assert next(iter(changes)) in document["errors"][0]["field"]
        assert backstage.heard == []

    @pytest.mark.parametrize(
        ("field", "value"), [("SoGiayToChuHoSo", "12345"), ("NgayNopHoSo", "20261340250000"), ("NgayNopHoSo", "0" * 14)]
    )
    async def test_that_cannot_be_read_is_refused_by_field(self, visitor: Visitor, field: str, value: str) -> None:
        document = assert_problem(await hand_over(visitor, **{field: value}), PortalRefused)
        assert document["errors"][0]["field"] == field
        assert value not in document["errors"][0]["message"]

    @pytest.mark.parametrize("number", ["QG 1", "số 1\n\rX: y", "đ" * 100, "\u0000", "a/b?c#d"])
    async def test_with_an_odd_number_breaks_nothing(self, visitor: Visitor, backstage: Backstage, number: str) -> None:
        answer = await hand_over(visitor, MaHoSoDVCQG=number)
        assert answer.status_code == 201
        key = backstage.heard[0].header("idempotency-key")
        assert key
        assert key.isascii()

    async def test_is_tried_again_by_the_portal_while_intake_is_away(self, visitor: Visitor) -> None:
        with intake_at(visitor, "http://127.0.0.1:1"):
            assert_problem(await hand_over(visitor), UpstreamAway)


class TestLookup:
    """TraCuuHoSo, asked of us."""

    async def ask(self, visitor: Visitor, code: str) -> dict[str, Any]:
        answer = await visitor.post("/api/v1/portal/lookup", who="national-portal", json={"mahoso": code})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def find(self, visitor: Visitor, code: str) -> dict[str, Any]:
        answer = await visitor.get("/api/v1/portal/hoso", who="national-portal", params={"MaHoSo": code})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def test_tells_status_history_and_dates_and_nobodys_name(self, visitor: Visitor, house: Hall) -> None:
        life = returned(Life())
        await house.take(life.events)
        found = await self.ask(visitor, life.code)
        (row,) = found["result"]
        assert (found["error_code"], row["MaHoSo"], row["TrangThaiHoSo"]) == ("0", life.code, "10")
        assert [int(one["TrangThai"]) for one in row["DanhSachTienDo"]] == life.statuses
        assert [one["ThoiDiemXuLy"] for one in row["DanhSachTienDo"]] == sorted(
            one["ThoiDiemXuLy"] for one in row["DanhSachTienDo"]
        )
        assert (row["NgayHenTra"], row["NgayTra"] > row["NgayTiepNhan"]) == (portal_time(life.due), True)
        for personal in (CITIZEN.name, CITIZEN.id_number, CITIZEN.phone, CITIZEN.email):
            assert str(personal) not in str(found)

    async def test_tells_the_same_in_the_rest_words(self, visitor: Visitor, house: Hall) -> None:
        life = returned(Life())
        await house.take(life.events)
        found, (row,) = await self.find(visitor, life.code), (await self.ask(visitor, life.code))["result"]
        data = found["data"]
        assert (found["code"], data["MaHoSo"], data["TrangThai"]) == (0, life.code, 10)
        assert [one["TrangThai"] for one in data["DanhSachTienDo"]] == life.statuses
        assert datetime.fromisoformat(data["NgayHenTra"]) == life.due
        assert portal_time(data["NgayTra"]) == row["NgayTra"]
        assert data["NgayTuChoi"] is None
        assert (await self.find(visitor, "H32.14-260407-9999"))["data"] is None

    async def test_of_an_unknown_or_foreign_dossier_is_empty(self, visitor: Visitor, house: Hall) -> None:
        foreign = Life(code="H33.1-260407-0001", agency="H33.1")
        await house.take(returned(foreign).events)
        for code in (foreign.code, "H32.14-260407-9999"):
            found = await self.ask(visitor, code)
            assert (found["error_code"], found["result"]) == ("0", [])
