"""Moments and sums as Vietnamese documents write them; all moments are shown in Vietnam's zone."""

from datetime import date, datetime

from shared.clock import VN

_PADDED_DAY, _PADDED_MONTH = 10, 3


def day_in_words(moment: datetime | date) -> str:
    """Return `ngày 05 tháng 02 năm 2026`: days below 10, January and February get a zero (NĐ 30/2020/NĐ-CP)."""
    day = _day(moment)
    number = f"{day.day:02}" if day.day < _PADDED_DAY else str(day.day)
    month = f"{day.month:02}" if day.month < _PADDED_MONTH else str(day.month)
    return f"ngày {number} tháng {month} năm {day.year}"


def moment_in_words(moment: datetime) -> str:
    """Return `09 giờ 05 phút, ngày 05 tháng 02 năm 2026`."""
    local = moment.astimezone(VN)
    return f"{local.hour:02} giờ {local.minute:02} phút, {day_in_words(local)}"


def short_day(moment: datetime | date) -> str:
    """Return `05/02/2026`."""
    return f"{_day(moment):%d/%m/%Y}"


def short_moment(moment: datetime) -> str:
    """Return `09:05 05/02/2026`."""
    return f"{moment.astimezone(VN):%H:%M %d/%m/%Y}"


def dong(amount: int) -> str:
    """Return a sum as `1.250.000 đồng`."""
    return f"{amount:,} đồng".replace(",", ".")


def _day(moment: datetime | date) -> date:
    return moment.astimezone(VN).date() if isinstance(moment, datetime) else moment
