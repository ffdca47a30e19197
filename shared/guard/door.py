"""The guard before every process's routes: plain ASGI, since it sees every call."""

import re
from collections.abc import Callable, Sequence

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import log, problems
from shared.errors import DomainError
from shared.guard.admission import REFUSED, Admission, Kind
from shared.guard.bodies import Incoming, Kept
from shared.guard.heads import METHODS, check_head
from shared.guard.refusals import AddressTooLong, HeadTooLarge, MalformedRequest, Overloaded, RequestTooSlow
from shared.guard.rooms import Room
from shared.guard.shape import check_shape
from shared.settings import Limits

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UNCLEAR = (MalformedRequest, AddressTooLong, HeadTooLarge, RequestTooSlow)
"""After these nothing more is read on the connection."""
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")
_STORING = frozenset({b"cache-control", b"etag"})
_log = log.get(__name__)


class Guard:
    """Middleware outside of everything else: limits of size, shape and time, places, and headers of every answer."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        *,
        rooms: Sequence[Room] = (),
        vital: re.Pattern[str],
        patient: re.Pattern[str] | None = None,
        group_of: Callable[[str], str] = lambda _: "",
        methods_at: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        self.app, self.limits, self.rooms = app, limits, tuple(rooms)
        self._vital, self._patient, self._group_of = vital, patient, group_of
        self._methods_at = methods_at
        self.admission = Admission(limits)
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call in, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        room = self._room(scope)
        incoming = Incoming(receive, self.limits, self._bytes_max(room))
        visit = _Visit(send, incoming, personal=any(name == b"authorization" for name, _ in scope["headers"]))
        try:
            check_head(scope, self.limits)
            await self._let_in(scope, incoming, visit, room)
        except DomainError as refusal:
            # Routes answer their own refusals: what arrives here was refused by the guard, or while a body was read.
            REFUSED.labels(refusal.code).inc()
            if not visit.answered:
                response = problems.render(refusal)
                if isinstance(refusal, UNCLEAR):
                    response.headers["Connection"] = "close"
                if isinstance(refusal, problems.MethodNotAllowed):
                    response.headers["Allow"] = ", ".join(self._methods_at(scope["path"]) or sorted(METHODS))
                await response(scope, receive, visit.send)
        except ClientDisconnect:
            _log.info("http.left", method=scope["method"])

    async def _let_in(self, scope: Scope, incoming: Incoming, visit: "_Visit", room: Room | None) -> None:
        length, has_body = _announced(scope)
        incoming.announce(length)
        place = self.admission.place(self._kind(scope, room), self._group_of(scope["path"]))
        if not has_body or (room is not None and not room.whole):
            async with place:
                await self.app(scope, incoming.receive, visit.send)
            return
        # A small body is read as a whole before its call takes a place: slow senders then keep nobody waiting.
        body = await incoming.whole()
        if body is None:
            return
        if self._held_bytes + len(body) > self.limits.held_bytes_max:
            raise Overloaded("Too much is being read at the moment.", limit="held_bytes_max")
        self._held_bytes += len(body)
        try:
            check_shape(body, depth_max=self.limits.json_depth_max, items_max=self._items_max(room))
            async with place:
                await self.app(scope, Kept(body, incoming.receive).receive, visit.send)
        finally:
            self._held_bytes -= len(body)

    def _room(self, scope: Scope) -> Room | None:
        if scope["method"] not in UNSAFE:
            return None
        return next((room for room in self.rooms if room.holds(scope["method"], scope["path"])), None)

    def _bytes_max(self, room: Room | None) -> int:
        if room is None:
            return min(self.limits.json_bytes_max, self.limits.body_bytes_max)
        return room.bytes_max or self.limits.body_bytes_max

    def _items_max(self, room: Room | None) -> int:
        """Return how many members and items a body may have: a larger one has more, in proportion."""
        larger = self._bytes_max(room) / self.limits.json_bytes_max
        return int(self.limits.json_items_max * max(1.0, larger))

    def _kind(self, scope: Scope, room: Room | None) -> Kind:
        if self._vital.match(scope["path"]):
            return Kind.VITAL
        if room is not None and room.file:
            return Kind.FILE
        if self._patient and self._patient.match(f"{scope['path']}?{scope['query_string'].decode('latin-1')}"):
            return Kind.PATIENT
        return Kind.CHANGE if scope["method"] in UNSAFE else Kind.READ


def _announced(scope: Scope) -> tuple[bytes, bool]:
    """Return the length that a body says it has, and whether there is one at all (RFC 9112 §6.3)."""
    length, has_body = b"", False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length, has_body = value, value != b"0"
        elif name == b"transfer-encoding":
            has_body = True
    return length, has_body


class _Visit:
    """One answer on its way out."""

    def __init__(self, send: Send, incoming: Incoming, *, personal: bool) -> None:
        self._send, self._incoming, self._personal = send, incoming, personal
        self.answered = False

    async def send(self, message: Message) -> None:
        """Send a part of an answer; nothing of it is guessed at, and nothing personal is kept on its way."""
        if message["type"] == "http.response.start":
            self.answered = True
            headers = list(message.get("headers", ()))
            names = {name.lower() for name, _ in headers}
            if _NOSNIFF[0] not in names:
                headers.append(_NOSNIFF)
            if self._personal and names.isdisjoint(_STORING):
                headers.append(_NO_STORE)
            message = {**message, "headers": headers}
        await self._send(message)
