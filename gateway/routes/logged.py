"""Every call through the door goes into the transaction log; a change is answered only when its entry is durable."""

import hashlib
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import EvidenceMissing
from gateway.operations.evidence import Call, Evidence, EvidenceAway
from shared import clock, log, problems
from shared.http import SAFE_METHODS
from shared.telemetry import current_traceparent

LOGGED = ("/api/v1/", "/oauth/")
ANONYMOUS = "anonymous"
OWN_SERVICE = "gateway"
_DOSSIER = re.compile(r"(?:\d{3}\.\d{2}\.\d{2}\.)?[HG]\d{2}(?:\.\d{1,3}){0,3}-\d{6}-\d{4,7}")


class Logged:
    """Middleware around the gateway's routes.

    A route says which service it passed a call to in `request.state.service`; who called is in `request.state.caller`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on and log it."""
        if scope["type"] != "http" or not scope["path"].startswith(LOGGED):
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, receive, send)
        try:
            await self.app(scope, visit.receive, visit.send)
        except Exception:
            visit.status = problems.InternalError.status
            visit.evidence.note(visit.call())
            raise
        await visit.end()


class _Visit:
    """One call on its way: what came in and went out is counted; the answer to a change is held back."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.evidence: Evidence = scope["app"].state.evidence
        self.changes = scope["method"] not in SAFE_METHODS
        self.at, self._started = clock.now(), clock.monotonic()
        self.status = 0
        self._location = ""
        self._bytes_in = self._bytes_out = 0
        self._held: list[Message] = []
        self._digest_in = hashlib.sha256() if self.changes else None

    async def receive(self) -> Message:
        message = await self._receive()
        body = message.get("body", b"")
        self._bytes_in += len(body)
        if self._digest_in is not None:
            self._digest_in.update(body)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._location = next((v.decode("latin-1") for n, v in message["headers"] if n == b"location"), "")
        self._bytes_out += len(message.get("body", b""))
        if self.changes:
            self._held.append(message)
        else:
            await self._send(message)

    async def end(self) -> None:
        if not self.changes:
            self.evidence.note(self.call())
            return
        try:
            await self.evidence.store(self.call())
        except EvidenceAway:
            await problems.render(EvidenceMissing())(self.scope, self._receive, self._send)
            return
        for message in self._held:
            await self._send(message)

    def _digest_out(self) -> bytes:
        digest = hashlib.sha256()
        for message in self._held:
            digest.update(message.get("body", b""))
        return digest.digest()

    def call(self) -> Call:
        said = self.scope.get("state", {})
        # A zero byte can be asked for, but not kept; nor is whoever's number or address somebody asked for by path.
        path = self.scope["path"].replace("\0", "%00")
        caller = said.get("caller")
        found = _DOSSIER.search(path) or _DOSSIER.search(self._location)
        return Call(
            at=self.at,
            client_id=caller.client_id if caller else ANONYMOUS,
            agency=caller.agency if caller else None,
            service=said.get("service", OWN_SERVICE),
            method=self.scope["method"],
            path=log.masked(path),
            status=self.status,
            duration_us=int((clock.monotonic() - self._started) * 1e6),
            request_bytes=self._bytes_in,
            response_bytes=self._bytes_out,
            trace_id=(current_traceparent() or "--").split("-")[1],
            dossier_code=found.group() if found else None,
            request_sha256=self._digest_in.digest() if self._digest_in else None,
            response_sha256=self._digest_out() if self.changes else None,
        )
