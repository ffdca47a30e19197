"""Printing: Vietnamese as it is written, data that is never code, the same bytes for the same data."""

import asyncio
import subprocess
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from shared import printing
from shared.printing import fonts, press

LETTER = Path(__file__).with_name("letter.typ")
DATED = datetime(2026, 2, 5, 2, 5, tzinfo=UTC)
NAME = "Công Tằng Tôn Nữ Nguyễn Thị Ngọc Quỳnh Hương Thuỵ Ẩn Đẵng Ỹ Ậm Ữ Ỗ Ỡ ẵ ỵ ặ"


def letter(**changes: Any) -> dict[str, Any]:
    """Return the data of a letter."""
    return {
        "title": "Giấy tiếp nhận hồ sơ",
        "parent": "Ủy ban nhân dân tỉnh Khánh Hòa",
        "agency": "Trung tâm Phục vụ hành chính công",
        "number": "0001/TNHS",
        "place": "Khánh Hòa",
        "date": printing.day_in_words(DATED),
        "code": "H32.14-260205-0001",
        "name": NAME,
        "text": "Dòng một\nDòng hai",
        "qr": printing.qr_svg("https://dichvucong.example/t/abc"),
    } | changes


async def printed(**changes: Any) -> bytes:
    """Return the letter as PDF."""
    return await printing.render(LETTER, letter(**changes), dated=DATED)


def words(pdf: bytes) -> str:
    """Return the text of a PDF as poppler reads it, on one line."""
    read = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(read.stdout.decode().split())


class TestRender:
    """Setting a letter."""

    async def test_gives_a_pdf_a_2b(self) -> None:
        pdf = PdfFileReader(BytesIO(await printed()), strict=True)
        metadata = pdf.root["/Metadata"].data.decode()
        assert "<pdfaid:part>2</pdfaid:part>" in metadata
        assert "<pdfaid:conformance>B</pdfaid:conformance>" in metadata
        assert pdf.root["/Pages"]["/Count"] == 1

    async def test_shows_vietnamese_as_it_is_written(self) -> None:
        text = words(await printed())
        assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text
        assert "Độc lập - Tự do - Hạnh phúc" in text
        assert NAME in text
        assert "Khánh Hòa, ngày 05 tháng 02 năm 2026" in text

    async def test_gives_the_same_bytes_for_the_same_data(self) -> None:
        first, second, other = await asyncio.gather(printed(), printed(), printed(name="Nguyễn Thị An"))
        assert first == second
        assert first != other

    @pytest.mark.parametrize("name", ["#panic()", "$x$ *đậm* _nghiêng_", ']) #read("/etc/passwd")', "<nhan> @ten \\"])
    async def test_takes_no_text_for_code(self, name: str) -> None:
        assert name in words(await printed(name=name))

    async def test_shows_a_square_for_what_the_typeface_lacks(self) -> None:
        assert "An □□ Bình" in words(await printed(name="An 😀中 Bình"))

    async def test_composes_decomposed_letters(self) -> None:
        assert await printed(name="Nguye\u0302\u0303n") == await printed(name="Nguyễn")

    async def test_refuses_more_than_a_document_holds(self) -> None:
        with pytest.raises(printing.TooMuchToPrint):
            await printed(text="a" * press.DATA_BYTES_MAX)

    async def test_lets_only_so_many_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(press, "WAITING_MAX", 2)
        outcomes = await asyncio.gather(*(printed() for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in outcomes] == [bytes, bytes, printing.PressBusy]


class TestFonts:
    """The typeface."""

    def test_are_asked_for_by_name_when_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("MOTCUA_FONTS_FOLDER", str(tmp_path))
        with pytest.raises(printing.FontsMissing, match="fonts-croscore"):
            fonts.found.__wrapped__()

    def test_have_every_vietnamese_letter(self) -> None:
        vowels = "aăâeêioôơuưy"
        marks = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
        letters = "".join(vowel + mark for vowel in vowels + vowels.upper() for mark in marks) + "đĐ"
        assert fonts.UNKNOWN not in fonts.printable(letters)


def test_days_below_ten_and_early_months_get_a_zero() -> None:
    assert printing.day_in_words(date(2026, 10, 9)) == "ngày 09 tháng 10 năm 2026"
    assert printing.day_in_words(date(2026, 3, 12)) == "ngày 12 tháng 3 năm 2026"
    assert printing.moment_in_words(DATED) == "09 giờ 05 phút, ngày 05 tháng 02 năm 2026"
    assert printing.dong(1250000) == "1.250.000 đồng"
