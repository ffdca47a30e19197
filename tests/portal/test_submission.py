"""Dossiers born on the portal, and the pages that people see."""

import base64
import hashlib

from tests.portal.province import SUBMISSION, Province
from tests.portal.wire import Wire, code_of, make_hoso

DOSSIER = {
    "MaTTHC": "1.001456",
    "MaDonVi": "H32.11",
    "ChuHoSo": "Nguyễn Văn A",
    "SoGiayToChuHoSo": "056090000001",
    "LoaiDoiTuong": "1",
    "SoDienThoai": "0901234567",
    "TrichYeuHoSo": "Cấp hộ chiếu",
}


class TestSubmit:
    """POST /_control/submit."""

    def test_hands_the_dossier_to_the_gateway(self, portal: Wire, province: Province) -> None:
        answer = portal.control("POST", "/submit", json=DOSSIER)
        heard = province.at(SUBMISSION)[0]
        assert (answer["status_code"], answer["attempts"]) == (201, 1)
        assert answer["answer"]["echo"] == answer["MaHoSoDVCQG"]
        assert heard.headers["authorization"] == "Bearer a-token"
        assert heard.headers["idempotency-key"] == answer["MaHoSoDVCQG"]
        assert {name: heard.json[name] for name in DOSSIER} == DOSSIER
        assert (heard.json["KenhThucHien"], heard.json["NoiNopHoSo"], heard.json["TaiLieuNop"]) == ("2", "1", [])
        assert len(heard.json["NgayNopHoSo"]) == 14

    def test_gives_every_dossier_its_own_number(self, portal: Wire) -> None:
        numbers = {portal.control("POST", "/submit", json=DOSSIER)["MaHoSoDVCQG"] for _ in range(3)}
        assert len(numbers) == 3
        told = portal.control("GET", "/submissions")["submissions"]
        assert {one["MaHoSoDVCQG"] for one in told} == numbers

    def test_offers_its_papers_by_hash(self, portal: Wire, province: Province) -> None:
        content = b"%PDF-1.4 to khai"
        paper = {
            "MaThanhPhanHoSo": "TP01",
            "TenTepDinhKem": "Tờ khai.pdf",
            "content_base64": base64.b64encode(content).decode(),
        }
        portal.control("POST", "/submit", json={**DOSSIER, "documents": [paper]})
        told = province.at(SUBMISSION)[0].json["TaiLieuNop"][0]
        assert (told["MaThanhPhanHoSo"], told["TenTepDinhKem"]) == ("TP01", "Tờ khai.pdf")
        assert told["HashTepTin"] == hashlib.sha256(content).hexdigest()
        assert portal.client.get(told["DuongDanTaiTepTin"]).content == content

    def test_tries_again_with_the_same_number(self, portal: Wire, province: Province) -> None:
        province.first += [lambda _: (503, {}), lambda _: (429, {})]
        answer = portal.control("POST", "/submit", json=DOSSIER)
        assert (answer["status_code"], answer["attempts"]) == (201, 3)
        keys = {heard.headers["idempotency-key"] for heard in province.at(SUBMISSION)}
        assert keys == {answer["MaHoSoDVCQG"]}

    def test_takes_a_refusal_for_an_answer(self, portal: Wire, province: Province) -> None:
        province.first.append(lambda _: (422, {"code": "invalid_request"}))
        answer = portal.control("POST", "/submit", json=DOSSIER)
        assert (answer["status_code"], answer["attempts"]) == (422, 1)
        assert answer["answer"] == {"code": "invalid_request"}

    def test_renews_a_token_that_is_refused(self, portal: Wire, province: Province) -> None:
        portal.control("POST", "/submit", json=DOSSIER)
        province.first.append(lambda _: (401, {}))
        answer = portal.control("POST", "/submit", json=DOSSIER)
        assert (answer["status_code"], answer["attempts"]) == (201, 1)
        assert len(province.at("/oauth/token")) >= 1

    def test_can_be_given_a_number_to_send_twice(self, portal: Wire, province: Province) -> None:
        for _ in range(2):
            portal.control("POST", "/submit", json={**DOSSIER, "MaHoSoDVCQG": "G22.99.99-261122-1"})
        assert {heard.json["MaHoSoDVCQG"] for heard in province.at(SUBMISSION)} == {"G22.99.99-261122-1"}
        assert len(portal.control("GET", "/submissions")["submissions"]) == 1


class TestHomePage:
    """The page at /."""

    def test_shows_what_it_holds_and_what_is_wrong_with_it(self, portal: Wire) -> None:
        portal.fault("login", "quirky_codes", count=3)
        portal.walk(1, "1 2")
        page = portal.client.get("/").text
        for shown in (code_of(1), "Được tiếp nhận", "Accepted", "quirky_codes", "active faults", "vi phạm"):
            assert shown in page
        assert "http://" not in page

    def test_shows_no_person(self, portal: Wire) -> None:
        portal.push([make_hoso(ChuHoSo="Lê Thị Kín")], updating=False)
        assert "Kín" not in portal.client.get("/").text

    def test_escapes_what_it_was_told(self, portal: Wire) -> None:
        portal.push([make_hoso(MaHoSo="<script>alert(1)</script>")], updating=False)
        assert "<script>" not in portal.client.get("/").text


class TestHealth:
    """What a supervisor asks."""

    def test_tells_that_it_lives_and_is_ready(self, portal: Wire) -> None:
        assert portal.client.get("/health/live").json() == {"status": "live"}
        assert portal.client.get("/health/ready").json() == {"status": "ready"}
