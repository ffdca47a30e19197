"""The province's procedures, and their processes and forms: the national ones, and the province's own variants."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from deploy.province.plan import PROVINCE, Place
from services.intake.models import FormDraft
from services.workflow.operations.bpmn.drawing import Definition
from shared.events.values import Duration, DurationUnit, Process, ProcessStep

Row = dict[str, Any]
SUFFIX = f".{PROVINCE}"
"""Procedures a province adds carry its identifier behind the national code; further ones have codes of their own."""
NATIONAL_CODE = re.compile(r"\d\.\d{6}")
MINUTES_A_DAY = 480
TERM_DAYS_MAX = 60
FORM_FIELDS = (
    ("ho_ten", "Họ và tên", {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\p{L} '.-]+$"}),
    ("ngay_sinh", "Ngày sinh", {"type": "string", "format": "date"}),
    ("so_dinh_danh", "Số định danh cá nhân", {"type": "string", "pattern": "^[0-9]{12}$"}),
    ("dia_chi", "Nơi cư trú", {"type": "string", "maxLength": 500}),
    ("dien_thoai", "Số điện thoại", {"type": "string", "pattern": "^0[0-9]{9}$"}),
    ("noi_dung", "Nội dung đề nghị", {"type": "string", "minLength": 10, "maxLength": 4000}),
    ("so_ban", "Số bản cần cấp", {"type": "integer", "minimum": 1, "maximum": 20}),
    ("cam_doan", "Cam đoan nội dung kê khai là đúng", {"const": True}),
)
_STEPS = (
    ("receive", "Tiếp nhận và chuyển hồ sơ", "receiver", 0, 5),
    ("assign", "Phân công xử lý", "leader", 1, 5),
    ("appraise", "Thẩm định hồ sơ", "appraiser", 2, 40),
    ("survey", "Xác minh thực địa", "appraiser", 3, 20),
    ("draft", "Dự thảo kết quả", "appraiser", 4, 15),
    ("sign", "Ký duyệt kết quả", "leader", 6, 10),
    ("hand", "Vào sổ và chuyển trả kết quả", "receiver", 0, 5),
)
"""Key, name, role, place of the unit in its agency, share of the term in percent."""


def procedures(national: Sequence[Row], count: int) -> list[Row]:
    """Return a province's catalogue in the national words: as many of the country's, then variants of its own."""
    rows = list(national[:count])
    for nth in range(count - len(rows)):
        original = national[nth % len(national)]
        first = nth < len(national) and NATIONAL_CODE.fullmatch(original["code"])
        code = original["code"] + SUFFIX if first else f"9.{nth:06}"
        name = f"{original.get('name') or original['code']} (thực hiện liên thông cấp tỉnh, {code})"
        rows.append({**original, "code": code, "name": name})
    return rows


def processes(rows: Sequence[Row], found: Sequence[Place], count: int) -> Iterator[Definition]:
    """Return a process for each procedure, and further ones for single agencies until there are as many as wanted."""
    departments = [place for place in found if place.level == "province"] or list(found)
    for row in rows[:count]:
        yield _process(row, departments[hash_of(row["code"]) % len(departments)], agency=None)
    for nth in range(max(0, count - len(rows))):
        row, place = rows[nth % len(rows)], found[(nth * 7 + nth // len(rows)) % len(found)]
        yield _process(row, place, agency=place.code)


def hash_of(text: str) -> int:
    """Return a number that is the same for the same text in every run."""
    return sum((nth + 1) * ord(letter) for nth, letter in enumerate(text))


def _process(row: Row, place: Place, *, agency: str | None) -> Definition:
    code = f"QT-{row['code']}" if agency is None else f"QT-{row['code']}-{agency}"
    minutes = _term_minutes(row)
    units = place.units
    steps, before = [], list[str]()
    parallel = hash_of(code) % 3 == 0
    for key, name, role, unit, share in _STEPS:
        if key == "survey" and not parallel:
            continue
        after = {"survey": ["assign"], "draft": ["appraise", "survey"] if parallel else ["appraise"]}.get(key, before)
        step = ProcessStep(
            key=key,
            name=name,
            unit=units[min(unit, len(units) - 1)],
            role=role,
            minutes=max(5, minutes * share // 100),
            after=tuple(after),
            output="result" if key == "sign" else None,
        )
        steps.append(step)
        before = [key]
    return Definition(
        code=code,
        name=f"Quy trình {row.get('name') or row['code']}"[:500],
        process=Process(code=code, steps=tuple(steps)),
        procedure_code=row["code"],
        agency_code=agency,
        valid_from=date(2026, 1, 1),
        term=Duration(amount=max(1, minutes // MINUTES_A_DAY), unit=DurationUnit.WORKING_DAY),
    )


def _term_minutes(row: Row) -> int:
    """Return the working minutes of the longest term a procedure names, at least one day."""
    terms = [way.get("duration") or 0 for way in row.get("channels") or () if isinstance(way, dict)]
    days = max([term for term in terms if isinstance(term, int | float)], default=0)
    return int(min(max(days, 1), TERM_DAYS_MAX)) * MINUTES_A_DAY


def forms(rows: Sequence[Row], count: int) -> Iterator[FormDraft]:
    """Return e-forms for the first procedures, each with its own fields."""
    for row in rows[:count]:
        wanted = 4 + hash_of(row["code"]) % (len(FORM_FIELDS) - 3)
        fields = FORM_FIELDS[:wanted]
        schema = {
            "type": "object",
            "required": [name for name, _, _ in fields[:3]],
            "additionalProperties": False,
            "properties": {name: {"title": title, **kind} for name, title, kind in fields},
        }
        title = f"Tờ khai: {row.get('name') or row['code']}"[:500]
        yield FormDraft(code=f"TK-{row['code']}", title=title, procedures=(row["code"],), data_schema=schema)
