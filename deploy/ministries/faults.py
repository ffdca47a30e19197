"""How the mocked offices can be made to misbehave while they run."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

Kind = Literal["slow", "down", "500", "garbage", "truncated", "endless", "wrong_length", "huge", "late_effect"]
HUGE_BYTES = 64 * 1024 * 1024
PIECE = b"x" * 65_536


class Fault(BaseModel):
    """One order from the menu."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    service: str | None = Field(None, description="Befalls only this service (its part of the address).")
    method: str | None = Field(None, description="Befalls only calls with this method.")
    count: int | None = Field(None, ge=1, description="How often at most; null: until it is deleted.")
    delay_s: float = Field(1.0, ge=0, le=3600, description="slow, late_effect: how long.")


class Menu:
    """The orders that stand."""

    def __init__(self) -> None:
        self._standing: dict[int, tuple[Fault, int]] = {}
        self._last = 0

    def order(self, fault: Fault) -> dict[str, object]:
        """Let a fault happen from now on."""
        self._last += 1
        self._standing[self._last] = (fault, 0)
        return {"id": self._last, **fault.model_dump(), "fired": 0}

    def standing(self) -> list[dict[str, object]]:
        """Return every order with how often it fired."""
        return [{"id": one, **fault.model_dump(), "fired": fired} for one, (fault, fired) in self._standing.items()]

    def cancel(self, number: int | None = None) -> int:
        """End one fault, or all; return how many there were."""
        gone = [one for one in self._standing if number in {None, one}]
        for one in gone:
            del self._standing[one]
        return len(gone)

    def draw(self, service: str, method: str) -> Fault | None:
        """Return the fault that befalls a call, if any; every firing counts."""
        for number, (fault, fired) in self._standing.items():
            spent = fault.count is not None and fired >= fault.count
            if spent or fault.service not in {None, service} or fault.method not in {None, method}:
                continue
            self._standing[number] = (fault, fired + 1)
            return fault
        return None


def misbehaved(fault: Fault) -> Response:
    """Return what a fault makes of an answer; those that only delay it are not for here."""
    return _MADE[fault.kind]()


async def _pieces(count: int | None) -> AsyncIterator[bytes]:
    sent = 0
    while count is None or sent < count:
        yield PIECE
        sent += 1
        await asyncio.sleep(0)


class Cut(Response):
    """Promises more than it sends; the server then drops the connection."""

    def __init__(self, body: bytes, promised: int) -> None:
        super().__init__(body, media_type="application/json")
        self.promised = promised

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a part, and end."""
        del scope, receive
        headers = [(b"content-type", b"application/json"), (b"content-length", str(self.promised).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})


_MADE: Mapping[str, Callable[[], Response]] = {
    "down": lambda: Response("Service Unavailable", 503),
    "500": lambda: Response('{"loi": "NullPointerException"}', 500, media_type="application/json"),
    "garbage": lambda: Response("<html><body>Hệ thống đang bảo trì</body></html>", media_type="text/html"),
    "truncated": lambda: Cut(b'{"SoDinhDanh": "0560', 4000),
    "wrong_length": lambda: Cut(b'{"KetQua": true}', 26),
    "huge": lambda: StreamingResponse(_pieces(HUGE_BYTES // len(PIECE)), media_type="application/json"),
    "endless": lambda: StreamingResponse(_pieces(None), media_type="application/json"),
}
