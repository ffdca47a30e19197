"""Before every call below /api/v1: who calls, whether that client may now and from here, and how often (plain ASGI)."""

from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import CertificateNeeded, ClientInactive, NetworkRefused, QuotaSpent, RightsReduced
from gateway.operations.book import Book, Entry
from gateway.operations.metering import Meter, Spent
from gateway.routes.peers import Peers
from gateway.routes.proxy import is_for_a_service
from gateway.upstream import is_public, owner_of
from shared import clock, problems
from shared.caller import Caller

PREFIX = "/api/v1/"
_SPENT = {
    "minute": "{limit} calls a minute are allowed; try again in {wait_s} s.",
    "day": "{limit} calls a day are allowed; the next day begins in {wait_s} s (Vietnam's time).",
    "concurrency": "{limit} calls at a time are allowed; wait until one of them has been answered.",
}


class Guarded:
    """Middleware inside the log and outside proxy and routes.

    Puts `caller` (shared.caller), `rights` (operations.rights) and `address` into the request's state.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call in, or answer with the refusal."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        state, said = scope["app"].state, scope.setdefault("state", {})
        peers: Peers = state.peers
        said["address"] = peers.address(scope)
        if is_public(scope["method"], _target(scope)):
            await self.app(scope, receive, send)
            return
        try:
            entry = await _admitted(scope, state, said)
        except Exception as problem:
            error = problems.as_domain_error(problem)
            if isinstance(error, problems.InternalError):
                raise
            if is_for_a_service(scope["path"]):
                # The log says at whose door a call was refused.
                said["service"] = owner_of(scope["path"].removeprefix(PREFIX))
            await problems.render(error)(scope, receive, send)
            return
        if entry.metered:
            await self._metered(scope, receive, send, entry)
        else:
            await self.app(scope, receive, send)

    async def _metered(self, scope: Scope, receive: Receive, send: Send, entry: Entry) -> None:
        meter: Meter = scope["app"].state.meter
        rights = entry.rights

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *meter.headers(rights)]
            await send(message)

        spent = await meter.enter(rights)
        if spent:
            await problems.render(_refusal(spent))(scope, receive, telling)
            return
        try:
            await self.app(scope, receive, telling)
        finally:
            meter.leave(rights)


async def _admitted(scope: Scope, state: Any, said: dict[str, Any]) -> Entry:  # noqa: ANN401 - an app's state
    """Return the entry of who calls. Raises Unauthenticated, Forbidden and Unavailable in many ways."""
    caller: Caller = await state.tokens.verify(_authorization(scope))
    said["caller"] = caller
    book: Book = state.book
    entry = book.find(caller.client_id) or await book.search(caller.client_id)
    if entry is None:
        raise ClientInactive("No such client is registered here.")
    if state.authority.external:
        caller = said["caller"] = _completed(caller, entry)
    _require_valid(entry)
    if not entry.may_come_from(said["address"]):
        raise NetworkRefused("This address is in none of the networks that are registered for the client.")
    if caller.certificate is not None or entry.certificate_bound:
        _require_certificate(entry, caller, state.peers.certificate(scope))
    if not state.authority.external and not (caller.scopes <= entry.scopes and caller.agency == entry.agency):
        raise RightsReduced("The client's scopes or agency were changed since; get a new token.")
    said["rights"] = entry.rights
    return entry


def _require_valid(entry: Entry) -> None:
    now = clock.now().timestamp()
    if entry.holds(now):
        return
    if not entry.active:
        raise ClientInactive("The client was shut out.")
    raise ClientInactive("Its registration begins later." if now < entry.valid_from else "Its registration has ended.")


def _require_certificate(entry: Entry, caller: Caller, shown: str | None) -> None:
    if shown is None:
        raise CertificateNeeded("Call with the client's certificate: this token holds for nothing else.")
    if shown != caller.certificate:
        raise CertificateNeeded("The token was made for another certificate, or for none.")
    if entry.certificates and shown not in entry.certificates:
        raise CertificateNeeded("The certificate is not registered for this client any more.")


def _completed(caller: Caller, entry: Entry) -> Caller:
    """Return a caller of another issuer's token with what that lacks; what it says counts."""
    if caller.agency and caller.scopes:
        return caller
    return replace(caller, agency=caller.agency or entry.agency, scopes=caller.scopes or entry.scopes)


def _refusal(spent: Spent) -> QuotaSpent:
    detail = _SPENT[spent.quota].format(limit=spent.limit, wait_s=spent.wait_s)
    return QuotaSpent(detail, quota=spent.quota, limit=spent.limit, retry_after_s=spent.wait_s)


def _authorization(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), None)


def _target(scope: Scope) -> str:
    """Return the path as it stood on the wire, without prefix and query."""
    raw = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1").partition("?")[0].removeprefix(PREFIX)
