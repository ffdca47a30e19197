"""What the portal takes and refuses: order, the graph of statuses, fields, one row beside the other."""

from typing import Any

import pytest

from tests.portal.wire import Wire, code_of, make_hoso, make_tien_do

NEXT = {
    "1": "2 3 5 6 7",
    "1 5": "1 2 3 7",
    "1 6": "1 7",
    "1 3": "",
    "1 7": "",
    "1 2": "4 5 6 7 8",
    "1 2 4": "5 6 7 8 9",
    "1 2 4 5": "4 7 8",
    "1 2 4 6": "4 7 8",
    "1 2 4 8": "4 9",
    "1 2 4 9": "10",
    "1 2 4 9 10": "",
}
"""By the way that led there: what may follow. Written from DOMAIN.md §1.6, not from the portal's code."""
STATUSES = [str(number) for number in range(1, 11)]


class TestOrder:
    """The order in which things were told."""

    def test_is_kept_as_it_was_told(self, portal: Wire) -> None:
        portal.walk(1, "1 5 1 2 4 6 4 5 4 8 4 9 10")
        assert " ".join(portal.statuses()) == "1 5 1 2 4 6 4 5 4 8 4 9 10"
        numbers = [one["seq"] for one in portal.dossier()["statuses"]]
        assert numbers == sorted(numbers)
        assert portal.control("GET", "/summary")["disorder"] == 0

    def test_holds_within_one_batch(self, portal: Wire) -> None:
        portal.walk(1, "1")
        rows = [make_hoso(1, status) for status in ("2", "4", "9")]
        assert [row["error_code"] for row in portal.push(rows, updating=True)["result"]] == [0, 0, 0]
        assert portal.statuses() == ["1", "2", "4", "9"]

    def test_of_everything_received_is_told_page_by_page(self, portal: Wire) -> None:
        portal.push([make_hoso(number) for number in range(5)], updating=False)
        rows, after = [], 0
        while (page := portal.control("GET", "/received", params={"after": after, "limit": 2}))["rows"]:
            rows += page["rows"]
            after = page["next"]
        assert [row["service"] for row in rows] == ["login"] + ["DongBoHoSoMC"] * 6
        assert [row["dossier"] for row in rows] == [None, None, *(code_of(number) for number in range(5))]
        assert rows[2]["isUpdating"] == "False"
        assert rows[2]["outcome"] == "taken"

    def test_of_ten_thousands_is_told_in_one_answer(self, portal: Wire) -> None:
        for start in range(1, 5001, 1000):
            portal.push([make_hoso(number) for number in range(start, start + 1000)], updating=False)
        portal.push([make_hoso(number, "2") for number in range(1, 1001)], updating=True)
        told = portal.control("GET", "/statuses")
        assert told == {code_of(number): ["1", "2"] if number <= 1000 else ["1"] for number in range(1, 5001)}
        portal.control("POST", "/reset")
        assert portal.control("GET", "/statuses") == {}


