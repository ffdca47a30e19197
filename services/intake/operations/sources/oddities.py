"""What is odd about a row, and what was decided."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType

SHOWN_MAX = 300
"""Characters of what was found that a report repeats."""

KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "row_unreadable": ("The row cannot be read", "Không đọc được dòng"),
        "code_missing": ("The row names no procedure", "Dòng không có mã thủ tục"),
        "code_unusual": ("The code is not written as codes are", "Mã không đúng mẫu"),
        "code_repeated": ("One code stands on several rows", "Một mã ở nhiều dòng"),
        "file_cut_short": ("The file ends in the middle", "Tệp bị cắt ngang"),
        "text_decomposed": ("Letters and accents are written apart (NFD)", "Chữ viết tổ hợp rời (NFD)"),
        "text_unclean": ("The text holds characters that are none", "Văn bản có ký tự lạ"),
        "text_cut": ("The text is longer than can be kept", "Văn bản quá dài"),
        "name_missing": ("There is no name", "Thiếu tên"),
        "field_missing": ("There is no field of procedures", "Thiếu lĩnh vực"),
        "level_missing": ("There is no level", "Thiếu cấp thực hiện"),
        "level_unknown": ("The level is not a known one", "Cấp thực hiện không rõ"),
        "level_abolished": ("The level exists no longer", "Cấp thực hiện không còn"),
        "applicants_missing": ("It is not said whom it is for", "Thiếu đối tượng thực hiện"),
        "applicant_unknown": ("Somebody it is for is not known", "Đối tượng thực hiện không rõ"),
        "agency_unknown": ("An agency is named that is not known here", "Cơ quan chưa có trong hệ thống"),
        "channels_missing": ("No way of filing is named", "Thiếu cách thức thực hiện"),
        "channel_unknown": ("A way of filing is not a known one", "Cách thức thực hiện không rõ"),
        "channel_repeated": ("One way of filing stands several times", "Một cách thức nêu nhiều lần"),
        "duration_missing": ("There is no term", "Thiếu thời hạn giải quyết"),
        "duration_unusual": ("The term is no usable length", "Thời hạn không dùng được"),
        "duration_filler": ("The term cannot be meant", "Thời hạn không thể đúng"),
        "durations_differ": ("The terms differ", "Thời hạn khác nhau"),
        "unit_unknown": ("The unit of time is not a known one", "Đơn vị thời gian không rõ"),
        "unit_unclear": ("The unit of time can be read in two ways", "Đơn vị thời gian chưa rõ nghĩa"),
        "units_mixed": ("Several units of time in one procedure", "Nhiều đơn vị thời gian trong một thủ tục"),
        "same_day_in_note": (
            "Only the note says that it is done within the day",
            "Giải quyết trong ngày chỉ nêu ở mô tả",
        ),
        "fees_several": ("Several fees on one way of filing", "Nhiều mức phí trên một cách thức"),
        "fees_differ": ("The fees differ", "Mức phí khác nhau"),
        "fee_free_with_amount": ("Free, and an amount beside it", "Đánh dấu miễn phí nhưng có số tiền"),
        "fee_free_with_note": ("Free, and a note that speaks of money", "Đánh dấu miễn phí nhưng mô tả nói đến tiền"),
        "fee_only_in_note": ("The note speaks of money, no amount is given", "Số tiền chỉ nêu ở mô tả"),
        "fee_unreadable": ("The amount is no amount", "Số tiền không đọc được"),
        "fee_tiny": ("The amount is too small to be meant", "Số tiền nhỏ bất thường"),
        "components_missing": ("No component is named", "Thiếu thành phần hồ sơ"),
        "component_nameless": ("A component has no name", "Thành phần hồ sơ không có tên"),
        "component_repeated": ("One component stands several times", "Thành phần hồ sơ lặp lại"),
        "component_count": ("The number of originals or copies is not one", "Số bản chính, bản sao bất thường"),
        "component_count_glued": ("The end of the name stands in the number", "Đuôi của tên dính vào số bản"),
        "results_missing": ("No result is named", "Thiếu kết quả"),
        "result_nameless": ("A result has no name", "Kết quả không có tên"),
        "result_code_missing": ("A result has no code", "Kết quả không có mã"),
        "dates_unreadable": ("A date of validity is none", "Ngày hiệu lực không đọc được"),
        "type_unexpected": ("The value is of another kind than it should be", "Giá trị không đúng kiểu"),
        "expired_kept": ("It has ended here, the source lists it still", "Đã hết hiệu lực nhưng nguồn vẫn liệt kê"),
        "province_kept": (
            "The source is silent where the province has decided",
            "Nguồn không nêu, giữ quy định của tỉnh",
        ),
    }
)
"""Every kind of oddity, in English and Vietnamese."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that was odd: where, what was found, what was decided."""

    line: int
    code: str
    field: str
    kind: str
    found: str
    decided: str

    def as_json(self) -> dict[str, object]:
        """Return it as reports show it."""
        return {**asdict(self), "title": KINDS[self.kind][0], "title_vi": KINDS[self.kind][1]}


@dataclass(slots=True)
class Notes:
    """What was odd about one row."""

    line: int
    code: str = ""
    oddities: list[Oddity] = field(default_factory=list)

    def add(self, where: str, kind: str, found: object, decided: str) -> None:
        """Note an oddity once; raises KeyError for a kind that is none."""
        title = KINDS[kind] and str(found)
        shown = title if len(title) <= SHOWN_MAX else f"{title[:SHOWN_MAX]}…"
        noted = Oddity(self.line, self.code, where, kind, shown, decided)
        if noted not in self.oddities:
            self.oddities.append(noted)
