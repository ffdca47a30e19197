"""Bytes to a server as they stand, and what it answers: every client library would tidy them up."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Said:
    """One answer on a connection."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        return dict(self.headers).get(name)

    @property
    def code(self) -> str:
        """The code of the problem that it is; empty when it is none."""
        is_problem = self.header("content-type") == "application/problem+json"
        return orjson.loads(self.body)["code"] if is_problem else ""


async def exchange(url: str, *parts: bytes) -> list[Said]:
    """Send bytes on a connection of their own, and return all answers up to its end, which the server decides."""
    address = urlsplit(url)
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass
        heard = await _to_the_end(reader)
        writer.close()
    return _answers(heard)


async def _to_the_end(reader: asyncio.StreamReader) -> bytes:
    heard = b""
    try:
        while part := await reader.read(65536):
            heard += part
    except ConnectionError:
        pass
    return heard


def _answers(heard: bytes) -> list[Said]:
    found = []
    while heard:
        top, _, rest = heard.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
        length = int(dict(headers).get("content-length", "0"))
        found.append(Said(int(first.split()[1]), headers, rest[:length]))
        heard = rest[length:]
    return found
