"""The adapter's doors: sessions, envelopes, look-ups and catalogues."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.portal.process import PortalProcess
from tests.portal.province import Province
from tests.portal.wire import Wire, code_of, make_hoso, make_tien_do

CATALOGUE = {
    "agencies": [{"code": "H32.11", "name": "Công an tỉnh", "level": "province", "parent": "H32"}],
    "fields": [{"code": "xnc", "name": "Xuất nhập cảnh"}],
    "procedures": [
        {
            "code": "1.001456",
            "name": "Cấp hộ chiếu",
            "field": "xnc",
            "agencies": ["H32.11"],
            "channels": ["online"],
            "duration": {"amount": 8, "unit": "working_day"},
            "fees": [{"name": "Lệ phí", "amounts_vnd": {"online": 160_000}}],
            "components": [{"code": "TP01", "name": "Tờ khai", "form": "TK01", "originals": 1, "copies": 0}],
            "results": [{"code": "KQ.G01.000083", "name": "Hộ chiếu"}],
            "legal_basis": ["Luật 49/2019/QH14"],
            "process": {"steps": [{"name": "Thẩm định"}]},
        }
    ],
}


class TestLogin:
    """POST /auth."""

    def test_opens_a_session_that_later_calls_carry(self, portal: Wire) -> None:
        assert portal.log_in()["error_code"] == 0
        assert portal.call("TraCuuHoSo", mahoso=code_of(1)) == {"error_code": 0, "message": "Thành công", "result": []}

    @pytest.mark.parametrize("wrong", [{"username": "ai"}, {"password": "sai"}])
    def test_refuses_another_name_or_password(self, portal: Wire, wrong: dict[str, str]) -> None:
        answer = portal.log_in(**wrong)
        assert answer["error_code"] == -4
        assert "session" not in answer

    def test_needs_a_destination(self, portal: Wire) -> None:
        del portal.client.headers["dstcode"]
        assert portal.log_in()["error_code"] == -5
        assert portal.call("TraCuuHoSo", mahoso=code_of(1))["error_code"] == -5

    def test_ends_with_its_life(self, tmp_path: Path, province: Province) -> None:
        with (
            PortalProcess(tmp_path, gateway_url=province.url, portal_session_s="0.3") as process,
            Wire(process.url) as wire,
        ):
            wire.log_in()
            wire.wait_for(lambda: wire.call("TraCuuHoSo", mahoso=code_of(1))["error_code"] == -2)
            wire.log_in()
            assert wire.call("TraCuuHoSo", mahoso=code_of(1))["error_code"] == 0


class TestEnvelope:
    """What every call carries."""

    def test_needs_an_open_session(self, portal: Wire) -> None:
        portal.session = "khong-co"
        assert portal.push([make_hoso()], updating=False)["error_code"] == -2
        assert portal.control("GET", "/dossiers")["dossiers"] == []

    @pytest.mark.parametrize("missing", ["session", "madonvi", "service"])
    def test_needs_its_parts(self, portal: Wire, missing: str) -> None:
        body = {"session": portal.session, "madonvi": "H32", "service": "TraCuuHoSo", "mahoso": code_of(1)}
        del body[missing]
        assert portal.client.post("/integration", json=body).json()["error_code"] == -7

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"'])
    def test_must_be_an_object(self, portal: Wire, body: bytes) -> None:
        assert portal.client.post("/integration", content=body).json()["error_code"] == -7

    @pytest.mark.parametrize("updating", [True, False, "true", None])
    def test_says_whether_it_updates_in_words(self, portal: Wire, updating: object) -> None:
        answer = portal.call("DongBoHoSoMC", isUpdating=updating, data=[make_hoso()])
        assert answer["error_code"] == -7

    @pytest.mark.parametrize("data", [None, [], {}, "x"])
    def test_brings_rows(self, portal: Wire, data: object) -> None:
        assert portal.call("CapNhatTienDoHoSoMC", data=data)["error_code"] == -7

    def test_has_its_own_door(self, portal: Wire) -> None:
        assert portal.call("LayThuTuc", maTTHC="1.001456")["error_code"] == -6
        assert portal.call("TraCuuHoSo", door="/share", mahoso=code_of(1))["error_code"] == -6

    def test_may_not_be_too_big(self, tmp_path: Path, province: Province) -> None:
        with (
            PortalProcess(tmp_path, gateway_url=province.url, portal_batch_max="2") as process,
            Wire(process.url) as wire,
        ):
            wire.log_in()
            assert wire.push([make_hoso(n) for n in range(3)], updating=False)["error_code"] == -7
            assert wire.push([make_hoso(n) for n in range(2)], updating=False)["error_code"] == 0


class TestLookUp:
    """TraCuuHoSo."""

    def test_gives_the_latest_that_was_told(self, portal: Wire) -> None:
        portal.walk(1, "1 2")
        assert portal.call("TraCuuHoSo", mahoso=code_of(1))["result"] == [make_hoso(1, "2")]

    def test_takes_its_word_in_lower_case_only(self, portal: Wire) -> None:
        assert portal.call("TraCuuHoSo", MaHoSo=code_of(1))["error_code"] == -7


class TestCatalogue:
    """The services of /share."""

    @pytest.fixture
    def wire(self, tmp_path: Path, province: Province) -> Iterator[Wire]:
        file = tmp_path / "catalogue.json"
        file.write_bytes(orjson.dumps(CATALOGUE))
        with (
            PortalProcess(tmp_path, gateway_url=province.url, catalogue_file=str(file)) as process,
            Wire(process.url) as wire,
        ):
            wire.log_in()
            yield wire

    def test_is_told_in_the_portals_words(self, wire: Wire) -> None:
        procedure = wire.call("LayThuTuc", door="/share", maTTHC="1.001456.000.00.00.H32")["result"][0]
        assert procedure["TENTTHC"] == "Cấp hộ chiếu"
        assert procedure["LINHVUCTHUCHIEN"] == [{"MALINHVUC": "xnc", "TENLINHVUC": "Xuất nhập cảnh"}]
        way = procedure["CACHTHUCTHUCHIEN"][0]
        assert (way["KENH"], way["THOIGIAN"][0]["DONVITINH"]) == ("2", "Ngày làm việc")
        assert way["THOIGIAN"][0]["PHILEPHI"][0]["SOTIEN"] == "160000"
        assert procedure["THANHPHANHOSO"][0]["MAGIAYTO"] == "TP01"
        assert wire.call("LayThuTuc", door="/share", maTTHC="9.999999")["result"] == []

    def test_lists_procedures_fields_and_agencies(self, wire: Wire) -> None:
        lists = [
            wire.call(service, door="/share")["result"][0]
            for service in ("LayDanhSachTTHC", "LayDanhMucLinhVuc", "LayDanhMucCoQuan")
        ]
        assert [row.get(name) for row, name in zip(lists, ("MATTHC", "MALINHVUC", "MADONVI"), strict=True)] == [
            "1.001456",
            "xnc",
            "H32.11",
        ]


class TestRestart:
    """A kill -9 and a new start on the same folder."""

    def test_forgets_nothing(self, own_process: PortalProcess) -> None:
        with Wire(own_process.url) as wire:
            wire.log_in()
            wire.walk(1, "1 2 4")
            wire.progress(make_tien_do(1, "4", "20261121100000"))
            fault = wire.fault("DongBoHoSoMC", "refuse", dossier=code_of(2))
            wire.push([make_hoso(2)], updating=False)
            before = [wire.dossier(1), wire.control("GET", "/received"), wire.control("GET", "/summary")]
            own_process.restart()
            assert [wire.dossier(1), wire.control("GET", "/received"), wire.control("GET", "/summary")] == before
            assert wire.fired(fault) == 1
            refused, taken = wire.push([make_hoso(2), make_hoso(3)], updating=False)["result"]
            assert (refused["error_code"], taken["error_code"]) == (5, 0)
            assert wire.push([make_hoso(1, "1")], updating=False)["result"][0]["error_code"] == 3
