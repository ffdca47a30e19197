"""Results over HTTP."""

import asyncio
import hashlib
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from deploy.local.papers import pdf
from shared.ids import new_id
from tests.results.desk import CODE, PDF, SOMEBODY_WAITS, Desk, accepted

LARGE = pdf(["result" * 340_000])
_LOCK_CASE = text("SELECT 1 FROM case_slice WHERE dossier_code = :code FOR UPDATE")


def problem(answer: Any) -> tuple[int, str]:
    """Return status and code of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


class TestUpload:
    """A document sent as a draft."""

    async def test_is_kept_and_told(self, desk: Desk) -> None:
        await desk.hear(accepted())
        answer = await desk.upload()
        sha256 = hashlib.sha256(PDF).hexdigest()
        draft = answer.json()
        assert (answer.status_code, draft["status"], draft["sha256"]) == (201, "draft", sha256)
        assert (draft["size_bytes"], draft["agency_code"], draft["number"]) == (len(PDF), "H32.14", None)
        assert desk.file(sha256).read_bytes() == PDF
        assert [(told["type"], told["subject"]) for told in await desk.outbox()] == [
            ("results.result.drafted.v1", CODE)
        ]

    async def test_is_kept_once_however_often_it_comes(self, desk: Desk) -> None:
        await desk.hear(accepted())
        document = pdf([str(new_id())])
        first, second = await desk.drafted(document), await desk.drafted(document)
        kept = desk.file(hashlib.sha256(document).hexdigest())
        assert first != second
        assert [path.name for path in kept.parent.iterdir()] == [kept.name]

    async def test_may_come_fifty_times_at_once(self, desk: Desk) -> None:
        """The same key fifty times is one draft and fifty equal answers, and one file."""
        await desk.hear(accepted())
        key = str(new_id())

        async def patient() -> httpx.Response:
            # There are not fifty places for files at a time: who finds none comes again, with the same key.
            while (answer := await desk.upload(LARGE, key=key)).status_code == 503:
                await asyncio.sleep(0.05)
            return answer

        answers = await asyncio.gather(*(patient() for _ in range(50)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert len(await desk.rows("SELECT id FROM result")) == 1
        assert desk.file(answers[0].json()["sha256"]).read_bytes() == LARGE

    async def test_with_a_used_key_and_other_bytes_is_refused(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.drafted(key="k-1")
        assert problem(await desk.upload(pdf(["another"]), key="k-1")) == (409, "idempotency_key_reused")

    async def test_that_differs_from_its_announced_hash_is_refused(self, desk: Desk) -> None:
        await desk.hear(accepted())
        announced = {"sha256": hashlib.sha256(b"other").hexdigest()}
        assert problem(await desk.upload(query=announced)) == (422, "hash_mismatch")
        announced = {"sha256": hashlib.sha256(PDF).hexdigest()}
        assert (await desk.upload(query=announced)).status_code == 201

    @pytest.mark.parametrize(
        ("document", "media_type", "expected"),
        [
            (PDF, "text/html", (415, "document_type_refused")),
            (b"<html>", "application/pdf", (422, "document_mismatch")),
            (b"", "application/pdf", (422, "document_mismatch")),
            (b"%PD", "application/pdf", (422, "document_mismatch")),
            (PDF, "image/png", (422, "document_mismatch")),
            (b"%PDF-" + bytes(4_000_000), "application/pdf", (413, "file_too_large")),
        ],
    )
    async def test_of_a_wrong_kind_or_size_is_refused(
        self, desk: Desk, document: bytes, media_type: str, expected: tuple[int, str]
    ) -> None:
        await desk.hear(accepted())
        assert problem(await desk.upload(document, media_type=media_type)) == expected
        assert not await desk.rows("SELECT id FROM result")
        assert not desk.file(hashlib.sha256(document).hexdigest()).exists()

    async def test_without_right_or_key_stores_nothing(self, desk: Desk) -> None:
        await desk.hear(accepted())
        document = pdf([str(new_id())])
        kept = desk.file(hashlib.sha256(document).hexdigest())
        assert problem(await desk.upload(document, scopes=["results:read"])) == (403, "forbidden")
        query = {"dossier_code": CODE, "kind_code": "KQ", "kind_name": "x"}
        without_key = desk.headers() | {"Content-Type": "application/pdf"}
        del without_key["Idempotency-Key"]
        answer = await desk.client.post("/results", params=query, content=document, headers=without_key)
        assert problem(answer) == (400, "idempotency_key_missing")
        answer = await desk.client.post("/results", params=query, content=document)
        assert problem(answer) == (401, "unauthenticated")
        assert not kept.exists()

    async def test_that_dies_before_the_commit_leaves_no_row_and_can_be_repeated(self, desk: Desk) -> None:
        """The file is there, the row is not: the bytes are harmless, the key is free."""
        await desk.hear(accepted())
        document = pdf([str(new_id())])
        kept = desk.file(hashlib.sha256(document).hexdigest())
        async with desk.database.session() as holder:
            await holder.execute(_LOCK_CASE, {"code": CODE})
            dying = asyncio.create_task(desk.upload(document, key="k-2"))
            async with asyncio.timeout(10):
                while not (kept.exists() and await desk.rows(SOMEBODY_WAITS)):
                    await asyncio.sleep(0.01)
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
        assert not await desk.rows("SELECT id FROM result")
        assert not await desk.rows("SELECT key FROM idempotency_key")
        assert (await desk.upload(document, key="k-2")).status_code == 201
