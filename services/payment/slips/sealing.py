"""The issuer's seal: a PAdES signature (ETSI EN 319 142-1, baseline B-B) over the whole receipt."""

import asyncio
from io import BytesIO
from pathlib import Path

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko.sign.fields import SigSeedSubFilter

from services.payment.errors import SealMissing

FIELD = "DonViThuTien"


class Seals:
    """The seals of a deployment: PKCS#12 files in one folder, named after their agencies (`H32.14.p12`).

    A receipt bears its issuer's seal, or that of the nearest agency above which has one.
    """

    def __init__(self, folder: Path | None, password: str) -> None:
        self._folder = folder
        self._password = password.encode()

    async def seal(self, document: bytes, *, issuer_code: str) -> bytes:
        """Return a PDF signed by its issuer. Raises SealMissing."""
        return await asyncio.to_thread(self._seal, document, issuer_code)

    def _seal(self, document: bytes, issuer_code: str) -> bytes:
        signer = SimpleSigner.load_pkcs12(str(self._file(issuer_code)), passphrase=self._password or None)
        if signer is None:
            raise SealMissing("The seal's file cannot be opened: check it and its password.", issuer_code=issuer_code)
        about = PdfSignatureMetadata(
            field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason="Lập biên lai điện tử"
        )
        sealed = sign_pdf(IncrementalPdfFileWriter(BytesIO(document)), about, signer=signer)
        return sealed.getvalue()

    def _file(self, issuer_code: str) -> Path:
        parts = issuer_code.split(".")
        names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        files = [self._folder / f"{name}.p12" for name in names] if self._folder else []
        found = next((file for file in files if file.exists()), None)
        if found is None:
            raise SealMissing("Put the agency's PKCS#12 file into the folder of seals.", issuer_code=issuer_code)
        return found
