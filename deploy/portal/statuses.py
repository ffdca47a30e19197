"""TrangThaiHoSo 1–10 and the steps between them that the portal takes.

The graph is DOMAIN.md §1.6 with one addition: a supplement (5) or a fee (6) may be asked before acceptance, and
then leads back to the counter's decision (5 → 1, 2, 3; 6 → 1) and nowhere else.
"""

from collections.abc import Mapping

NAMES = {
    "1": ("Mới đăng ký", "Submitted"),
    "2": ("Được tiếp nhận", "Accepted"),
    "3": ("Không được tiếp nhận", "Rejected"),
    "4": ("Đang xử lý", "In process"),
    "5": ("Yêu cầu bổ sung giấy tờ", "Supplement requested"),
    "6": ("Yêu cầu thực hiện nghĩa vụ tài chính", "Fee due"),
    "7": ("Công dân yêu cầu rút hồ sơ", "Withdrawn"),
    "8": ("Dừng xử lý", "Stopped"),
    "9": ("Đã xử lý xong", "Completed"),
    "10": ("Đã trả kết quả", "Result returned"),
}

ACCEPTANCE = "2"

BEFORE_ACCEPTANCE: Mapping[str | None, frozenset[str]] = {
    None: frozenset("12"),
    "1": frozenset("23567"),
    "5": frozenset("1237"),
    "6": frozenset("17"),
}

AFTER_ACCEPTANCE: Mapping[str | None, frozenset[str]] = {
    "2": frozenset("45678"),
    "4": frozenset("56789"),
    "5": frozenset("478"),
    "6": frozenset("478"),
    "8": frozenset("49"),
    "9": frozenset({"10"}),
}


def may_follow(current: str | None, *, accepted: bool, new: str) -> bool:
    """Tell whether a dossier may go from one status to another; `accepted`: it has been in status 2."""
    graph = AFTER_ACCEPTANCE if accepted else BEFORE_ACCEPTANCE
    return new in graph.get(current, frozenset())


def in_words(status: str | None) -> str:
    """Return a status as code and Vietnamese name, for messages to the province."""
    return f"{status} ({NAMES[status][0]})" if status in NAMES else "chưa có"
