"""Files kept by the hash of what they hold."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.blobs import CHUNK_BYTES, MEMORY_MAX_BYTES, Blob, BlobDamaged, BlobMissing, BlobStore, BlobTooLarge

LARGE = os.urandom(MEMORY_MAX_BYTES + 3 * CHUNK_BYTES + 1)
SIZES = [b"", b"x", os.urandom(CHUNK_BYTES), os.urandom(CHUNK_BYTES + 1), LARGE]


async def chunks(content: bytes, size: int = 60_000) -> AsyncIterator[bytes]:
    """Yield bytes as a connection would bring them."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
        await asyncio.sleep(0)


async def read(store: BlobStore, sha256: str, received: bytearray | None = None) -> bytes:
    """Return a whole file; what came before a failure is in `received`."""
    received = bytearray() if received is None else received
    async for chunk in await store.get(sha256):
        received += chunk
    return bytes(received)


def place(folder: Path, content: bytes) -> Path:
    """Return where a local store keeps some bytes."""
    sha256 = hashlib.sha256(content).hexdigest()
    return folder / sha256[:2] / sha256[2:4] / sha256


def files(folder: Path) -> list[Path]:
    """Return every file there is."""
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "files and more").as_uri())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files and more"


class TestPut:
    """Keeping a file."""

    @pytest.mark.parametrize("content", SIZES, ids=len)
    @pytest.mark.parametrize("url", ["file", "memory:///"])
    async def test_gives_back_what_came(self, tmp_path: Path, url: str, content: bytes) -> None:
        store = BlobStore(url if url != "file" else tmp_path.as_uri())
        blob = await store.put(chunks(content), size_max=len(LARGE))
        assert blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
        assert await read(store, blob.sha256) == content
        assert await store.exists(blob.sha256)
        assert await store.verify(blob.sha256)

    async def test_writes_the_same_bytes_once(self, store: BlobStore, folder: Path) -> None:
        await store.put(chunks(LARGE), size_max=len(LARGE))
        before = place(folder, LARGE).stat()
        await store.put(chunks(LARGE), size_max=len(LARGE))
        after = place(folder, LARGE).stat()
        assert before.st_ino == after.st_ino
        assert before.st_mtime_ns < after.st_mtime_ns, "whoever sweeps must see that it was put again"

    async def test_of_the_same_bytes_at_once_leaves_one_file(self, store: BlobStore, folder: Path) -> None:
        puts = (store.put(chunks(LARGE, size), size_max=len(LARGE)) for size in range(40_000, 60_000, 1_000))
        assert len(set(await asyncio.gather(*puts))) == 1
        assert files(folder) == [place(folder, LARGE)]
        assert place(folder, LARGE).read_bytes() == LARGE

    async def test_refuses_what_is_too_large_and_keeps_nothing(self, store: BlobStore, folder: Path) -> None:
        assert (await store.put(chunks(b"12345"), size_max=5)).size_bytes == 5
        with pytest.raises(BlobTooLarge):
            await store.put(chunks(b"123456"), size_max=5)
        assert files(folder) == [place(folder, b"12345")]

    async def test_that_breaks_off_keeps_nothing(self, store: BlobStore, folder: Path) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield LARGE
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            await store.put(broken(), size_max=len(LARGE))
        assert files(folder) == []

    async def test_is_durable_when_it_returns(
        self, store: BlobStore, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file and every folder down to it are forced to the disk, also when the bytes were there already."""
        synced: list[Path] = []
        sync = os.fsync
        monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(Path(f"/proc/self/fd/{fd}").readlink()), sync(fd)))
        path = place(folder, LARGE)
        for _ in range(2):
            synced.clear()
            await store.put(chunks(LARGE), size_max=len(LARGE))
            assert set(synced) == {path, path.parent, path.parent.parent, folder}

    async def test_heals_a_damaged_file(self, store: BlobStore, folder: Path) -> None:
        blob = await store.put(chunks(LARGE), size_max=len(LARGE))
        place(folder, LARGE).write_bytes(LARGE[:-1])
        assert not await store.verify(blob.sha256)
        await store.put(chunks(LARGE), size_max=len(LARGE))
        assert await read(store, blob.sha256) == LARGE


class TestGet:
    """Reading a file."""

    @pytest.mark.parametrize("content", SIZES[1:], ids=len)
    @pytest.mark.parametrize("where", [0, -1])
    async def test_never_gives_a_damaged_file_completely(
        self, store: BlobStore, folder: Path, content: bytes, where: int
    ) -> None:
        blob = await store.put(chunks(content), size_max=len(LARGE))
        flipped = bytearray(content)
        flipped[where] ^= 1
        place(folder, content).write_bytes(flipped)
        received = bytearray()
        with pytest.raises(BlobDamaged):
            await read(store, blob.sha256, received)
        assert len(received) < len(content)
        assert not await store.verify(blob.sha256)
        assert await store.exists(blob.sha256)

    @pytest.mark.parametrize("sha256", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63])
    async def test_of_what_is_not_there_says_so(self, store: BlobStore, sha256: str) -> None:
        with pytest.raises(BlobMissing):
            await store.get(sha256)
        assert not await store.verify(sha256)
        assert not await store.exists(sha256)

    async def test_may_be_left_early(self, store: BlobStore) -> None:
        blob = await store.put(chunks(LARGE), size_max=len(LARGE))
        async for chunk in await store.get(blob.sha256):
            assert LARGE.startswith(chunk)
            break


class TestShelve:
    """Keeping many files and making them durable together."""

    @pytest.mark.parametrize("content", SIZES, ids=len)
    async def test_keeps_what_put_would_keep(self, store: BlobStore, folder: Path, content: bytes) -> None:
        blob = await asyncio.to_thread(store.shelve, content)
        await store.settle()
        assert blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
        assert await read(store, blob.sha256) == content
        assert await store.put(chunks(content), size_max=len(LARGE)) == blob
        assert files(folder) == [place(folder, content)]

    async def test_mends_what_a_crash_left_incomplete(self, store: BlobStore, folder: Path) -> None:
        store.shelve(LARGE)
        place(folder, LARGE).write_bytes(LARGE[:-1])
        store.shelve(LARGE)
        assert place(folder, LARGE).read_bytes() == LARGE

    async def test_of_the_same_bytes_may_happen_at_once(self, store: BlobStore, folder: Path) -> None:
        await asyncio.gather(*(asyncio.to_thread(store.shelve, LARGE) for _ in range(20)))
        assert files(folder) == [place(folder, LARGE)]
        assert place(folder, LARGE).read_bytes() == LARGE
