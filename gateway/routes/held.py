"""An answer held back until its entry in the transaction log is durable: small ones in memory, others on disk."""

import hashlib
from tempfile import TemporaryFile
from typing import IO, Self

from starlette.types import Message, Send

MEMORY_BYTES = 1024 * 1024
"""What is longer is kept in a file without a name, which is gone when the answer is sent."""
PIECE_BYTES = 64 * 1024


class Held:
    """The messages of one answer, in order, and the SHA-256 of its body.

    Whoever sends bounds the length; memory stays flat whatever it is. To be closed: `with`.
    """

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def keep(self, message: Message) -> None:
        """Hold a message back. Raises OSError when the disk is full."""
        body = message.get("body", b"")
        self._digest.update(body)
        self._bytes += len(body)
        if self._file is None and self._bytes <= MEMORY_BYTES:
            self._messages.append(message)
        elif self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed when the answer is
            for earlier in self._messages:
                self._file.write(earlier.get("body", b""))
            self._file.write(body)
            # Only what begins the answer is a message of its own; its body is read from the file.
            self._messages = [earlier for earlier in self._messages if earlier["type"] != "http.response.body"]
        elif body:
            self._file.write(body)

    def digest(self) -> bytes:
        """Return the SHA-256 of the body so far."""
        return self._digest.digest()

    async def release(self, send: Send) -> None:
        """Send everything."""
        for message in self._messages:
            await send(message)
        if self._file is None:
            return
        self._file.seek(0)
        while piece := self._file.read(PIECE_BYTES):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
