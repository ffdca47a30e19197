"""Files that are encrypted where they lie."""

import base64
import io
import os
from pathlib import Path

import pytest

from shared.blobs import BlobDamaged, BlobStore, Keyring
from shared.blobs.sealing import HEADER_BYTES, MAGIC, RECORD_BYTES, TAG_BYTES, Opener, Unopenable
from tests.shared.test_blobs import LARGE, SIZES, chunks, files, place, read

OLD, NEW = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
CONTENTS = [*SIZES, os.urandom(RECORD_BYTES), os.urandom(2 * RECORD_BYTES), MAGIC, MAGIC + b"and more"]


def store(folder: Path, keys: str = OLD) -> BlobStore:
    """Return a store that seals with the first of some keys."""
    return BlobStore(folder.as_uri(), Keyring(keys))


class TestSealed:
    """A file that lies encrypted."""

    @pytest.mark.parametrize("content", CONTENTS, ids=len)
    async def test_comes_back_as_it_was_and_lies_unreadable_under_its_plain_hash(
        self, tmp_path: Path, content: bytes
    ) -> None:
        sealing = store(tmp_path)
        blob = await sealing.put(chunks(content), size_max=len(LARGE))
        assert await read(sealing, blob.sha256) == content
        lying = place(tmp_path, content).read_bytes()
        assert lying.startswith(MAGIC)
        assert len(content) < 16 or content[:16] not in lying[HEADER_BYTES:]

    async def test_is_kept_once(self, tmp_path: Path) -> None:
        sealing = store(tmp_path)
        for _ in range(2):
            await sealing.put(chunks(LARGE), size_max=len(LARGE))
            before = place(tmp_path, LARGE).stat().st_mtime_ns
        assert files(tmp_path) == [place(tmp_path, LARGE)]
        assert place(tmp_path, LARGE).stat().st_mtime_ns == before

    @pytest.mark.parametrize("where", [0, len(MAGIC), HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + RECORD_BYTES, -1])
    async def test_that_was_changed_anywhere_never_comes_back(self, tmp_path: Path, where: int) -> None:
        sealing = store(tmp_path)
        blob = await sealing.put(chunks(LARGE), size_max=len(LARGE))
        lying = bytearray(place(tmp_path, LARGE).read_bytes())
        lying[where] ^= 1
        place(tmp_path, LARGE).write_bytes(lying)
        with pytest.raises(BlobDamaged):
            await read(sealing, blob.sha256)

    @pytest.mark.parametrize("kept", [HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + RECORD_BYTES + TAG_BYTES])
    async def test_that_was_cut_at_a_seam_never_comes_back(self, tmp_path: Path, kept: int) -> None:
        sealing = store(tmp_path)
        blob = await sealing.put(chunks(LARGE), size_max=len(LARGE))
        place(tmp_path, LARGE).write_bytes(place(tmp_path, LARGE).read_bytes()[:kept])
        assert not await sealing.verify(blob.sha256)

    async def test_does_not_open_under_another_files_name(self, tmp_path: Path) -> None:
        sealing = store(tmp_path)
        one, other = os.urandom(9), os.urandom(9)
        for content in (one, other):
            await sealing.put(chunks(content), size_max=9)
        place(tmp_path, one).write_bytes(place(tmp_path, other).read_bytes())
        with pytest.raises(BlobDamaged):
            await read(sealing, place(tmp_path, one).name)


@pytest.mark.parametrize("records", [0, 1, 2])
def test_a_file_cut_between_two_records_says_so_before_its_hash_does(records: int) -> None:
    keys, sha256 = Keyring(OLD), "0" * 64
    sealed = b"".join(keys.seal(io.BytesIO(bytes(3 * RECORD_BYTES)), sha256))
    opener = Opener(keys, sha256)
    opener.feed(sealed[: HEADER_BYTES + records * (RECORD_BYTES + TAG_BYTES)])
    with pytest.raises(Unopenable):
        opener.finish()


class TestRotation:
    """A new key."""

    @pytest.mark.parametrize("content", [b"", b"x", LARGE], ids=len)
    async def test_opens_what_older_ones_sealed_and_seals_it_again(self, tmp_path: Path, content: bytes) -> None:
        await BlobStore(tmp_path.as_uri()).put(chunks(content), size_max=len(LARGE))
        sha256 = place(tmp_path, content).name
        for keys in (OLD, f"{NEW},{OLD}", NEW):
            rotated = store(tmp_path, keys)
            assert await read(rotated, sha256) == content
            assert await rotated.renew(sha256) == (keys != NEW)
            assert not await rotated.renew(sha256)
        assert not await store(tmp_path, OLD).verify(sha256)
        assert await store(tmp_path, NEW).verify(sha256)

    @pytest.mark.parametrize("text", ["x", "AAAA", f"{OLD},AAAA"], ids=["no key", "too short", "one is too short"])
    def test_that_is_none_is_refused_at_the_start(self, text: str) -> None:
        with pytest.raises(ValueError, match="storage key"):
            Keyring(text)


async def test_what_is_shelved_in_bulk_is_sealed_too(tmp_path: Path) -> None:
    sealing = store(tmp_path)
    blob = sealing.shelve(LARGE)
    await sealing.settle()
    assert place(tmp_path, LARGE).read_bytes().startswith(MAGIC)
    assert await read(sealing, blob.sha256) == LARGE
