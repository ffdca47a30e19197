"""Receipts as people hold them: words for sums, PDF, seal, and the public check."""

import hashlib
import re
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from services.payment.errors import SealMissing
from services.payment.slips.sealing import Seals
from services.payment.slips.words import dong_in_words, number_in_words
from shared.events.values import FeeKind
from tests.payment.books import Books
from tests.payment.test_issuing import delegation, issuer
from tests.payment.till import Till, item

WORDS = {
    0: "không",
    1: "một",
    4: "bốn",
    5: "năm",
    10: "mười",
    11: "mười một",
    14: "mười bốn",
    15: "mười lăm",
    20: "hai mươi",
    21: "hai mươi mốt",
    24: "hai mươi tư",
    25: "hai mươi lăm",
    51: "năm mươi mốt",
    55: "năm mươi lăm",
    100: "một trăm",
    101: "một trăm linh một",
    104: "một trăm linh bốn",
    105: "một trăm linh năm",
    110: "một trăm mười",
    111: "một trăm mười một",
    115: "một trăm mười lăm",
    121: "một trăm hai mươi mốt",
    1_000: "một nghìn",
    1_001: "một nghìn không trăm linh một",
    1_015: "một nghìn không trăm mười lăm",
    15_000: "mười lăm nghìn",
    21_000: "hai mươi mốt nghìn",
    50_000: "năm mươi nghìn",
    121_000: "một trăm hai mươi mốt nghìn",
    1_000_000: "một triệu",
    1_000_005: "một triệu không trăm linh năm",
    1_005_000: "một triệu không trăm linh năm nghìn",
    1_250_000: "một triệu hai trăm năm mươi nghìn",
    24_054_321: "hai mươi tư triệu không trăm năm mươi tư nghìn ba trăm hai mươi mốt",
    1_000_000_000: "một tỷ",
    1_000_000_001: "một tỷ không trăm linh một",
    21_000_000_000: "hai mươi mốt tỷ",
    1_500_000_000_000: "một nghìn năm trăm tỷ",
}


@pytest.fixture
def books(till: Till) -> Books:
    return Books(till)


class TestWords:
    """Sums in words."""

    @pytest.mark.parametrize(("number", "words"), WORDS.items())
    def test_says(self, number: int, words: str) -> None:
        assert number_in_words(number) == words

    def test_begins_with_a_capital_and_ends_with_dong(self) -> None:
        assert dong_in_words(121_000) == "Một trăm hai mươi mốt nghìn đồng"
        assert dong_in_words(-5_000) == "Âm năm nghìn đồng"

    def test_says_no_two_numbers_alike(self) -> None:
        numbers = [*range(3_000), *range(999_000, 1_002_000), *range(10**9, 10**9 + 1_000)]
        assert len({number_in_words(number) for number in numbers}) == len(numbers)


async def receipt(books: Books, *items: Any) -> dict[str, Any]:
    """Return the receipt of a fee that was paid."""
    (fee,) = await books.till.accept(*(items or (item(50_000),)))
    await books.till.pay_in_cash(fee)
    return (await books.get("/receipts"))["items"][-1]


async def document(books: Books, found: dict[str, Any]) -> bytes:
    """Return a receipt's PDF."""
    answer = await books.till.client.get(f"/receipts/{found['id']}/document", headers=books.headers())
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def words_of(content: bytes, folder: Path) -> str:
    """Return what a PDF shows, as one line."""
    (folder / "shown.pdf").write_bytes(content)
    shown = subprocess.run(
        ["pdftotext", "-layout", folder / "shown.pdf", "-"], capture_output=True, text=True, check=True
    )
    return re.sub(r"\s+", " ", shown.stdout)


def pdfsig(content: bytes, folder: Path) -> str:
    """Return what poppler's independent validator says of a PDF's signature."""
    (folder / "signed.pdf").write_bytes(content)
    return subprocess.run(
        ["pdfsig", folder / "signed.pdf"], capture_output=True, text=True, errors="replace", check=False
    ).stdout


