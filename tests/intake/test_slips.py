"""Slips: real PDF/A, in Vietnamese, on the forms of the dossier's day."""

import subprocess
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from services.intake import slips
from services.intake.models import Document, Dossier
from services.intake.slips.forms import FormCode, forms_on
from services.intake.slips.words import why_due
from shared import clock
from shared.worktime import load_calendar
from tests.intake.counter import AGENCY, Counter

LONG_NAME = "Công Tằng Tôn Nữ Nguyễn Thị Ngọc Quỳnh Hương Thuỵ Ẩn"
ADDRESS = "Số nhà 123/45/6, hẻm 78 đường Nguyễn Thị Minh Khai, tổ dân phố Trường Phúc, phường Nha Trang, tỉnh Khánh Hòa"


def words(pdf: bytes, *options: str) -> str:
    """Return the text of a PDF as poppler reads it, on one line."""
    read = subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(read.stdout.decode().split())


async def slip(counter: Counter, code: str, form: str) -> bytes:
    """Return a slip of a dossier."""
    answer = await counter.get(f"/dossiers/{code}/slips/{form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


class TestSlip:
    """A slip of a dossier."""

    async def test_01_tells_what_was_received_when_it_is_due_and_why(self, counter: Counter) -> None:
        code = await counter.submitted(applicant={"name": LONG_NAME, "address": ADDRESS})
        await counter.done(code, "accept")
        pdf = await slip(counter, code, "01")
        text = words(pdf)
        view = await counter.view(code)
        due = datetime.fromisoformat(view["due_at"]).astimezone(clock.VN)
        assert "GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ" in text
        assert "Mẫu số 01 (Ban hành kèm theo Thông tư số 03/2025/TT-VPCP" in text
        assert LONG_NAME in text
        assert ADDRESS in text
        assert f"{due:%H} giờ {due:%M} phút" in text
        assert "Tính từ khi tiếp nhận hồ sơ hợp lệ" in text
        assert "Tờ khai đăng ký khai tử (Bản giấy)" in text
        assert view["tracking_code"][:4] + "-" in text
        document = PdfFileReader(BytesIO(pdf), strict=True)
        assert "<pdfaid:part>2</pdfaid:part>" in document.root["/Metadata"].data.decode()

    async def test_02_tells_what_is_asked_and_until_when(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        text = words(await slip(counter, code, "02"))
        assert "PHIẾU YÊU CẦU BỔ SUNG, HOÀN THIỆN HỒ SƠ" in text
        assert "Nộp bản gốc giấy báo tử" in text
        assert "Đề nghị bổ sung trước: 17 giờ 00 phút" in text

    async def test_03_tells_the_reason_and_its_basis(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "reject")
        text = words(await slip(counter, code, "03"))
        assert "PHIẾU TỪ CHỐI TIẾP NHẬN GIẢI QUYẾT HỒ SƠ" in text
        assert "Giấy báo tử không hợp lệ" in text
        assert "Luật Hộ tịch 2014" in text

    async def test_is_the_same_whenever_it_is_printed(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "accept")
        assert await slip(counter, code, "01") == await slip(counter, code, "01")

    @pytest.mark.parametrize("form", ["01", "02", "03"])
    async def test_is_refused_before_its_time(self, counter: Counter, form: str) -> None:
        answer = await counter.get(f"/dossiers/{await counter.submitted()}/slips/{form}")
        assert (answer.status_code, answer.json()["code"]) == (409, "slip_not_due")

    async def test_of_another_agency_is_not_there(self, counter: Counter) -> None:
        code = await counter.submitted()
        assert (await counter.get(f"/dossiers/{code}/slips/01", agency="H32.05")).status_code == 404
        assert (await counter.get(f"/dossiers/{code}/slips/01", scopes=["dossiers:submit"])).status_code == 403
        assert (await counter.get(f"/dossiers/{code}/slips/09")).status_code == 422

    async def test_takes_no_name_for_code(self, counter: Counter) -> None:
        code = await counter.submitted(applicant={"name": "#panic() $x$ *An*"})
        await counter.done(code, "accept")
        assert "#panic() $x$ *An*" in words(await slip(counter, code, "01"))


class TestRegister:
    """Form 07."""

    async def test_lists_what_an_agency_received(self, counter: Counter) -> None:
        code = await counter.submitted(applicant={"name": LONG_NAME})
        other = await counter.submitted(agency_code="H32.14.22")
        await counter.done(code, "accept")
        today = clock.now().astimezone(clock.VN).date().isoformat()
        answer = await counter.get(f"/registers/{AGENCY}", query={"first": today})
        assert answer.status_code == 200, answer.text
        text = words(answer.content)
        assert "SỔ THEO DÕI HỒ SƠ" in text
        assert "Mẫu số 07" in text
        flat = text.replace(" ", "")
        assert code in flat
        assert other not in flat

    async def test_keeps_the_line_of_what_was_entered_by_mistake(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "retract")
        today = clock.now().astimezone(clock.VN).date().isoformat()
        flat = words((await counter.get(f"/registers/{AGENCY}", query={"first": today})).content).replace(" ", "")
        assert code in flat
        assert "Hủydonhậpnhầm" in flat.replace("\n", "")

    async def test_is_bounded(self, counter: Counter) -> None:
        for days in ({"first": "2026-01-01", "last": "2026-03-01"}, {"first": "2026-01-02", "last": "2026-01-01"}):
            assert (await counter.get(f"/registers/{AGENCY}", query=days)).status_code == 422

    async def test_has_a_line_of_one_dossier(self, counter: Counter) -> None:
        code = await counter.submitted()
        assert code in words(await slip(counter, code, "07")).replace(" ", "")


class TestForms:
    """Which forms are used."""

    def test_follow_the_day_of_the_dossier(self) -> None:
        old, new = forms_on(date(2025, 9, 14)), forms_on(date(2025, 9, 15))
        assert "01/2018/TT-VPCP" in old.circular
        assert "03/2025/TT-VPCP" in new.circular
        assert (old.forms[FormCode.REGISTER].number, new.forms[FormCode.REGISTER].number) == ("Mẫu số 06", "Mẫu số 07")

    async def test_of_2021_are_printed_for_a_dossier_of_2021(self) -> None:
        pdf = await slips.receipt(
            _old(),
            [Document(name="Đơn", reused_result="12/GP")],
            calendar=load_calendar(),
            office=OFFICE,
            tracking_url="https://dvc.example/t",
        )
        text = words(pdf)
        assert "Thông tư số 01/2018/TT-VPCP" in text
        assert "Tái sử dụng kết quả số 12/GP" in text
        assert "ngày 29 tháng 4 năm 2026" in text

    def test_the_reason_names_what_was_left_out(self) -> None:
        assert why_due(_old(), load_calendar()) == [
            "Tính từ khi tiếp nhận hồ sơ hợp lệ (08:00 29/04/2026), thời hạn 3 ngày làm việc.",
            "Thời gian làm việc được tính: 24 giờ (3 ngày).",
            "Không tính 2 ngày nghỉ hằng tuần.",
            "Không tính ngày nghỉ lễ 30/04/2026 (Ngày Chiến thắng).",
            "Không tính ngày nghỉ lễ 01/05/2026 (Ngày Quốc tế Lao động).",
            "Theo lịch làm việc 2026-1.",
        ]

    def test_the_reason_of_a_term_in_days_says_how_it_runs(self) -> None:
        term = {"amount": 15, "unit": "day"}
        lines = why_due(_old(duration=term, due_at=datetime(2026, 5, 14, 10, tzinfo=UTC)), load_calendar())
        assert "thời hạn 15 ngày." in lines[0]
        assert "kể cả ngày nghỉ" in lines[1]
        assert len(lines) == 3


OFFICE = slips.Office("Trung tâm Phục vụ hành chính công phường Nha Trang", None, "Nha Trang")


def _old(**changes: Any) -> Dossier:
    """Return a dossier of 2021 that was accepted over a holiday."""
    party = {"kind": "citizen", "name": LONG_NAME, "phone": "0905123456"}
    known: dict[str, Any] = {
        "code": "H32.14-210407-0001",
        "tracking_code": "0123456789ABCDEF",
        "procedure_name": "Đăng ký khai tử",
        "agency_name": OFFICE.name,
        "applicant": party,
        "owner": party,
        "summary": "Khai tử",
        "fees": [],
        "same_day": False,
        "duration": {"amount": 3, "unit": "working_day"},
        "submitted_at": datetime(2021, 4, 7, 1, tzinfo=UTC),
        "entered_at": datetime(2021, 4, 7, 1, tzinfo=UTC),
        "accepted_at": datetime(2026, 4, 29, 1, tzinfo=UTC),
        "due_at": datetime(2026, 5, 6, 1, tzinfo=UTC),
        "calendar_version": "2026-1",
        "accepted_by": "Trần Văn Bình",
        "return_method": "counter",
    }
    return Dossier(**known | changes)
