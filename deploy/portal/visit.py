"""One visit: a call from its arrival to its answer, with the faults that befall it on the way."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from deploy.portal.exchange import Call, record_call
from deploy.portal.faults import Fault
from deploy.portal.ledger import next_seq, stamp
from deploy.portal.parts import Portal

SPOILING = frozenset({"error_500", "error_code", "garbage_200", "down", "refuse"})
GARBAGE = (
    Response("<html><body>Hệ thống đang bảo trì</body></html>", media_type="text/html"),
    Response(b'{"error_code": 0, "message": "th\xc3\xa0nh', media_type="application/json"),
    Response(b"", media_type="application/json"),
    Response(b"[]", media_type="application/json"),
    Response(b"{}", media_type="application/json"),
    Response(b'{"error_code": 0, "result": null}', media_type="application/json"),
)


class Hangup(Response):
    """No answer: the connection closes instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a byte and end without it; the server then drops the connection."""
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


@dataclass(frozen=True, slots=True)
class Visit:
    """Who called for what; the faults were drawn when it was understood."""

    request: Request
    portal: Portal
    service: str
    fired: Sequence[Fault]
    unit: str = ""
    is_updating: str | None = None

    @property
    def fault(self) -> str | None:
        """Return the kinds of the faults that fired, None if it is an honest visit."""
        return ",".join(fault.kind for fault in self.fired) or None

    def befallen_by(self, kind: str) -> Fault | None:
        """Return the first fault of a kind that fired."""
        return next((fault for fault in self.fired if fault.kind == kind), None)

    def call(self, db: sqlite3.Connection) -> Call:
        """Give the visit its place in the record; inside the transaction that serves it."""
        return Call(next_seq(db), self.service, self.unit, stamp(), self.is_updating, self.fault)


async def serve(visit: Visit, work: Callable[[], Awaitable[Response]], busy: Callable[[], Response]) -> Response:
    """Return the visit's answer: that of its work, or what a fault makes of it.

    `busy` says in the words of the wire that the call was not carried out.
    """
    for fault in visit.fired:
        if fault.kind == "delay":
            await asyncio.sleep(fault.delay_s)
    # Who has hung up and told it again elsewhere must not be overtaken by the first telling.
    if visit.befallen_by("delay") and await visit.request.is_disconnected():
        await _record(visit, "gone")
        return Hangup()
    if spoiler := next((fault for fault in visit.fired if fault.kind in SPOILING), None):
        await _record(visit, "fault")
        return _spoilt(spoiler, busy)
    response = await work()
    if held := visit.befallen_by("timeout_after_effect"):
        await asyncio.sleep(held.delay_s)
        return Hangup()
    return response


def _spoilt(fault: Fault, busy: Callable[[], Response]) -> Response:
    if fault.kind == "error_500":
        return Response("Internal Server Error", 500, media_type="text/plain")
    if fault.kind == "garbage_200":
        return GARBAGE[fault.fired % len(GARBAGE)]
    if fault.kind == "down":
        # A house that is down shows itself in two ways, in turn.
        return Response("Service Unavailable", 503, media_type="text/plain") if fault.fired % 2 else Hangup()
    return busy()


async def _record(visit: Visit, outcome: str) -> None:
    await visit.portal.ledger.run(lambda db: record_call(db, visit.call(db), outcome, "", ""))


async def read_object(request: Request) -> dict[str, object] | None:
    """Return the JSON object in a request's body, None if there is no such thing."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None
