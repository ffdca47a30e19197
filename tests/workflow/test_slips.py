"""Forms as PDF: what was issued is printed as it was issued, in Vietnamese, on the form of its day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run
from typing import Any

import httpx
import pytest

from services.workflow.slips import verdict
from services.workflow.slips.forms import forms_on
from shared import clock
from tests.workflow.office import CODE, OFFICIAL, Office
from tests.workflow.processes import LINEAR
from tests.workflow.test_extensions import TEN_DAYS, extend

NOON = datetime(2026, 4, 7, 5, tzinfo=UTC)


async def print_form(office: Office, form: str, **query: Any) -> httpx.Response:
    path = f"/cases/{CODE}/slips/{form}"
    return await office.client.get(path, params=query, headers=office.headers())


def words(content: bytes, folder: Path) -> str:
    """Return the text of a PDF, its lines joined."""
    path = folder / "slip.pdf"
    path.write_bytes(content)
    text = run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True).stdout
    return " ".join(text.split())


async def issue(office: Office, form: str) -> None:
    await office.start(LINEAR, term=TEN_DAYS)
    if form == "04":
        assert (await extend(office)).status_code == 200
    elif form != "06":
        await office.pause({"02": "request-supplement", "05": "stop"}[form])


class TestForms:
    """Each says what happened, to whom, why."""

    @pytest.mark.parametrize(
        ("form", "said"),
        [
            ("02", ["YÊU CẦU BỔ SUNG", "Bản sao", "Nguyễn Văn Thử", "YCBS"]),
            ("04", ["XIN LỖI VÀ ĐỀ NGHỊ GIA HẠN", "Chờ thẩm định thực địa", "gia hạn lần 1", "118/2025"]),
            ("05", ["DỪNG GIẢI QUYẾT", "Chờ quy hoạch", "Luật Đất đai 2024"]),
            ("06", ["KIỂM SOÁT QUÁ TRÌNH", "unit-check", "Bước check"]),
        ],
    )
    async def test_says(self, office: Office, tmp_path: Path, form: str, said: list[str]) -> None:
        await issue(office, form)
        answer = await print_form(office, form)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
        text = words(answer.content, tmp_path)
        assert [part for part in [*said, CODE, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"] if part not in text] == []

    async def test_printed_again_it_is_the_same(self, office: Office) -> None:
        await issue(office, "05")
        assert (await print_form(office, "05")).content == (await print_form(office, "05", nth=1)).content

    async def test_each_of_its_kind_can_be_printed(self, office: Office, tmp_path: Path) -> None:
        await issue(office, "05")
        await office.pause("resume")
        await office.pause("stop")
        listed = (await office.get(f"/cases/{CODE}/slips"))["items"]
        assert [(one["form"], one["nth"]) for one in listed] == [("05", 1), ("05", 2)]
        assert "0001.02/TBDG" in words((await print_form(office, "05")).content, tmp_path)
        assert (await print_form(office, "05", nth=3)).status_code == 404

    @pytest.mark.parametrize("form", ["02", "04", "05"])
    async def test_what_was_not_issued_is_not_printed(self, office: Office, form: str) -> None:
        await office.start(LINEAR)
        answer = await print_form(office, form)
        assert (answer.status_code, answer.json()["code"]) == (404, "slip_not_found")

    async def test_others_see_none(self, office: Office) -> None:
        await office.start(LINEAR)
        answer = await office.client.get(f"/cases/{CODE}/slips/06", headers=office.headers(agency="H32.15"))
        assert (answer.status_code, answer.json()["code"]) == (404, "case_not_found")


class TestControlSheet:
    """Form 06 tells of every step who had it and whether it was in time."""

    async def test_steps_in_order_with_their_verdicts(self, office: Office, tmp_path: Path) -> None:
        await office.start(LINEAR, at=clock.now() - timedelta(days=30))
        await office.complete("check")
        text = words((await print_form(office, "06")).content, tmp_path)
        assert OFFICIAL in text
        assert "Quá hạn" in text
        assert text.index("Bước check") < text.index("Bước decide")

    @pytest.mark.parametrize(
        ("due", "completed", "expected"),
        [
            (NOON, NOON - timedelta(days=1), "Trước hạn"),
            (NOON, NOON, "Đúng hạn"),
            (NOON, NOON - timedelta(hours=3), "Đúng hạn"),
            (NOON, NOON + timedelta(microseconds=1), "Quá hạn"),
            (NOON, None, "Quá hạn"),
            (NOON + timedelta(days=40), None, ""),
            (None, NOON, ""),
        ],
    )
    def test_verdict(self, due: datetime | None, completed: datetime | None, expected: str) -> None:
        assert verdict(due, completed, now=NOON + timedelta(days=9)) == expected


@pytest.mark.parametrize(
    ("day", "number", "circular"),
    [("2025-09-14", "Mẫu số 05", "01/2018"), ("2025-09-15", "Mẫu số 06", "03/2025")],
)
def test_the_form_of_the_day_is_used(day: str, number: str, circular: str) -> None:
    forms = forms_on(datetime.fromisoformat(day).date())
    assert forms.forms["06"].number == number
    assert circular in forms.circular
