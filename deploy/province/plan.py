"""How large a province is, and where its agencies and units are. Nothing in it is about anybody real."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

PROVINCE = "H32"
PROVINCE_NAME = "Ủy ban nhân dân tỉnh Khánh Hòa"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What provinces reported: Bình Phước 2020 (procedures), Khánh Hòa 2020 (issuers), Quảng Nam 2023 (the others)."""

    procedures: int = 1_916
    processes: int = 2_745
    forms: int = 205
    accounts: int = 56_211
    issuers: int = 111


@dataclass(frozen=True, slots=True)
class Place:
    """An agency of the province."""

    code: str
    name: str
    level: str
    parent: str | None
    weight: int
    """How many of the officials it has, beside others."""

    @property
    def units(self) -> tuple[str, ...]:
        """Its units, by name; the first one receives, the last one signs."""
        return COMMUNE_UNITS if self.level == "commune" else DEPARTMENT_UNITS


DEPARTMENT_UNITS = (
    "Bộ phận Một cửa",
    "Văn phòng",
    "Phòng Nghiệp vụ 1",
    "Phòng Nghiệp vụ 2",
    "Phòng Thẩm định",
    "Phòng Kế hoạch - Tài chính",
    "Lãnh đạo",
)
COMMUNE_UNITS = (
    "Bộ phận Một cửa",
    "Tư pháp - Hộ tịch",
    "Địa chính - Xây dựng",
    "Văn hóa - Xã hội",
    "Lãnh đạo UBND cấp xã",
)
ROLES = ("receiver", "appraiser", "appraiser", "appraiser", "cashier", "leader")
_DEPARTMENTS: Mapping[str, str] = {
    "01": "Sở Nội vụ",
    "02": "Sở Tài chính và Kế hoạch",
    "04": "Sở Công Thương",
    "06": "Sở Khoa học và Công nghệ",
    "09": "Sở Giáo dục và Đào tạo",
    "10": "Sở Y tế",
    "12": "Sở Văn hóa, Thể thao và Du lịch",
    "13": "Ban Quản lý Khu kinh tế",
    "15": "Thanh tra tỉnh",
}
_DEPARTMENTS_OF_THE_SAMPLE: Mapping[str, str] = {
    "03": "Sở Tư pháp",
    "05": "Sở Xây dựng",
    "07": "Sở Nông nghiệp và Môi trường",
    "08": "Sở Tài chính",
    "11": "Công an",
}
_FIRST_COMMUNE, _FIRST_BRANCH = 20, 1
_LAND = f"{PROVINCE}.07"


def places(communes: Sequence[str], count: int) -> list[Place]:
    """Return the province's agencies: departments, communes, and branches of the land registry up to a count."""
    found = [
        Place(f"{PROVINCE}.{number}", f"{name} tỉnh Khánh Hòa", "province", PROVINCE, 6)
        for number, name in sorted({**_DEPARTMENTS, **_DEPARTMENTS_OF_THE_SAMPLE}.items())
    ]
    for number, name in enumerate(communes, start=_FIRST_COMMUNE):
        found.append(Place(f"{PROVINCE}.{number}", f"Ủy ban nhân dân {name}", "commune", PROVINCE, 3))
    for number in range(_FIRST_BRANCH, _FIRST_BRANCH + max(0, count - len(found))):
        name = f"Chi nhánh Văn phòng đăng ký đất đai số {number}"
        found.append(Place(f"{_LAND}.{number:02}", name, "province", _LAND, 2))
    return found[:count]


def agency_rows(found: Sequence[Place]) -> Iterator[dict[str, Any]]:
    """Return the agencies as `motcua agencies import` reads them."""
    yield {"code": PROVINCE, "name": PROVINCE_NAME, "level": "province"}
    for place in found:
        yield {"code": place.code, "name": place.name, "level": place.level, "parent": place.parent}


def shares(found: Sequence[Place], total: int) -> list[int]:
    """Return how many of a total each agency has, by weight; they add up to the total."""
    weights = sum(place.weight for place in found)
    bounds, seen = [0], 0
    for place in found:
        seen += place.weight
        bounds.append(total * seen // weights)
    return [after - before for before, after in pairwise(bounds)]
