"""A door in front of a server: TCP through it can be cut, refused, frozen and let flow again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

READ_BYTES = 65_536


class Gate:
    """Passes bytes on between whoever connects and the server behind."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._behind = (parts.hostname or "", parts.port or 0)
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self._calling = _open_door()
        self._answering = _open_door()
        self._port = 0
        self._parts = parts
        self.held = bytearray()
        """What was called while frozen and has not been passed on."""

    @property
    def url(self) -> str:
        """The server's address through the door."""
        login, at, _ = self._parts.netloc.rpartition("@")
        return self._parts._replace(netloc=f"{login}{at}127.0.0.1:{self._port}").geturl()

    async def open(self) -> None:
        """Let connections in, always on the same port."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def shut(self) -> None:
        """Cut every connection and refuse new ones, as a server that died does."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for pump in self._pumps:
            pump.cancel()

    def freeze(self) -> None:
        """Pass nothing on any more, without a word, as a stopped server does."""
        self._calling.clear()
        self._answering.clear()

    def mute(self) -> None:
        """Let the server hear what is said, and hold its answers back."""
        self._answering.clear()

    def thaw(self) -> None:
        """Pass on again, what was held back first."""
        self.held.clear()
        self._calling.set()
        self._answering.set()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(*self._behind)
        ways = (
            (reader, behind_writer, self._calling, self.held),
            (behind_reader, writer, self._answering, bytearray()),
        )
        for source, sink, flowing, held in ways:
            pump = asyncio.create_task(_pump(source, sink, flowing, held))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)


def _open_door() -> asyncio.Event:
    flowing = asyncio.Event()
    flowing.set()
    return flowing


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, flowing: asyncio.Event, held: bytearray
) -> None:
    try:
        while data := await source.read(READ_BYTES):
            if not flowing.is_set():
                held += data
            await flowing.wait()
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.transport.abort()


@asynccontextmanager
async def gate_before(url: str) -> AsyncIterator[Gate]:
    """Stand an open gate before a server."""
    gate = Gate(url)
    await gate.open()
    try:
        yield gate
    finally:
        gate.shut()
