"""A request's body on its way in: so large, and not so slow."""

import asyncio

from starlette.types import Message, Receive

from shared import clock
from shared.guard.refusals import BodyTooLarge, RequestTooSlow
from shared.settings import Limits


class Incoming:
    """Reads a body within its limits.

    Only time spent waiting for the sender counts: whoever keeps what has come may take as long as that takes.
    """

    def __init__(self, receive: Receive, limits: Limits, bytes_max: int) -> None:
        self._receive, self._limits, self._bytes_max = receive, limits, bytes_max
        self._waited_s = 0.0
        self.size = 0
        self.complete = False

    def announce(self, length: bytes) -> None:
        """Refuse a body that says beforehand that it is too large. Raises BodyTooLarge."""
        if length.isdigit() and int(length) > self._bytes_max:
            raise self._too_large()

    async def receive(self) -> Message:
        """Return the next part, or that the sender has left. Raises BodyTooLarge, RequestTooSlow."""
        if self.complete:
            return await self._receive()
        message = await self._in_time()
        self.size += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self.size > self._bytes_max:
            raise self._too_large()
        return message

    async def whole(self) -> bytes | None:
        """Return the whole body; None when the sender left before its end. Raises as `receive` does."""
        parts: list[bytes] = []
        while not self.complete:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
        return b"".join(parts)

    async def _in_time(self) -> Message:
        limits = self._limits
        left = limits.body_grace_s + self.size / limits.bytes_per_s_min - self._waited_s
        began = clock.monotonic()
        try:
            async with asyncio.timeout(max(left, 0)):
                return await self._receive()
        except TimeoutError as problem:
            raise RequestTooSlow(
                f"Send a body within {limits.body_grace_s:g} s and a second for every {limits.bytes_per_s_min} bytes.",
                limit="bytes_per_s_min",
            ) from problem
        finally:
            self._waited_s += clock.monotonic() - began

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"At most {self._bytes_max} bytes.", most=self._bytes_max)


class Kept:
    """A body that has come already, for whoever reads it later."""

    def __init__(self, body: bytes, then: Receive) -> None:
        self._body: bytes | None = body
        self._then = then

    async def receive(self) -> Message:
        """Return the body once, and afterwards what comes after it."""
        if self._body is None:
            return await self._then()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
