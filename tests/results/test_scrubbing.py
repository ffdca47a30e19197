"""The archive reads itself: every file, on from where it stood, and says what is missing or damaged."""

import asyncio
import base64
import hashlib
import os

from deploy.local.papers import pdf
from services.results import operations
from services.results.storage import Archive
from services.results.storage.scrubbing import FINDINGS, Scrubber
from shared import clock
from shared.blobs import Keyring
from shared.blobs.sealing import MAGIC
from shared.caller import service_caller
from shared.work import open_work
from tests.results.desk import Desk, accepted


def scrubber(desk: Desk) -> Scrubber:
    return Scrubber(desk.database, desk.app.state.archive, bytes_per_s=0)


async def drafts(desk: Desk, count: int) -> list[str]:
    """Draft so many different results; return the hashes of their documents, in order."""
    await desk.hear(accepted())
    documents = [pdf([f"result {number}"]) for number in range(count)]
    for document in documents:
        await desk.drafted(document)
    return sorted(hashlib.sha256(document).hexdigest() for document in documents)


class TestRound:
    """One reading of every file."""

    async def test_finds_a_flipped_bit_and_a_missing_file_and_sees_them_mended(self, desk: Desk) -> None:
        first, second, third = await drafts(desk, 3)
        whole = desk.file(second).read_bytes()
        desk.file(first).unlink()
        desk.file(second).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        last = await scrubber(desk).run_once()
        assert last is not None
        assert (last.files, last.found, last.ended_at is not None) == (3, 2, True)
        told = (await desk.get("/ops/archive", scopes=["ops:read"])).json()
        assert [(one["sha256"], one["problem"]) for one in told["findings"]] == [
            (first, "missing"),
            (second, "damaged"),
        ]
        assert third not in str(told)
        assert FINDINGS.labels("damaged")._value.get() == 1
        desk.file(second).write_bytes(whole)
        await scrubber(desk).run_once()
        told = (await desk.get("/ops/archive", scopes=["ops:read"])).json()
        assert [one["sha256"] for one in told["findings"]] == [first]

    async def test_goes_on_where_a_killed_one_stood(self, desk: Desk) -> None:
        hashes = await drafts(desk, 5)
        async with open_work(desk.database, service_caller("results")) as work:
            begun = await operations.begin_round(work, not_before=None)
        assert begun is not None
        async with open_work(desk.database, service_caller("results")) as work:
            kept = await operations.keep_progress(
                work, started_at=begun.started_at, position="", following=hashes[1], whole={hashes[0]: 1}, bad={}
            )
        assert kept
        for sha256 in hashes[:2]:
            desk.file(sha256).unlink()
        last = await scrubber(desk).run_once()
        assert last is not None
        assert (last.started_at, last.files, last.found) == (begun.started_at, 4, 0)

    async def test_of_two_processes_counts_no_file_twice(self, desk: Desk) -> None:
        await drafts(desk, 3)
        await asyncio.gather(scrubber(desk).run_once(), scrubber(desk).run_once())
        (row,) = await desk.rows("SELECT sum(files) AS files, count(*) AS rounds FROM scrub_round")
        assert row["files"] == 3 * row["rounds"]

    async def test_comes_again_only_after_its_time(self, desk: Desk) -> None:
        await drafts(desk, 1)
        began = clock.now()
        assert await scrubber(desk).run_once(began) is not None
        assert await scrubber(desk).run_once(began) is None

    async def test_seals_again_what_lies_under_an_older_key(self, desk: Desk) -> None:
        (sha256,) = await drafts(desk, 1)
        keys = Keyring(base64.b64encode(os.urandom(32)).decode())
        archive = Archive(desk.folder.as_uri(), document_bytes_max=10**6, keys=keys)
        await Scrubber(desk.database, archive, bytes_per_s=0).run_once()
        assert desk.file(sha256).read_bytes().startswith(MAGIC)
        assert await archive.blobs.verify(sha256)


async def test_the_rate_is_bounded(desk: Desk) -> None:
    """Each handful of files takes as long as its bytes at the rate that is set."""
    hashes = await drafts(desk, 2)
    size = sum(desk.file(one).stat().st_size for one in hashes)
    began = clock.monotonic()
    await Scrubber(desk.database, desk.app.state.archive, bytes_per_s=size * 2).run_once()
    assert clock.monotonic() - began >= 0.45
