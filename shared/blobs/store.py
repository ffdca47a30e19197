"""Files in one store, each under the SHA-256 of its bytes.

The same bytes are kept once. A file is durable before put() returns, so a row that names it may commit afterwards;
bytes whose row never commits are harmless. What is read is hashed on the way: a damaged file never arrives complete.
"""

import asyncio
import ctypes
import hashlib
import os
import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from shared import clock, log
from shared.blobs.sealing import HEADER_BYTES, Keyring, Opener, Unopenable
from shared.errors import DomainError, TransientError

CHUNK_BYTES = 256 * 1024
MEMORY_MAX_BYTES = 1024 * 1024
"""What an upload may hold in memory; beyond it waits in an unnamed temporary file, which a crash takes with it."""
RETRIES_MAX, RETRY_TIMEOUT = 3, timedelta(seconds=20)

Inspect = Callable[[IO[bytes]], Awaitable[None]]
"""Looks at a whole file before it is kept; what it raises keeps the file out."""

_HASH = re.compile(r"[0-9a-f]{64}")
_log = log.get(__name__)


class BlobTooLarge(DomainError):
    """The file is larger than is taken here."""

    code = "file_too_large"
    status = 413
    title_vi = "Tệp vượt quá dung lượng cho phép"


class BlobMissing(DomainError):
    """The file is not in the store."""

    code = "file_missing"
    status = 500
    title_vi = "Không tìm thấy tệp trong kho lưu trữ"


class BlobDamaged(DomainError):
    """The file in the store no longer holds what was put there."""

    code = "file_damaged"
    status = 500
    title_vi = "Tệp trong kho lưu trữ đã bị hỏng"


class StoreAway(TransientError):
    """The store cannot be reached, is full or refuses us."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that is in the store."""

    sha256: str
    size_bytes: int


class BlobStore:
    """Files under one URL: `file:///folder`, `s3://bucket/prefix` (keys and endpoint from the AWS_* environment).

    With keys, files are sealed; their names and the files that are one stay those of the plain bytes.
    """

    def __init__(self, url: str, keys: Keyring | None = None) -> None:
        self._keys = keys or Keyring("")
        self._folder = _folder(url)
        self._store: ObjectStore = LocalStore(self._folder) if self._folder else _remote(url)

    async def put(self, chunks: AsyncIterator[bytes], *, size_max: int, inspect: Inspect | None = None) -> Blob:
        """Keep a file of at most size_max bytes and return its hash and size; when this returns it is durable.

        On a disk, bytes that are there already are not written again, unless what is there is damaged.
        Raises BlobTooLarge, StoreAway, and what `inspect` raises.
        """
        with SpooledTemporaryFile(max_size=MEMORY_MAX_BYTES) as spool:
            blob = await _spooled(chunks, spool, size_max)
            if inspect:
                spool.seek(0)
                await inspect(spool)
            if not (await self._touched(blob.sha256) and await self.verify(blob.sha256)):
                spool.seek(0)
                await self._write(blob.sha256, spool)
        if self._folder:
            await asyncio.to_thread(_make_durable, self._folder, _key(blob.sha256))
        return blob

    async def discard(self, sha256: str, *, idle: timedelta) -> bool:
        """Delete a file that nothing names any more, unless it was put within `idle`; return whether it is gone.

        On a disk that is safe beside put(): whoever puts these bytes at the same moment touches the file before it is
        set aside, and is seen, or finds none and writes it. Elsewhere the look at its age and the deletion are two
        calls. Raises StoreAway.
        """
        put_before = clock.now() - idle
        try:
            with _reaching():
                if self._folder:
                    return await asyncio.to_thread(_set_aside, self._folder / _key(sha256), put_before)
                found = await obstore.head_async(self._store, _key(sha256))
                if found["last_modified"] >= put_before:
                    return False
                await obstore.delete_async(self._store, _key(sha256))
        except BlobMissing:
            pass
        return True

    async def _touched(self, sha256: str) -> bool:
        """Mark a file as put just now; False when there is none, and where only writing it anew would mark it."""
        if self._folder is None:
            return False
        path = self._folder / _key(sha256)
        try:
            with _reaching():
                await asyncio.to_thread(os.utime, path)
        except BlobMissing:
            return False
        return True

    async def _write(self, sha256: str, plain: IO[bytes]) -> None:
        content = self._keys.seal(plain, sha256) if self._keys else plain
        with _reaching():
            await obstore.put_async(self._store, _key(sha256), content)

    async def renew(self, sha256: str) -> bool:
        """Seal a file again with the newest key, or unseal it when there is none; return whether that was needed.

        Raises BlobMissing, BlobDamaged, StoreAway.
        """
        if self._keys.is_current(await self._beginning(sha256)):
            return False
        with SpooledTemporaryFile(max_size=MEMORY_MAX_BYTES) as spool:
            async for chunk in await self.get(sha256):
                spool.write(chunk)
            spool.seek(0)
            await self._write(sha256, spool)
        if self._folder:
            await asyncio.to_thread(_make_durable, self._folder, _key(sha256))
        return True

    def shelve(self, document: bytes) -> Blob:
        """Keep a whole file, called from a worker thread; on disk it is durable only when settle() has returned.

        For many files at once: put() forces each file to the disk by itself, which costs more than the file.
        Raises StoreAway.
        """
        blob = Blob(hashlib.sha256(document).hexdigest(), len(document))
        content = b"".join(self._keys.seal(BytesIO(document), blob.sha256)) if self._keys else document
        with _reaching():
            if self._folder:
                _place(self._folder / _key(blob.sha256), content)
            else:
                obstore.put(self._store, _key(blob.sha256), content)
        return blob

    async def settle(self) -> None:
        """Make everything that was shelved durable, at once. Raises StoreAway."""
        if self._folder:
            with _reaching():
                await asyncio.to_thread(_sync_all, self._folder)

    async def get(self, sha256: str) -> AsyncIterator[bytes]:
        """Open a file and return its bytes in chunks.

        The last chunk is held back until the whole is checked. Raises BlobMissing at once; BlobDamaged at once for a
        file of one chunk, else in place of the last chunk.
        """
        chunks = self._checked(sha256)
        first = await anext(chunks)
        return _resumed(first, chunks)

    async def exists(self, sha256: str) -> bool:
        """Return whether a file is there, without reading it."""
        try:
            with _reaching():
                await obstore.head_async(self._store, _key(sha256))
        except BlobMissing:
            return False
        return True

    async def verify(self, sha256: str) -> bool:
        """Read a whole file; return whether it is there and holds what its key says."""
        try:
            async with aclosing(self._checked(sha256)) as chunks:
                async for _ in chunks:
                    pass
        except (BlobMissing, BlobDamaged):
            return False
        return True

    async def _beginning(self, sha256: str) -> bytes:
        beginning = b""
        with _reaching():
            found = await obstore.get_async(self._store, _key(sha256))
            async for chunk in found.stream(min_chunk_size=HEADER_BYTES):
                beginning += bytes(chunk)
                if len(beginning) >= HEADER_BYTES:
                    break
        return beginning[:HEADER_BYTES]

    async def _checked(self, sha256: str) -> AsyncGenerator[bytes]:
        digest, held = hashlib.sha256(), b""
        try:
            async for chunk in self._opened(sha256):
                if held and chunk:
                    yield held
                held = chunk or held
                digest.update(chunk)
        except Unopenable:
            digest = hashlib.sha256(b"damaged")
        if digest.hexdigest() != sha256:
            _log.error("blob.damaged", sha256=sha256)
            raise BlobDamaged("The archive's operators have been told.", sha256=sha256)
        yield held

    async def _opened(self, sha256: str) -> AsyncGenerator[bytes]:
        opener = Opener(self._keys, sha256)
        with _reaching():
            found = await obstore.get_async(self._store, _key(sha256))
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield opener.feed(bytes(chunk))
            yield opener.finish()


