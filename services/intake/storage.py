"""Where uploaded documents lie: recognised by their first bytes, then kept under their SHA-256."""

from collections.abc import AsyncIterator
from datetime import timedelta

from services.intake.errors import DocumentTypeRefused
from shared.blobs import Blob, BlobStore

DOCUMENT_BYTES_MAX = 20 * 1024 * 1024
SIGNATURES = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
"""How a file of each type that is taken begins (ISO 32000-2 §7.5.2, ISO 10918-1 B.1, ISO 15948 §5.2)."""
SIGNATURE_BYTES_MAX = max(map(len, SIGNATURES.values()))


IDLE = timedelta(days=1)
"""Longer than any upload lasts: a file that was put since then is somebody's."""


class Documents:
    """The files of dossiers, in one store."""

    def __init__(self, url: str) -> None:
        self._blobs = BlobStore(url)

    async def keep(self, chunks: AsyncIterator[bytes], media_type: str) -> Blob:
        """Keep a file as it arrives; when this returns it is durable. A type that is refused stores nothing.

        Raises DocumentTypeRefused, BlobTooLarge, StoreAway.
        """
        if media_type not in SIGNATURES:
            raise DocumentTypeRefused(f"Send one of: {', '.join(SIGNATURES)}.", accepted=list(SIGNATURES))
        return await self._blobs.put(_recognised(chunks, media_type), size_max=DOCUMENT_BYTES_MAX)

    async def keep_recognised(self, chunks: AsyncIterator[bytes]) -> tuple[Blob, str]:
        """Keep a file whose type only its bytes tell; return it with that type.

        Raises DocumentTypeRefused, BlobTooLarge, StoreAway.
        """
        beginning = await anext(chunks, b"")
        media_type = media_type_of(beginning)
        return await self._blobs.put(_resumed(beginning, chunks), size_max=DOCUMENT_BYTES_MAX), media_type

    async def discard(self, sha256: str) -> bool:
        """Delete a file that nothing names any more, unless it was put within a day. Raises StoreAway."""
        return await self._blobs.discard(sha256, idle=IDLE)

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """Return a file's bytes, checked on the way. Raises BlobMissing, BlobDamaged, StoreAway."""
        return await self._blobs.get(sha256)


def media_type_of(beginning: bytes) -> str:
    """Return the type that a file's first bytes show, whatever it is called. Raises DocumentTypeRefused."""
    for media_type, signature in SIGNATURES.items():
        if beginning.startswith(signature):
            return media_type
    raise DocumentTypeRefused("This file is none of them, whatever its name says.", accepted=list(SIGNATURES))


async def _resumed(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _recognised(chunks: AsyncIterator[bytes], media_type: str) -> AsyncIterator[bytes]:
    """Pass a file on once its beginning is seen to be of its type."""
    beginning = b""
    async for chunk in chunks:
        beginning += chunk
        if len(beginning) >= SIGNATURE_BYTES_MAX:
            break
    if not beginning.startswith(SIGNATURES[media_type]):
        raise DocumentTypeRefused(f"This is no {media_type}: send the file as it is, under its own type.")
    yield beginning
    async for chunk in chunks:
        yield chunk