class TestDocument:
    """GET /receipts/{id}/document."""

    async def test_shows_what_was_paid_in_vietnamese(self, books: Books, tmp_path: Path) -> None:
        rows = [issuer("H32.20", tax_code="0100109106", address="04 Phan Chu Trinh"), issuer("H32.14")]
        await books.post("/receipt-issuers/import", {"issuers": rows, "delegations": [delegation("H32.14", "H32.20")]})
        found = await receipt(books, item(100_000, kind=FeeKind.PHI), item(21_000))
        shown = words_of(await document(books, found), tmp_path)
        for words in (
            "BIÊN LAI THU PHÍ, LỆ PHÍ",
            "SỞ H32.20",
            "Mã số thuế của đơn vị thu: 0100109106",
            "Thu theo ủy nhiệm của: Sở H32.14",
            "Người nộp tiền: Nguyễn Thị Thử",
            "Mẫu số: 01BLP0-001",
            f"Ký hiệu: {found['series']}",
            "Số: 0000001",
            "121.000",
            "Một trăm hai mươi mốt nghìn đồng",
            found["dossier_code"],
            found["check_code"],
        ):
            assert words in shown, (words, shown)

    async def test_of_a_cancellation_names_what_it_cancels(self, books: Books, tmp_path: Path) -> None:
        found = await receipt(books)
        counter = await books.post(f"/receipts/{found['id']}/cancel", {"reason": "Ghi sai số tiền"}, status=201)
        shown = words_of(await document(books, counter), tmp_path)
        for words in (
            "BIÊN LAI HỦY",
            f"Hủy biên lai ký hiệu {found['series']}, số 0000001",
            "Ghi sai số tiền",
            "-50.000",
        ):
            assert words in shown

    async def test_is_the_same_ever_after(self, books: Books) -> None:
        found = await receipt(books)
        assert await document(books, found) == await document(books, found)

    async def test_needs_a_seal(self, tmp_path: Path) -> None:
        with pytest.raises(SealMissing):
            await Seals(tmp_path, "").seal(b"", issuer_code="H32.14")
        with pytest.raises(SealMissing):
            await Seals(None, "").seal(b"", issuer_code="H32.14")


class TestSeal:
    """The issuer's signature."""

    async def test_is_valid_to_an_independent_validator(self, books: Books, tmp_path: Path) -> None:
        said = pdfsig(await document(books, await receipt(books)), tmp_path)
        assert "Signature is Valid" in said, said
        assert "Total document signed" in said
        assert "ETSI.CAdES.detached" in said

    async def test_vouched_for_by_the_authority(self, books: Books, seals: Path) -> None:
        content = await document(books, await receipt(books))
        (signature,) = PdfFileReader(BytesIO(content)).embedded_signatures
        trusted = ValidationContext(trust_roots=[load_cert_from_pemder(str(seals / "ca.pem"))])
        status = await async_validate_pdf_signature(signature, signer_validation_context=trusted)
        assert status.bottom_line
        assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE

    async def test_is_refused_after_any_flipped_byte(self, books: Books, tmp_path: Path) -> None:
        """Outside the signature's own bytes, that is; for those the public check knows the whole fingerprint."""
        content = await document(books, await receipt(books))
        end = re.search(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)", content)
        assert end is not None
        first, second, length = (int(number) for number in end.groups())
        assert second + length == len(content)
        places = [*range(0, first, first // 24), *range(second, len(content), max(1, length // 8))]
        for place in places:
            flipped = bytearray(content)
            flipped[place] ^= 0x01
            assert "Signature is Valid" not in pdfsig(bytes(flipped), tmp_path), place


class TestCheck:
    """GET /verify-receipt/{check_code}, without a login."""

    async def check(self, books: Books, code: str, **query: str) -> dict[str, Any]:
        answer = await books.till.client.get(f"/verify-receipt/{code}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def test_knows_a_valid_receipt_and_its_document(self, books: Books) -> None:
        found = await receipt(books)
        content = await document(books, found)
        fingerprint = hashlib.sha256(content).hexdigest()
        said = await self.check(books, found["check_code"], sha256=fingerprint)
        assert (said["state"], said["number"], said["amount_vnd"]) == ("valid", 1, 50_000)
        assert (said["document"], said["sha256"]) == ("same", fingerprint)
        flipped = hashlib.sha256(content[:-1] + b"!").hexdigest()
        assert (await self.check(books, found["check_code"], sha256=flipped))["document"] == "different"

    async def test_says_nothing_personal(self, books: Books) -> None:
        found = await receipt(books)
        said = str(await self.check(books, found["check_code"]))
        assert "Nguyễn" not in said
        assert found["dossier_code"] not in said

    async def test_knows_what_is_out_of_force(self, books: Books) -> None:
        cancelled, replaced = await receipt(books), await receipt(books)
        counter = await books.post(f"/receipts/{cancelled['id']}/cancel", {"reason": "Ghi sai"}, status=201)
        body = {"reason": "Ghi sai tên", "payer_name": "Nguyễn Văn B"}
        new = await books.post(f"/receipts/{replaced['id']}/replace", body, status=201)
        states = [(await self.check(books, one["check_code"]))["state"] for one in (cancelled, counter, replaced, new)]
        assert states == ["cancelled", "is_cancellation", "replaced", "valid"]

    async def test_is_a_page_for_who_scans_the_picture(self, books: Books) -> None:
        found = await receipt(books)
        page = await books.till.client.get(f"/verify-receipt/{found['check_code']}", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        for words in ("Biên lai có hiệu lực", "0000001", "50.000 đồng", found["series"]):
            assert words in page.text
        assert "Nguyễn" not in page.text

    async def test_knows_nothing_of_others(self, books: Books) -> None:
        assert (await self.check(books, "ABCDEFGHJKLMNPQR"))["state"] == "unknown"