class TestGraph:
    """The steps between statuses."""

    def test_takes_exactly_the_steps_of_the_book(self, portal: Wire) -> None:
        trials = [(way, new) for way in NEXT for new in STATUSES if new != way.split()[-1]]
        for step in range(5):
            batch = [
                make_hoso(number, way.split()[step])
                for number, (way, _) in enumerate(trials, start=1)
                if len(way.split()) > step
            ]
            answer = portal.push(batch, updating=step > 0)
            assert {row["error_code"] for row in answer["result"]} == {0}
        last = [make_hoso(n, new, TrichYeuHoSo="khác") for n, (_, new) in enumerate(trials, start=1)]
        answers = portal.push(last, updating=True)["result"]
        taken = dict.fromkeys(NEXT, "")
        for (way, new), row in zip(trials, answers, strict=True):
            assert row["error_code"] in {0, 4}, (way, new, row)
            if row["error_code"] == 0:
                taken[way] = f"{taken[way]} {new}".strip()
        assert taken == NEXT
        refused = sum(row["error_code"] != 0 for row in answers)
        summary = portal.control("GET", "/summary")
        assert (summary["violations"], summary["disorder"]) == (refused, refused)

    @pytest.mark.parametrize("first", ["1", "2"])
    def test_begins_with_a_submission_or_at_the_counter(self, portal: Wire, first: str) -> None:
        assert portal.walk(1, first)["error_code"] == 0

    @pytest.mark.parametrize("first", ["3", "4", "5", "6", "7", "8", "9", "10"])
    def test_begins_nowhere_else(self, portal: Wire, first: str) -> None:
        assert portal.walk(1, first)["error_code"] == 4
        assert portal.dossier()["statuses"] == []

    def test_keeps_what_was_wrong(self, portal: Wire) -> None:
        portal.walk(1, "1 9")
        dossier = portal.dossier()
        assert portal.statuses() == ["1"]
        violation = dossier["violations"][0]
        assert (violation["status"], violation["code"], violation["body"]["TrangThaiHoSo"]) == ("9", "4", "9")
        assert dossier["hoso"] == make_hoso(1, "1")


class TestRepeats:
    """What was told before."""

    def test_of_the_latest_are_acknowledged_and_change_nothing(self, portal: Wire) -> None:
        portal.walk(1, "1 2")
        for _ in range(3):
            assert portal.push([make_hoso(1, "2")], updating=True)["result"][0]["error_code"] == 0
        assert portal.statuses() == ["1", "2"]
        assert portal.dossier()["duplicates"] == 3
        assert portal.control("GET", "/summary")["violations"] == 0

    def test_with_other_words_correct_the_dossier_where_it_stands(self, portal: Wire) -> None:
        portal.walk(1, "1 2")
        row = portal.push([make_hoso(1, "2", TrichYeuHoSo="khác")], updating=True)["result"][0]
        assert row["error_code"] == 0
        assert portal.statuses() == ["1", "2"]
        found = portal.dossier()
        assert found["hoso"]["TrichYeuHoSo"] == "khác"
        assert (found["violations"], found["duplicates"]) == ([], 0)

    def test_of_an_earlier_status_come_too_late(self, portal: Wire) -> None:
        """A sender that overtakes itself is seen, even though each word is one that was taken before."""
        portal.walk(1, "1 2 4")
        assert portal.push([make_hoso(1, "2")], updating=True)["result"][0]["error_code"] == 4
        assert portal.statuses() == ["1", "2", "4"]

    def test_as_a_creation_are_told_that_it_exists(self, portal: Wire) -> None:
        portal.walk(1, "1")
        row = portal.push([make_hoso(1, "1")], updating=False)["result"][0]
        assert (row["error_code"], row["message"]) == (3, "Hồ sơ đã tồn tại")
        assert portal.dossier()["duplicates"] == 1
        assert portal.dossier()["violations"] == []

    def test_of_the_unknown_are_no_updates(self, portal: Wire) -> None:
        assert portal.push([make_hoso(1, "1")], updating=True)["result"][0]["error_code"] == 2
        assert portal.dossier()["statuses"] == []
        assert portal.dossier()["violations"][0]["code"] == "2"


class TestBatch:
    """Rows beside each other."""

    def test_lets_one_refused_row_hide_no_other(self, portal: Wire) -> None:
        rows: list[Any] = [make_hoso(number) for number in range(1, 6)]
        rows[1]["LoaiDoiTuong"] = "9"
        rows[3] = "không phải đối tượng"
        answer = portal.push(rows, updating=False)
        assert (answer["error_code"], answer["message"]) == (0, "Đồng bộ hồ sơ thành công")
        assert [(row["MaHoSo"], row["error_code"]) for row in answer["result"]] == [
            (code_of(1), 0),
            (code_of(2), 1),
            (code_of(3), 0),
            ("", 1),
            (code_of(5), 0),
        ]
        assert list(portal.control("GET", "/statuses")) == [code_of(1), code_of(3), code_of(5)]


