"""Whose PDFs are taken: what pdfsig accepts is accepted, and one changed byte is noticed by both."""

import asyncio
import random
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.papers import Seal, pdf
from deploy.local.seals import ensure_seals
from services.results.errors import CertificateExpired, DocumentUnreadable, SignatureMissing, SignatureUntrusted
from services.results.states import SignaturePolicy
from services.results.storage import Archive, SignatureChecker
from shared import clock
from shared.errors import DomainError
from tests.results.desk import Desk, accepted
from tests.results.test_routes import problem
from tests.results.test_storage import drops
from tests.shared.test_blobs import files

FLIPS = 60


@pytest.fixture(scope="module")
async def checker(trust: Path) -> AsyncIterator[SignatureChecker]:
    checker = SignatureChecker(str(trust))
    yield checker
    await checker.close()


@pytest.fixture(scope="module")
def paper(seal: Seal) -> bytes:
    return seal.paper(["KET QUA", "H32.14-260407-0001"])


def says_pdfsig(document: bytes, folder: Path) -> bool:
    """Tell whether poppler's validator finds every signature sound and the whole file signed."""
    path = folder / "paper.pdf"
    path.write_bytes(document)
    told = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False).stdout
    sound = told.count("Signature is Valid.")
    return sound > 0 and sound == told.count("Signature #") and "Total document signed" in told


class TestCheck:
    """Checking a signed PDF."""

    async def test_names_signer_time_and_list(self, checker: SignatureChecker, paper: bytes, tmp_path: Path) -> None:
        (found,) = (await checker.check(paper)).signatures
        assert (found["signer"], found["trust_list"], found["time_source"]) == ("UBND tỉnh", "province", "claimed")
        assert found["signed_at"][:13] == clock.now().astimezone(clock.VN).isoformat()[:13]
        assert says_pdfsig(paper, tmp_path)

    async def test_notices_any_changed_byte_as_pdfsig_does(
        self, checker: SignatureChecker, paper: bytes, tmp_path: Path
    ) -> None:
        """Bytes of the document fail both; those of the signature's own place fail us, whatever pdfsig says."""
        dice = random.Random(7)
        place = range(paper.index(b"/Contents <") + 11, paper.index(b"> >>", paper.index(b"/Contents <")))
        for at in dice.sample(range(len(paper)), FLIPS):
            spoilt = bytearray(paper)
            spoilt[at] ^= 1 << dice.randrange(8)
            with pytest.raises(DomainError):
                await checker.check(bytes(spoilt))
            if at not in place:
                assert not says_pdfsig(bytes(spoilt), tmp_path), at

    @pytest.mark.large
    async def test_notices_every_changed_byte(self, checker: SignatureChecker, paper: bytes) -> None:
        for at in range(len(paper)):
            for bit in (1, 0x20):
                spoilt = bytearray(paper)
                spoilt[at] ^= bit
                with pytest.raises(DomainError):
                    await checker.check(bytes(spoilt))

    @pytest.mark.parametrize("more", [b"%", b"\n", pdf(["more"])], ids=len)
    async def test_refuses_what_was_added_after_signing(
        self, checker: SignatureChecker, paper: bytes, more: bytes
    ) -> None:
        with pytest.raises(DomainError) as refusal:
            await checker.check(paper + more)
        assert refusal.value.status == 422

    async def test_refuses_a_stranger(self, checker: SignatureChecker, tmp_path: Path) -> None:
        ensure_seals(tmp_path, agency="H33", name="UBND tỉnh", password="")
        seal = Seal.from_file(tmp_path / "H33.p12", "")
        stranger = await asyncio.to_thread(seal.paper, ["KET QUA"])
        with pytest.raises(SignatureUntrusted):
            await checker.check(stranger)

    async def test_refuses_a_certificate_after_its_end(self, checker: SignatureChecker, paper: bytes) -> None:
        with pytest.raises(CertificateExpired):
            await checker.check(paper, clock.now().replace(year=clock.now().year + 20))

    async def test_reads_its_lists_again_when_they_change(self, paper: bytes, trust: Path, tmp_path: Path) -> None:
        checker = SignatureChecker(str(tmp_path))
        with pytest.raises(SignatureUntrusted):
            await checker.check(paper)
        shutil.copytree(trust / "province", tmp_path / "new")
        assert (await checker.check(paper)).signatures[0]["trust_list"] == "new"
        await checker.close()

    @pytest.mark.parametrize("document", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(5000), b""], ids=len)
    async def test_refuses_what_no_reader_opens(self, checker: SignatureChecker, document: bytes) -> None:
        with pytest.raises(DocumentUnreadable):
            await checker.check(document)
        assert (await checker.check(pdf(["plain"]))).signatures == []

    async def test_goes_on_in_a_new_process_when_one_died(self, checker: SignatureChecker, paper: bytes) -> None:
        await checker.check(paper)
        checker._idle[0].kill()
        await checker._idle[0].wait()
        assert (await checker.check(paper)).signatures


class TestPolicy:
    """What a kind needs."""

    async def test_required_takes_only_the_signed(self, trust: Path, paper: bytes, tmp_path: Path) -> None:
        archive = Archive(tmp_path.as_uri(), document_bytes_max=10**6, checker=SignatureChecker(str(trust)))
        required = SignaturePolicy.REQUIRED
        assert (await archive.keep(drops(paper), "application/pdf", required)).signatures
        for document, media_type in ((pdf(["x"]), "application/pdf"), (b"\xff\xd8\xff and more", "image/jpeg")):
            with pytest.raises(SignatureMissing):
                await archive.keep(drops(document), media_type, required)
        assert len(files(tmp_path)) == 1
        await archive.checker.close()

    async def test_is_data_of_each_kind_and_origin(self, desk: Desk, paper: bytes) -> None:
        await desk.hear(accepted())
        rule = {"digital": "validated", "paper": "required", "reason": "NĐ 45/2020", "decided_by": "Trần Thị Ký"}
        answer = await desk.client.put("/result-kinds/KQ.01/signatures", json=rule, headers=desk.headers())
        assert answer.json()["paper"] == "required"
        assert (await desk.upload()).status_code == 201
        refused = await desk.upload(query={"origin": "paper"})
        assert problem(refused) == (422, "signature_missing")
        taken = await desk.upload(paper, query={"origin": "paper"})
        assert taken.json()["signatures"][0]["signer"] == "UBND tỉnh"
        default = (await desk.get("/result-kinds/KQ.99/signatures")).json()
        assert default == {"kind_code": "KQ.99", "digital": "validated", "paper": "validated"}

    async def test_a_spoilt_signature_is_refused_over_http_and_nothing_kept(self, desk: Desk, paper: bytes) -> None:
        await desk.hear(accepted())
        refused = await desk.upload(paper.replace(b"KET QUA", b"KET QUE"))
        assert problem(refused) == (422, "document_changed")
        assert refused.json()["title_vi"] == "Văn bản đã bị thay đổi sau khi ký số"
        assert not await desk.rows("SELECT id FROM result")
