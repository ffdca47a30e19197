"""Documents on their way into the archive."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.results.errors import DocumentMismatch
from services.results.states import SignaturePolicy
from services.results.storage import SIGNATURES, Archive
from shared.blobs import BlobTooLarge
from tests.results.desk import CODE, PDF, Desk, accepted

VALIDATED = SignaturePolicy.VALIDATED


async def drops(document: bytes) -> AsyncIterator[bytes]:
    """Yield a document byte by byte, as the slowest connection would bring it."""
    for byte in document:
        yield bytes([byte])


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path.as_uri(), document_bytes_max=len(PDF) + 10)


class TestKeep:
    """Keeping a document."""

    @pytest.mark.parametrize("media_type", list(SIGNATURES))
    async def test_knows_a_type_however_its_bytes_arrive(self, archive: Archive, media_type: str) -> None:
        whole = PDF if media_type == "application/pdf" else SIGNATURES[media_type] + b"and more of it"
        kept = (await archive.keep(drops(whole), media_type, VALIDATED)).blob
        assert b"".join([chunk async for chunk in await archive.read(kept.sha256)]) == whole
        with pytest.raises(DocumentMismatch):
            await archive.keep(drops(whole[1:]), media_type, VALIDATED)

    async def test_takes_the_largest_and_no_larger(self, archive: Archive) -> None:
        most = len(PDF) + 10
        assert (await archive.keep(drops(PDF.ljust(most)), "application/pdf", VALIDATED)).blob.size_bytes == most
        with pytest.raises(BlobTooLarge):
            await archive.keep(drops(PDF.ljust(most + 1)), "application/pdf", VALIDATED)


async def test_a_connection_that_ends_early_leaves_nothing(desk: Desk) -> None:
    await desk.hear(accepted())
    arriving: list[dict[str, Any]] = [
        {"type": "http.request", "body": PDF, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return arriving.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = desk.headers() | {"Content-Type": "application/pdf"}
    await desk.app(
        {
            "type": "http",
            "method": "POST",
            "path": "/results",
            "query_string": f"dossier_code={CODE}&kind_code=KQ&kind_name=x".encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        },
        receive,
        send,
    )
    assert orjson.loads(sent[1]["body"])["code"] == "upload_incomplete"
    assert list(desk.folder.iterdir()) == []
    assert await desk.rows("SELECT id FROM result") == []
