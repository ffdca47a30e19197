"""Where documents lie: checked for what they claim to be, then kept under their SHA-256."""

from collections.abc import AsyncIterator

from services.results.errors import DocumentMismatch, DocumentTypeRefused
from shared.blobs import Blob, BlobStore

SIGNATURES = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
"""How a file of each type that is taken begins (ISO 32000-2 §7.5.2, ISO 10918-1 B.1, ISO 15948 §5.2)."""
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
_SIGNATURE_BYTES_MAX = max(len(signature) for signature in SIGNATURES.values())


class Archive:
    """The documents of results, in one store."""

    def __init__(self, url: str, *, document_bytes_max: int) -> None:
        self._blobs = BlobStore(url)
        self._bytes_max = document_bytes_max

    async def keep(self, chunks: AsyncIterator[bytes], media_type: str) -> Blob:
        """Keep a document as it arrives; when this returns it is durable.

        Raises DocumentTypeRefused, DocumentMismatch, BlobTooLarge, StoreAway.
        """
        if media_type not in SIGNATURES:
            raise DocumentTypeRefused(f"Send one of: {', '.join(SIGNATURES)}.", accepted=list(SIGNATURES))
        return await self._blobs.put(_recognised(chunks, media_type), size_max=self._bytes_max)

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """Return a document's bytes, checked on the way. Raises BlobMissing, BlobDamaged, StoreAway."""
        return await self._blobs.get(sha256)


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