BAD_FIELDS = [
    ({"MaHoSo": "H32.14-2611-1"}, "MaHoSo"),
    ({"MaTTHC": "1.00145"}, "MaTTHC"),
    ({"TenTTHC": None}, "TenTTHC"),
    ({"MaLinhVuc": ""}, "MaLinhVuc"),
    ({"TenLinhVuc": ""}, "TenLinhVuc"),
    ({"KenhThucHien": "4"}, "KenhThucHien"),
    ({"LoaiDoiTuong": "5"}, "LoaiDoiTuong"),
    ({"LoaiDoiTuong": 1}, "LoaiDoiTuong"),
    ({"MaDoiTuong": "tech-1", "KenhThucHien": "1"}, "MaDoiTuong"),
    ({"Email": None}, "Email"),
    ({"Email": "ai-do"}, "Email"),
    ({"Email": "", "SoDienThoai": ""}, "Email, SoDienThoai"),
    ({"SoDienThoai": "12ab"}, "SoDienThoai"),
    ({"TrichYeuHoSo": "x" * 1001}, "TrichYeuHoSo"),
    ({"NgayTiepNhan": None}, "NgayTiepNhan"),
    ({"NgayNopHoSo": ""}, "NgayNopHoSo"),
    ({"NgayNopHoSo": "20261320080000"}, "NgayNopHoSo"),
    ({"NgayNopHoSo": "2026-11-20 08:00:00"}, "NgayNopHoSo"),
    ({"NgayHenTra": "20261119170000", "NgayTiepNhan": "20261120091500"}, "NgayHenTra"),
    ({"TrangThaiHoSo": "11"}, "TrangThaiHoSo"),
    ({"HinhThuc": "2"}, "HinhThuc"),
    ({"DonViXuLy": ""}, "DonViXuLy"),
    ({"NoiNopHoSo": "3"}, "NoiNopHoSo"),
    ({"DuocThanhToanTrucTuyen": "4"}, "DuocThanhToanTrucTuyen"),
    ({"DinhDanhCHS": {"LoaiDinhDanh": "1"}}, "DinhDanhCHS"),
    ({"DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": "000000001"}]}, "DinhDanhCHS[0].SoDinhDanh"),
    ({"TaiLieuNop": [{"TepDinhKemId": "1", "TenTepDinhKem": "x" * 4001}]}, "TaiLieuNop[0].TenTepDinhKem"),
    ({"TaiLieuNop": [{"TepDinhKemId": "1", "TenTepDinhKem": "x", "IsDeleted": "0"}]}, "TaiLieuNop[0].IsDeleted"),
    (
        {"TaiLieuNop": [{"TepDinhKemId": "1", "TenTepDinhKem": "x", "DuocTaiSuDung": "2"}]},
        "TaiLieuNop[0].MaKetQuaThayThe",
    ),
    ({"DanhSachLePhi": [{"TenPhiLePhi": "Lệ phí", "Gia": 1000}]}, "DanhSachLePhi[0].Gia"),
    ({"DanhSachLePhi": [{"TenPhiLePhi": "Lệ phí", "Gia": "1", "HinhThucThu": "3"}]}, "DanhSachLePhi[0].HinhThucThu"),
    ({"DanhSachHoSoBoSung": [{"HoSoBoSungId": "1", "TrangThaiBoSung": True}]}, "DanhSachHoSoBoSung[0].TrangThaiBoSung"),
    (
        {"DanhSachGiayToKetQua": [{"TenGiayTo": "x", "GiayToId": "1", "DuongDanTepTinKetQua": "/tep"}]},
        "DanhSachGiayToKetQua[0].DuongDanTepTinKetQua",
    ),
    ({"mahoso": "x"}, "mahoso"),
]


