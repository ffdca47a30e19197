"""Catalogues that others wrote are read whatever is wrong with them."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.portal.catalogue import Catalogue as Portal
from services.intake.operations import compare_with_nothing, sift
from services.intake.operations.imports import Report
from services.intake.operations.sources import (
    AGENCIES,
    Reading,
    UnreadableError,
    merged_provinces,
    read_agencies,
    read_procedures,
    read_rows,
    rows_of,
)
from services.intake.operations.sources.texts import amount_of, number_of
from services.intake.settings import IntakeSettings
from shared import clock
from shared.events.values import Duration, DurationUnit
from tests.intake import nasty

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


def read(*contents: Any) -> list[Reading]:
    """Return what comes of rows."""
    return list(read_procedures(rows_of(contents)))


def report_of(data: bytes) -> Report:
    """Return the report of a file, compared with nothing."""
    report, readings = sift(read_procedures(read_rows(data)))
    return compare_with_nothing(report, readings, day=clock.now().date(), progress=lambda _done, _all: None)


class TestOdd:
    @pytest.mark.parametrize(("content", "kind"), nasty.ODD, ids=lambda part: part if isinstance(part, str) else "")
    def test_is_named_and_taken(self, content: dict[str, Any], kind: str) -> None:
        report, readings = sift(read(content))
        known = {"agencies": frozenset({"H32"})} if kind == "agency_unknown" else {}
        if not known:
            compare_with_nothing(report, readings, day=clock.now().date(), progress=lambda _done, _all: None)
            assert kind in {odd.kind for odd in report.oddities}
            assert all(odd.code and odd.decided and odd.line == 1 for odd in report.oddities)
        assert report.refusals == []

    @pytest.mark.parametrize("content", nasty.STRANGE, ids=lambda content: str(content["code"]))
    def test_of_any_kind_is_taken(self, content: dict[str, Any]) -> None:
        assert report_of(json.dumps(content).encode()).imported == 1

    def test_terms_and_fees_are_decided_as_told(self) -> None:
        (one,) = read(
            nasty.row(
                1,
                channels=[
                    nasty.way(duration=20, fees=[nasty.fee(400_000), nasty.fee(250_000)]),
                    nasty.way(duration=7),
                    nasty.way(channel="online", duration=30, duration_unit="phút", fees=[nasty.fee("150.000 đồng")]),
                ],
            )
        )
        assert one.draft
        terms = {str(channel): way.duration for channel, way in one.draft.ways.items()}
        fees = {str(channel): way.fees[0].amount_vnd for channel, way in one.draft.ways.items()}
        assert terms == {
            "direct": Duration(amount=7, unit=DurationUnit.WORKING_DAY),
            "online": Duration(amount=0.5, unit=DurationUnit.WORKING_HOUR),
        }
        assert fees == {"direct": 250_000, "online": 150_000}

    def test_end_of_a_name_goes_back_where_it_was(self) -> None:
        (one,) = read(nasty.row(1, components=[{"name": "Mẫu kèm TT ngày 01/01/", "originals": 20261, "copies": 0}]))
        assert one.draft
        (paper,) = one.draft.components
        assert (paper.name, paper.originals) == ("Mẫu kèm TT ngày 01/01/2026", 1)


class TestFile:
    def test_counts_add_up_whatever_it_holds(self) -> None:
        report = report_of(nasty.lines())
        assert (report.read, len(report.refusals), report.repeated) == (nasty.READ, nasty.REFUSED, 1)
        assert report.as_json()["read"] == report.as_json()["imported"] + report.as_json()["refused"]
        assert {refusal["line"] for refusal in report.refusals} > {nasty.READ + 2}

    def test_says_where_a_packed_one_was_cut(self) -> None:
        packed = gzip.compress(b"\n".join(json.dumps(nasty.row(n)).encode() for n in range(1, 400)))
        report = report_of(packed[: len(packed) * 2 // 3])
        assert report.imported > 0
        assert [odd.kind for odd in report.oddities if odd.kind == "file_cut_short"] == ["file_cut_short"]

    @pytest.mark.parametrize("data", [b"\x1f\x8bnonsense", b"PK\x03\x04nonsense", b"no,catalogue\n1,2\n"])
    def test_that_is_none_is_refused_in_words(self, data: bytes) -> None:
        with pytest.raises(UnreadableError, match=r"damaged|workbook|headings"):
            list(read_rows(data))

    @pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"result": rows}])
    def test_may_be_one_json_document(self, wrap: Any) -> None:
        assert report_of(json.dumps(wrap([nasty.row(1), nasty.row(2)]), indent=1).encode()).added == 2

    def test_of_one_row_is_one_row(self) -> None:
        assert report_of(json.dumps(nasty.row(1, results=[{"name": "a"}, {"name": "b"}])).encode()).read == 1

    @given(st.binary(max_size=400))
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def test_never_breaks_the_reader(self, data: bytes) -> None:
        try:
            report = report_of(data)
        except UnreadableError:
            return
        assert report.read == report.imported + len(report.refusals)

    @given(
        st.dictionaries(
            st.sampled_from([*nasty.ROW, "valid_from", "legal_basis", "MATTHC", "CACHTHUCTHUCHIEN", "THANHPHANHOSO"]),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from([*nasty.WAY, "name", "amount", "KENH", "THOIGIAN"]), inner, max_size=3
                    )
                ),
                max_leaves=8,
            ),
        )
    )
    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    def test_rows_of_any_shape_are_taken_when_they_have_a_code(self, content: dict[str, Any]) -> None:
        report, readings = sift(read(content | {"code": "9.000001", "MATTHC": "9.000001"}))
        compare_with_nothing(report, readings, day=clock.now().date(), progress=lambda _done, _all: None)
        assert report.imported == 1


HEADINGS = ("Mã TTHC", "Tên TTHC", "Lĩnh vực", "Cấp thực hiện", "Thời hạn giải quyết", "Lệ phí", "Thành phần hồ sơ")
CELLS = (
    ("9.000001", "Đăng ký mẫu", "Hộ tịch", "Cấp xã", "3 ngày làm việc", "20.000 đồng", "Tờ khai\nCăn cước (nếu có)"),
    ("9.000002", "Cấp phép mẫu", "Xây dựng", "Cấp tỉnh, Cấp xã", 20, "Miễn phí", ""),
)


def workbook() -> bytes:
    """Return a workbook with a title above its headings, in its second sheet."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("Bìa").write(0, 0, "DANH MỤC")
        sheet = book.add_worksheet("TTHC")
        sheet.write(0, 0, "DANH MỤC THỦ TỤC HÀNH CHÍNH")
        for line, cells in enumerate((HEADINGS, *CELLS), start=2):
            sheet.write_row(line, 0, cells)
    return file.getvalue()


