"""Officials that nobody is: names put together from common words, accounts counted through."""

import csv
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.province.plan import ROLES, Place, shares

HEADINGS = ("username", "name", "email", "agency", "agency_name", "unit", "unit_name", "role", "valid_from")
_FAMILY = (
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Vũ",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
)
_MIDDLE = ("Văn", "Thị", "Đức", "Thanh", "Minh", "Ngọc", "Quốc", "Hữu", "Thu", "Xuân")
_GIVEN = (
    "An",
    "Bình",
    "Châu",
    "Dũng",
    "Giang",
    "Hà",
    "Hạnh",
    "Hiếu",
    "Khánh",
    "Lan",
    "Linh",
    "Long",
    "Mai",
    "Nam",
    "Phương",
)


def write_accounts(path: Path, found: Sequence[Place], count: int) -> int:
    """Write so many accounts, each with a role in a unit, as `motcua accounts import` reads them; return the rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        rows = list(_rows(found, count))
        writer.writerows(rows)
    return len(rows)


def _rows(found: Sequence[Place], count: int) -> Iterator[tuple[str, ...]]:
    chance = random.Random(32)  # noqa: S311 - the same people in every run
    number = 0
    for place, share in zip(found, shares(found, count), strict=True):
        for nth in range(share):
            number += 1
            username = f"cb{number:06}"
            name = f"{chance.choice(_FAMILY)} {chance.choice(_MIDDLE)} {chance.choice(_GIVEN)}"
            unit = place.units[nth % len(place.units)]
            role = "leader" if unit == place.units[-1] else ROLES[nth % len(ROLES)]
            yield username, name, f"{username}@example.vn", place.code, place.name, unit, unit, role, "2026-01-01"
