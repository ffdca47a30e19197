"""Uploads in pieces: a lost line costs one piece, a changed byte costs the whole."""

import asyncio
import hashlib
import random
from typing import Any

import httpx
import pytest

from services.intake.schemas.uploads import PIECE_BYTES_MAX
from services.intake.storage import DOCUMENT_BYTES_MAX
from tests.intake.counter import DOSSIER, PDF, Counter

FILE = PDF.ljust(3_000, b".")


async def begun(counter: Counter, file: bytes = FILE, **changes: Any) -> dict[str, Any]:
    """Return an upload that was announced."""
    body = {"name": "Tờ khai.pdf", "size_bytes": len(file), "sha256": hashlib.sha256(file).hexdigest()}
    answer = await counter.post("/uploads", body | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(counter: Counter, upload_id: str, start: int, piece: bytes, **more: Any) -> httpx.Response:
    """Send a piece."""
    headers = counter.headers(**more) | {"Content-Type": "application/octet-stream"}
    return await counter.client.put(f"/uploads/{upload_id}/pieces/{start}", content=piece, headers=headers)


async def sent(counter: Counter, file: bytes = FILE, *, step: int = 1_000, **changes: Any) -> httpx.Response:
    """Send a whole file in pieces; return the last answer."""
    upload = await begun(counter, file, **changes)
    answer = None
    for start in range(0, len(file), step):
        answer = await send(counter, upload["id"], start, file[start : start + step])
    assert answer is not None
    return answer


class TestUpload:
    """Sending a file in pieces."""

    async def test_ends_with_a_document_that_a_dossier_can_name(self, counter: Counter) -> None:
        upload = (await sent(counter)).json()
        assert (upload["received_bytes"], upload["media_type"]) == (3_000, "application/pdf")
        document_id = upload["document_id"]
        file = await counter.get(f"/documents/{document_id}")
        assert file.content == FILE
        named = [{"component_code": "TP01", "document_id": document_id}, DOSSIER["documents"][1]]
        code = await counter.submitted(documents=named)
        assert (await counter.view(code))["documents"][0]["name"] == "Tờ khai.pdf"
        assert await counter.rows("SELECT start_byte FROM upload_piece") == []

    async def test_goes_on_where_the_line_was_lost(self, counter: Counter) -> None:
        upload = await begun(counter)
        await send(counter, upload["id"], 0, FILE[:1_000])
        stands = (await counter.get(f"/uploads/{upload['id']}")).json()["received_bytes"]
        assert stands == 1_000
        wrong = await send(counter, upload["id"], 2_000, FILE[2_000:])
        assert (wrong.status_code, wrong.json()["code"], wrong.json()["received_bytes"]) == (409, "wrong_offset", 1_000)
        assert (await send(counter, upload["id"], stands, FILE[stands:])).json()["document_id"]

    async def test_takes_a_piece_that_comes_again_as_one(self, counter: Counter) -> None:
        upload = await begun(counter)
        answers = await asyncio.gather(*(send(counter, upload["id"], 0, FILE[:1_000]) for _ in range(4)))
        assert {(answer.status_code, answer.json()["received_bytes"]) for answer in answers} == {(200, 1_000)}
        last = await asyncio.gather(*(send(counter, upload["id"], 1_000, FILE[1_000:]) for _ in range(4)))
        assert len({answer.json()["document_id"] for answer in last}) == 1
        assert len(await counter.rows("SELECT id FROM document")) == 1

    async def test_refuses_what_is_not_what_was_announced(self, counter: Counter) -> None:
        changed = await sent(counter, sha256="0" * 64)
        assert (changed.status_code, changed.json()["code"]) == (422, "hash_mismatch")
        longer = await sent(counter, size_bytes=2_500)
        assert (longer.status_code, longer.json()["code"]) == (413, "piece_too_large")
        assert await counter.rows("SELECT id FROM document") == []
        assert list(counter.folder.iterdir()) == []

    @pytest.mark.parametrize("step", [1_000, 3])
    async def test_tells_a_file_by_its_bytes_whatever_its_name(self, counter: Counter, step: int) -> None:
        answer = await sent(counter, b"<html></html>", step=step)
        assert answer.status_code == 415
        assert list(counter.folder.iterdir()) == []

    async def test_is_bounded(self, counter: Counter) -> None:
        body = {"name": "a.pdf", "size_bytes": DOCUMENT_BYTES_MAX + 1, "sha256": "0" * 64}
        assert (await counter.post("/uploads", body)).status_code == 422
        upload = await begun(counter, PDF.ljust(PIECE_BYTES_MAX + 1))
        answer = await send(counter, upload["id"], 0, PDF.ljust(PIECE_BYTES_MAX + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "piece_too_large")

    async def test_is_its_beginners_alone_and_needs_the_right(self, counter: Counter) -> None:
        upload = await begun(counter)
        stranger = await send(counter, upload["id"], 0, FILE, client_id="another-portal")
        assert (stranger.status_code, stranger.json()["code"]) == (404, "upload_not_found")
        assert (await send(counter, upload["id"], 0, FILE, scopes=["dossiers:read"])).status_code == 403


@pytest.mark.parametrize("seed", range(4))
async def test_a_line_that_breaks_at_any_time_costs_no_byte(counter: Counter, seed: int) -> None:
    """Answers get lost, pieces come twice and of any size: the client only ever follows received_bytes."""
    chance = random.Random(seed)
    file = PDF + chance.randbytes(5_000)
    upload = await begun(counter, file)
    while not upload["document_id"]:
        start = upload["received_bytes"]
        piece = file[start : start + chance.randrange(1, 1_500)]
        for _ in range(chance.choice([1, 1, 2])):
            await send(counter, upload["id"], start, piece)
        upload = (await counter.get(f"/uploads/{upload['id']}")).json()
    assert (await counter.get(f"/documents/{upload['document_id']}")).content == file
    assert len(await counter.rows("SELECT id FROM document")) == 1
