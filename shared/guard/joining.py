"""An answer's head and the beginning of its body, in one write to the network instead of two."""

import asyncio
from typing import Any

_FINAL = (b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4", b"HTTP/1.1 5")
"""How a final answer's head begins; what goes before one (100 Continue) is sent at once."""


class Joining:
    """A connection's transport as one answer uses it.

    uvicorn writes the head by itself, and uvloop gives every write to the network at once. Here the head waits for
    the body that follows in the same breath; where none does, it goes with the loop's next turn.
    """

    __slots__ = ("_begun", "_head", "_later", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._begun = False
        self._head = b""
        self._later: asyncio.Handle | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the transport's
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send a piece of the answer; its head with the piece after it."""
        if self._later is not None:
            head = self._taken()
            self._transport.writelines([head, data] if data else [head])
            return
        if not self._begun and data.startswith(_FINAL):
            self._begun = True
            self._head = data
            self._later = self._loop.call_soon(self.flush)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Send a head that nothing has followed so far."""
        if self._later is not None:
            head = self._taken()
            if not self._transport.is_closing():
                self._transport.write(head)

    def close(self) -> None:
        """Close the connection when everything is sent."""
        self.flush()
        self._transport.close()

    def _taken(self) -> bytes:
        head, self._head = self._head, b""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        return head