class TestFields:
    """The words of a HoSo."""

    @pytest.mark.parametrize(("changes", "named"), BAD_FIELDS)
    def test_that_are_wrong_are_named(self, portal: Wire, changes: dict[str, Any], named: str) -> None:
        row = portal.push([make_hoso(**changes)], updating=False)["result"][0]
        assert row["error_code"] == 1
        assert row["message"].startswith(f"{named}:")
        assert portal.control("GET", "/summary")["violations"] == 1
        assert portal.control("GET", "/dossiers")["dossiers"] == []

    def test_need_an_acceptance_time_from_acceptance_on(self, portal: Wire) -> None:
        portal.walk(1, "1")
        row = portal.push([make_hoso(1, "2", NgayTiepNhan="")], updating=True)["result"][0]
        assert row["message"] == "NgayTiepNhan: bắt buộc từ khi tiếp nhận"

    @pytest.mark.parametrize(
        "changes",
        [
            {"KenhThucHien": None},
            {"MaDoiTuong": "tech-1"},
            {"MaTTHC": "1.001456.000.00.00.H32"},
            {"MaHoSo": "000.00.14.H32-261122-0001"},
            {"MaHoSo": "H32.14-261122-10000"},
            {"TrichYeuHoSo": "ồ" * 1000},
            {"DinhDanhCHS": [{"LoaiDinhDanh": "2", "SoDinhDanh": "225000001"}]},
            {"DanhSachHoSoBoSung": []},
        ],
    )
    def test_that_are_right_are_taken(self, portal: Wire, changes: dict[str, Any]) -> None:
        assert portal.push([make_hoso(**changes)], updating=False)["result"][0]["error_code"] == 0


class TestProgress:
    """TienDo."""

    def test_tells_when_each_status_was_reached(self, portal: Wire) -> None:
        portal.walk(1, "1 2 4 5 4")
        portal.progress(make_tien_do(1, "1", "20261120080000"), make_tien_do(1, "4", "20261121080000"))
        portal.progress(make_tien_do(1, "4", "20261123080000"))
        times = [one["event_time"] for one in portal.dossier()["statuses"]]
        assert times == ["20261120080000", None, "20261121080000", None, "20261123080000"]
        assert [row["TrangThai"] for row in portal.dossier()["tien_do"]] == ["1", "4", "4"]

    def test_that_goes_back_in_time_is_disorder(self, portal: Wire) -> None:
        portal.walk(1, "1 2")
        portal.progress(make_tien_do(1, "1", "20261120080000"), make_tien_do(1, "2", "20261120075959"))
        assert portal.control("GET", "/summary")["disorder"] == 1

    def test_sent_again_is_acknowledged_once_more(self, portal: Wire) -> None:
        portal.walk(1, "1")
        for _ in range(2):
            assert portal.progress(make_tien_do())["result"][0]["error_code"] == 0
        assert len(portal.dossier()["tien_do"]) == 1
        assert portal.dossier()["duplicates"] == 1

    def test_of_a_status_that_was_never_told_is_refused(self, portal: Wire) -> None:
        portal.walk(1, "1")
        rows = portal.progress(make_tien_do(1, "1"), make_tien_do(1, "2"), make_tien_do(2, "1"))["result"]
        assert [row["error_code"] for row in rows] == [0, 4, 2]
        assert len(portal.dossier()["violations"]) == 1

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"NguoiXuLy": "x" * 51}, "NguoiXuLy"),
            ({"NguoiXuLy": None}, "NguoiXuLy"),
            ({"ThoiDiemXuLy": "20261120"}, "ThoiDiemXuLy"),
            ({"NoiDungXuLy": ""}, "NoiDungXuLy"),
            ({"TrangThai": "0"}, "TrangThai"),
            ({"NgayBatDau": "hôm qua"}, "NgayBatDau"),
        ],
    )
    def test_with_a_wrong_field_is_refused(self, portal: Wire, changes: dict[str, Any], named: str) -> None:
        portal.walk(1, "1")
        row = portal.progress(make_tien_do(1, **changes))["result"][0]
        assert row["error_code"] == 1
        assert row["message"].startswith(f"{named}:")
