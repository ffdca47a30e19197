"""Where documents lie: checked for what they claim to be and who signed them, then kept under their SHA-256."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Any

from services.results.errors import DocumentMismatch, DocumentTypeRefused, SignatureMissing
from services.results.states import SignaturePolicy
from services.results.storage.checker import SignatureChecker
from shared.blobs import Blob, BlobStore, Keyring

SIGNATURES = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
"""How a file of each type that is taken begins (ISO 32000-2 §7.5.2, ISO 10918-1 B.1, ISO 15948 §5.2)."""
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
_SIGNATURE_BYTES_MAX = max(len(signature) for signature in SIGNATURES.values())


@dataclass(frozen=True, slots=True)
class Kept:
    """A document that is in the archive."""

    blob: Blob
    signatures: list[dict[str, Any]]


class Archive:
    """The documents of results, in one store."""

    def __init__(
        self, url: str, *, document_bytes_max: int, keys: Keyring | None = None, checker: SignatureChecker | None = None
    ) -> None:
        self.blobs = BlobStore(url, keys)
        self.checker = checker or SignatureChecker()
        self._bytes_max = document_bytes_max

    async def keep(self, chunks: AsyncIterator[bytes], media_type: str, policy: SignaturePolicy) -> Kept:
        """Keep a document as it arrives; when this returns it is durable, and a PDF's signatures are checked.

        Raises DocumentTypeRefused, DocumentMismatch, SignatureMissing, what SignatureChecker.check raises,
        BlobTooLarge, StoreAway. Whatever is refused is not kept.
        """
        if media_type not in SIGNATURES:
            raise DocumentTypeRefused(f"Send one of: {', '.join(SIGNATURES)}.", accepted=list(SIGNATURES))
        signatures: list[dict[str, Any]] = []

        async def inspect(document: IO[bytes]) -> None:
            if media_type == "application/pdf":
                signatures.extend((await self.checker.check(document.read())).signatures)
            if policy is SignaturePolicy.REQUIRED and not signatures:
                raise SignatureMissing("Send a PDF that carries a digital signature (PAdES).")

        arriving = _recognised(chunks, media_type)
        blob = await self.blobs.put(arriving, size_max=self._bytes_max, inspect=inspect)
        return Kept(blob, signatures)

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """Return a document's bytes, checked on the way. Raises BlobMissing, BlobDamaged, StoreAway."""
        return await self.blobs.get(sha256)


async def _recognised(chunks: AsyncIterator[bytes], media_type: str) -> AsyncIterator[bytes]:
    beginning, known = b"", False
    async for chunk in chunks:
        if known:
            yield chunk
            continue
        beginning += chunk
        if len(beginning) >= _SIGNATURE_BYTES_MAX:
            _check(beginning, media_type)
            known = True
            yield beginning
    if not known:
        _check(beginning, media_type)
        yield beginning


def _check(beginning: bytes, media_type: str) -> None:
    if not beginning.startswith(SIGNATURES[media_type]):
        raise DocumentMismatch(f"This is no {media_type}: send the file as it is, under its own type.")
