"""Every call through the door goes into the transaction log; a change is answered only when its entry is durable."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import EvidenceMissing, EvidenceUnavailable
from gateway.operations.evidence import Call, Evidence, EvidenceAway
from gateway.routes.data_services.addresses import PREFIX as DATA_SERVICES
from gateway.routes.held import Held
from shared import clock, log, problems
from shared.errors import DomainError
from shared.http import SAFE_METHODS
from shared.telemetry import current_traceparent

LOGGED = ("/api/v1/", "/oauth/")
ANONYMOUS = "anonymous"
OWN_SERVICE = "gateway"
REFUSED_FROM = 400
_DOSSIER = re.compile(r"(?:\d{3}\.\d{2}\.\d{2}\.)?[HG]\d{2}(?:\.\d{1,3}){0,3}-\d{6}-\d{4,7}")


class Logged:
    """Middleware around the gateway's routes.

    A route says which service it passed a call to in `request.state.service`; who called is in `request.state.caller`.
    What could not be logged is not carried out: changes are refused while the log cannot be written, reads once no more
    of them can wait for it.
    Where a path may hold what is personal, `request.state.logged_path` stands for it. Below `/api/v1/data-services/`
    that is every path that the data plane did not name and nothing of ours answered: refused calls hold anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on and log it."""
        if scope["type"] != "http" or not scope["path"].startswith(LOGGED):
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, receive, send)
        if not visit.evidence.admit(changes=visit.changes):
            await visit.refuse()
            return
        try:
            await self._pass_on(visit)
        finally:
            visit.evidence.leave()

    async def _pass_on(self, visit: "_Visit") -> None:
        try:
            await self.app(visit.scope, visit.receive, visit.send)
        except Exception:
            await visit.fail()
            raise
        await visit.end()


class _Visit:
    """One call on its way: what came in and went out is counted; the answer to a change is held back."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.evidence: Evidence = scope["app"].state.evidence
        self.changes = scope["method"] not in SAFE_METHODS
        self.at, self._started = clock.now(), clock.monotonic()
        self._status = 0
        self._location = ""
        self._bytes_in = self._bytes_out = 0
        self._held = Held() if self.changes else None
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
            self._status = message["status"]
            for name, value in message["headers"]:
                if name == b"location":
                    self._location = value.decode("latin-1")
                    break
        else:
            self._bytes_out += len(message.get("body", b""))
        if self._held is None:
            await self._send(message)
        else:
            self._held.keep(message)

    async def end(self) -> None:
        """Log a call that was answered; let the answer to a change go once its entry is durable."""
        if self._held is None:
            self.evidence.note(self._call())
            return
        with self._held as held:
            call = self._call()
            try:
                await self.evidence.store(call)
            except EvidenceAway:
                await self._answer(EvidenceMissing(), call)
                return
            await held.release(self._send)

    async def fail(self) -> None:
        """Log a call that ended with an error of ours; of a change nothing but that error is answered."""
        call = replace(self._call(), status=problems.InternalError.status)
        if self._held is None:
            self.evidence.note(call)
            return
        with self._held:
            call = replace(call, response_bytes=0, response_sha256=None)
            try:
                await self.evidence.store(call)
            except EvidenceAway:
                self.evidence.note(call)

    async def refuse(self) -> None:
        """Turn a call away that could not be logged; nothing of it was carried out."""
        self._held = None
        error = EvidenceUnavailable()
        call = replace(self._call(), status=error.status, request_sha256=None, response_sha256=None)
        self.evidence.note_refusal(call)
        await problems.render(error)(self.scope, self._receive, self._send)

    async def _answer(self, error: DomainError, call: Call) -> None:
        """Answer with a refusal instead; what is logged, as soon as it can be, is what was answered."""
        answer = problems.render(error)
        body = bytes(answer.body)
        digest = hashlib.sha256(body).digest()
        self.evidence.note(replace(call, status=error.status, response_bytes=len(body), response_sha256=digest))
        await answer(self.scope, self._receive, self._send)

    def _told(self, said: Mapping[str, Any]) -> tuple[str, str | None]:
        """Return the path as it is kept, and the dossier it names: whose number somebody asked for by path is not."""
        stands_for, path = said.get("logged_path"), self.scope["path"]
        if stands_for:
            return _told_by_contract(str(stands_for))
        if not path.startswith(DATA_SERVICES) or 0 < self._status < REFUSED_FROM:
            return _told_by(path)
        return _told_by_contract(str(getattr(self.scope.get("route"), "path", f"{DATA_SERVICES}…")))

    def _call(self) -> Call:
        said = self.scope.get("state", {})
        path, dossier = self._told(said)
        if dossier is None and self._location:
            dossier = _dossier_in(self._location)
        caller = said.get("caller")
        return Call(
            at=self.at,
            client_id=caller.client_id if caller else ANONYMOUS,
            agency=caller.agency if caller else None,
            service=said.get("service", OWN_SERVICE),
            method=self.scope["method"],
            path=path,
            status=self._status,
            duration_us=int((clock.monotonic() - self._started) * 1e6),
            request_bytes=self._bytes_in,
            response_bytes=self._bytes_out,
            trace_id=(current_traceparent() or "--").split("-")[1],
            dossier_code=dossier,
            request_sha256=self._digest_in.digest() if self._digest_in else None,
            response_sha256=self._held.digest() if self._held else None,
        )


def _told_by(path: str) -> tuple[str, str | None]:
    """Return a path as it is logged, and the dossier it names."""
    return log.masked(path), _dossier_in(path)


_told_by_contract = lru_cache(1024)(_told_by)
"""Of what stands for paths there is little, and it comes again and again."""


def _dossier_in(text: str) -> str | None:
    found = _DOSSIER.search(text)
    return found.group() if found else None