async def _resumed(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk


async def _spooled(chunks: AsyncIterator[bytes], spool: IO[bytes], size_max: int) -> Blob:
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        size += len(chunk)
        if size > size_max:
            raise BlobTooLarge(f"Send at most {size_max} bytes.", size_max=size_max)
        digest.update(chunk)
        spool.write(chunk)
    return Blob(digest.hexdigest(), size)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as problem:
        raise BlobMissing from problem
    except (BaseError, OSError) as problem:
        raise StoreAway(type(problem).__name__) from problem


def _key(sha256: str) -> str:
    if not _HASH.fullmatch(sha256):
        raise BlobMissing("No file has such a key: a SHA-256 in 64 lower-case hexadecimal digits.")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _folder(url: str) -> Path | None:
    """Return the folder of a file URL, created and durable; None when the URL is of another kind."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    folder = Path(url2pathname(parts.path))
    folder.mkdir(parents=True, exist_ok=True)
    for parent in folder.parents:
        with suppress(PermissionError):
            _sync(parent)
    return folder


def _remote(url: str) -> ObjectStore:
    """Return a store that is known to be away before its callers stop waiting."""
    return from_url(url, retry_config={"max_retries": RETRIES_MAX, "retry_timeout": RETRY_TIMEOUT})


def _place(path: Path, content: bytes) -> None:
    """Write a file under its name as a whole, unless just these bytes are there already.

    In plain calls of the system: of a hundred thousand small files, paths as objects would take the larger part.
    """
    name = str(path)
    with suppress(FileNotFoundError):
        if _holds(name, content):
            return
    # What a killed process leaves is named as obstore names its own unfinished files, which no listing shows.
    fresh = f"{name}#{os.getpid()}{threading.get_ident()}"
    try:
        _fill(fresh, content)
    except FileNotFoundError:
        for folder in (path.parent.parent, path.parent):
            with suppress(FileExistsError):
                os.mkdir(folder)  # noqa: PTH102
        _fill(fresh, content)
    os.replace(fresh, name)  # noqa: PTH105


def _holds(name: str, content: bytes) -> bool:
    handle = os.open(name, os.O_RDONLY)
    with os.fdopen(handle, "rb") as file:
        return os.fstat(handle).st_size == len(content) and file.read() == content


def _fill(name: str, content: bytes) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    with os.fdopen(handle, "wb", buffering=0) as file:
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]


def _set_aside(path: Path, put_before: datetime) -> bool:
    aside = path.with_name(f"{path.name}#aside")
    try:
        if path.stat().st_mtime >= put_before.timestamp():
            return False
        path.rename(aside)
    except FileNotFoundError:
        aside.unlink(missing_ok=True)
        return True
    if aside.stat().st_mtime >= put_before.timestamp():
        aside.rename(path)
        return False
    aside.unlink()
    return True


def _sync_all(folder: Path) -> None:
    """Force everything of the folder's file system to the disk (syncfs of Linux; all file systems elsewhere)."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(handle):
            raise OSError(ctypes.get_errno(), "syncfs")
    finally:
        os.close(handle)


def _make_durable(folder: Path, key: str) -> None:
    path = folder / key
    for one in (path, path.parent, path.parent.parent, folder):
        _sync(one)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
