"""Rows of the national catalogue as they could be one day: wrong in every way that can be thought of."""

import json
import unicodedata
from typing import Any

WAY = {"channel": "direct", "duration": 5.0, "duration_unit": "working_day", "fees": [], "free": False, "note": None}
ROW: dict[str, Any] = {
    "ministry": "bo-mau",
    "code": "9.000001",
    "name": "Cấp giấy phép mẫu",
    "decision": "QĐ/0001-MAU",
    "levels": ["province"],
    "kind": "",
    "field": "Lĩnh vực mẫu",
    "applicants": ["citizen"],
    "authority": "",
    "performed_by": "Sở mẫu",
    "coordinated_with": None,
    "channels": [WAY],
    "components": [{"name": "Đơn đề nghị", "form": None, "originals": 1, "copies": 0}],
    "results": [{"code": "KQ.G99.000001", "name": "Giấy phép mẫu"}],
}


def row(number: int, **changes: Any) -> dict[str, Any]:
    """Return a sound row but for what is changed."""
    return ROW | {"code": f"9.{number:06d}"} | changes


def way(**changes: Any) -> dict[str, Any]:
    """Return a sound way of filing but for what is changed."""
    return WAY | changes


def fee(amount: Any, note: str | None = None) -> dict[str, Any]:
    """Return a fee as the source has it."""
    return {"amount": amount, "note": note}


ODD: tuple[tuple[dict[str, Any], str], ...] = (
    (row(1, name=unicodedata.normalize("NFD", "Cấp giấy phép")), "text_decomposed"),
    (row(2, name="Cấp\x00 giấy\ufeff phép\ud800"), "text_unclean"),
    (row(3, name="dài " * 2000), "text_cut"),
    (row(4, name=None), "name_missing"),
    (row(5, field=""), "field_missing"),
    (row(6, levels=[]), "level_missing"),
    (row(7, levels=["galaxy"]), "level_unknown"),
    (row(8, levels=["district"]), "level_abolished"),
    (row(9, applicants=None), "applicants_missing"),
    (row(10, applicants=["robot"]), "applicant_unknown"),
    (row(11, channels=[]), "channels_missing"),
    (row(12, channels=[way(channel="pigeon")]), "channel_unknown"),
    (row(13, channels=[way(), way(duration=9)]), "channel_repeated"),
    (row(14, channels=[way(duration=None)]), "duration_missing"),
    (row(15, channels=[way(duration=-3)]), "duration_unusual"),
    (row(16, channels=[way(duration=1e300)]), "duration_unusual"),
    (row(17, channels=[way(), way(channel="online", duration=9)]), "durations_differ"),
    (row(18, channels=[way(duration_unit="fortnight")]), "unit_unknown"),
    (row(19, channels=[way(duration_unit="hour", note="02 giờ làm việc")]), "unit_unclear"),
    (row(20, channels=[way(), way(channel="online", duration_unit="month")]), "units_mixed"),
    (row(21, channels=[way(duration=None, note="nhận sau 15 giờ thì ngày làm việc tiếp theo")]), "same_day_in_note"),
    (row(22, channels=[way(fees=[fee(100_000), fee(250_000)])]), "fees_several"),
    (row(23, channels=[way(fees=[fee(50_000)], free=True)]), "fee_free_with_amount"),
    (row(24, channels=[way(free=True, note="Lệ phí 50.000 đồng")]), "fee_free_with_note"),
    (row(25, channels=[way(note="Phí: 50.000 đồng/hồ sơ")]), "fee_only_in_note"),
    (row(26, channels=[way(fees=[fee("theo quy định")])]), "fee_unreadable"),
    (row(27, channels=[way(fees=[fee(1)])]), "fee_tiny"),
    (row(28, channels=[way(fees=[fee(70_000)]), way(channel="online")]), "fees_differ"),
    (row(29, components=None), "components_missing"),
    (row(30, components=[{"name": " + "}, {}]), "component_nameless"),
    (row(31, components=[{"name": "Đơn"}, {"name": "ĐƠN"}]), "component_repeated"),
    (row(32, components=[{"name": "Đơn", "originals": 9999}]), "component_count"),
    (row(33, components=[{"name": "Mẫu kèm NĐ ngày 24/7/", "originals": 20231}]), "component_count_glued"),
    (row(34, results=[]), "results_missing"),
    (row(35, results=[{"name": "Giấy phép", "code": None}]), "result_code_missing"),
    (row(36, results=[{"name": "", "code": ""}]), "result_nameless"),
    (row(37, valid_to="someday"), "dates_unreadable"),
    (row(38, name={"ten": "Trong ngoặc"}), "type_unexpected"),
    (row(39, code=" 9000039 "), "code_unusual"),
    (row(40, code="T-KHA-123456-TT"), "code_unusual"),
    (row(41, channels=[way(duration=15), way(channel="postal", duration=1, duration_unit="hour")]), "duration_filler"),
    (row(42, agencies=["G99.99"]), "agency_unknown"),
)
"""A row and the oddity that must be named for it; every one is imported."""

STRANGE: tuple[dict[str, Any], ...] = (
    {"code": "9.000101"},
    {"code": "9.000102", "surprise": {"a": [1, {"b": None}]}, "channels": "trực tiếp; trực tuyến"},
    {"code": 9.000103, "name": 17, "levels": "Cấp xã, Cấp tỉnh", "channels": {"channel": "direct"}},
    row(
        104, channels=[None, 7, "online", [], {"channel": None}, way(fees="150.000 đồng", free="x", duration="5 ngày")]
    ),
    row(105, components=["Đơn", 5, None, {"name": ["a", "b"]}, {"name": "x" * 5000, "originals": "hai"}]),
    row(106, results="Giấy phép; Quyết định", applicants="Công dân, Doanh nghiệp", levels={"name": "Cấp tỉnh"}),
    row(107, channels=[way(fees=[fee(float(10**18)), fee(True), fee([1]), fee("1,5 triệu"), fee("2.000")])]),
    row(108, channels=[way(duration="1.5", duration_unit=None), way(duration=True), way(duration="năm ngày")]),
)
"""Rows whose values are of no kind that they should be; every one is imported."""


def lines() -> bytes:
    """Return the nasty file: the odd, the strange, one code twice, and what is no row at all."""
    good = [json.dumps(content) for content in [*(odd for odd, _ in ODD), *STRANGE]]
    twice = [json.dumps(row(1, name="Tên thứ hai"), ensure_ascii=False)]
    bad = ['{"code": "9.000201", "name": ', "null", "[1, 2]", json.dumps({"name": "Không có mã"}), "[" * 3000]
    text = "\n".join([*good[:5], "", "   ", *good[5:], *twice, *bad, '{"code": "9.000202", "na'])
    return b"\xef\xbb\xbf" + text.encode()


READ = len(ODD) + len(STRANGE) + 1 + 5 + 1
REFUSED = 6