def sheet() -> bytes:
    """Return the same as CSV with semicolons."""
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows([HEADINGS, *CELLS])
    return file.getvalue().encode("utf-8-sig")


class TestTable:
    @pytest.mark.parametrize("data", [workbook(), sheet()], ids=["xlsx", "csv"])
    def test_is_read_by_its_headings(self, data: bytes) -> None:
        first, second = [reading.draft for reading in read_procedures(read_rows(data))]
        assert first
        assert second
        (direct,) = first.ways.values()
        assert direct.duration == Duration(amount=3, unit=DurationUnit.WORKING_DAY)
        assert direct.fees[0].amount_vnd == 20_000
        assert [paper.name for paper in first.components] == ["Tờ khai", "Căn cước (nếu có)"]
        assert [level.value for level in second.levels] == ["commune", "province"]


class TestPortal:
    def test_words_of_the_portal_mean_what_they_mean_there(self) -> None:
        portal = Portal.read(IntakeSettings.model_fields["catalogue_file"].get_default(call_default_factory=True))
        (one,) = read(portal.details["1.004222"])
        assert one.draft
        assert (one.draft.name[:7], one.draft.field_code) == ("Đăng ký", "cu_tru")
        amounts = {str(channel): [fee.amount_vnd for fee in way.fees] for channel, way in one.draft.ways.items()}
        assert amounts == {"direct": [20_000], "online": [10_000]}
        assert {paper.code for paper in one.draft.components} >= {"TP01", "TP02"}

    def test_all_procedures_of_the_mocked_portal_are_taken(self) -> None:
        portal = Portal.read(IntakeSettings.model_fields["catalogue_file"].get_default(call_default_factory=True))
        readings = read(*portal.details.values(), *portal.procedures)
        assert [reading.refusal for reading in readings] == [""] * len(readings)


class TestNumbers:
    @pytest.mark.parametrize(
        ("written", "amount"),
        [
            ("150.000 đồng", 150_000),
            ("1.500.000", 1_500_000),
            ("1,5 triệu", 1_500_000),
            ("30 nghìn", 30_000),
            ("Miễn phí", 0),
            ("10 000 đ", 10_000),
            (20_000.0, 20_000),
            (-5, None),
            (float("nan"), None),
            ("theo quy định", None),
            (None, None),
        ],
    )
    def test_amounts(self, written: object, amount: int | None) -> None:
        assert amount_of(written) == amount

    @pytest.mark.parametrize(
        ("written", "number"), [("15 ngày", 15), ("1,5", 1.5), ("1.5", 1.5), (True, None), ("", None)]
    )
    def test_numbers(self, written: object, number: float | None) -> None:
        assert number_of(written) == number


class TestNation:
    """The real files, where they lie beside this checkout."""

    def test_no_procedure_is_lost(self) -> None:
        file = SHARED / "tthc-national.jsonl.gz"
        if not file.exists():
            pytest.skip("the national catalogue does not lie beside this checkout")
        report = report_of(file.read_bytes())
        assert (report.read, report.added, report.refusals) == (1672, 1672, [])
        assert {odd.kind for odd in report.oddities} > {"duration_missing", "fees_several", "fee_free_with_amount"}

    def test_no_commune_is_lost(self) -> None:
        file = SHARED / "administrative-units-2026-07.json.gz"
        if not file.exists():
            pytest.skip("the administrative units do not lie beside this checkout")
        readings = list(read_agencies(read_rows(file.read_bytes(), AGENCIES)))
        assert (len(readings), len({reading.code for reading in readings})) == (3355, 3355)
        assert all(reading.entry for reading in readings)
        assert {gone.successors[0] for gone in merged_provinces()} < {reading.code for reading in readings}
