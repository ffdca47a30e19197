"""The data plane: plain ASGI beside the proxy, since it carries most of all calls (decision 6)."""

import math
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.data_services.contract import Operation
from gateway.data_services.snapshot import Registry
from gateway.errors import (
    CallNotGranted,
    DataServiceRetired,
    DataServiceUnknown,
    InMaintenance,
    OperationUnknown,
)
from gateway.operations.rights import Rights
from gateway.routes.data_services.addresses import PREFIX, Address, address_in
from gateway.routes.data_services.outgoing import ClientLeft, correlation_id, header
from gateway.routes.data_services.parts import Found, Parts, Sender
from gateway.routes.data_services.passing import Passing
from gateway.routes.data_services.refusing import refusal
from shared import clock, log, problems
from shared.caller import Caller
from shared.tokens import TokenVerifier

_log = log.get(__name__)


class DataPlane:
    """Middleware that takes calls to data services before the gateway's own routes are searched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call to a data service; leave others to the gateway."""
        address = address_in(scope) if scope["type"] == "http" and scope["path"].startswith(PREFIX) else None
        if address is None:
            await self.app(scope, receive, send)
            return
        # Other people's addresses may hold anything; the log has the contract's words instead.
        scope.setdefault("state", {})["logged_path"] = f"{PREFIX}…"
        sender = Sender(send, correlation_id(scope))
        try:
            await self._answer(scope, receive, sender, address)
        except ClientLeft:
            return
        except Exception as problem:
            error = problems.as_domain_error(problem)
            if isinstance(error, problems.InternalError) or sender.started:
                raise
            await refusal(error)(scope, receive, sender)

    async def _answer(self, scope: Scope, receive: Receive, send: Sender, address: Address) -> None:
        state = scope["app"].state
        parts: Parts = state.data_services
        found = await identify(scope, parts.registry, state.tokens, address)
        if found.service.built_in:
            await self.app(scope, receive, send)
            return
        window = found.service.window_at(clock.now(), found.version.name) if found.service.windows else None
        if window:
            left = math.ceil((window.ends_at - clock.now()).total_seconds())
            raise InMaintenance(
                window.reason_en, detail_vi=window.reason_vi, until=window.ends_at.isoformat(), retry_after_s=left
            )
        await Passing(parts, found, scope, receive, send, correlation=send.correlation).run()


async def identify(scope: Scope, registry: Registry, tokens: TokenVerifier, address: Address) -> Found:
    """Return what a call is for.

    Raises Unauthenticated, DataServiceUnknown, DataServiceRetired, OperationUnknown, MethodNotAllowed, CallNotGranted.
    """
    state: dict[str, object] = scope.setdefault("state", {})
    caller = state.get("caller")
    if not isinstance(caller, Caller):
        caller = state["caller"] = await tokens.verify(header(scope, b"authorization") or None)
    rights = state.get("rights")
    service = registry.find(address.code)
    if service is None or not isinstance(rights, Rights) or not rights.knows(address.code) or not address.safe:
        raise DataServiceUnknown("No such data service.")
    version = service.versions.get(address.version) if address.version else service.default
    if version is None or not (version.active or version.retired):
        raise DataServiceUnknown("No such version of this data service.")
    state["service"] = f"data:{version.full_name}"
    if version.retired:
        raise DataServiceRetired("Call the newest version.", service=service.code)
    method = scope["method"]
    state["logged_path"] = f"{PREFIX}{version.full_name}/…"
    operation = _operation(version.contract.find(address.path), method)
    state["logged_path"] = f"{PREFIX}{version.full_name}{operation.path}"
    if not rights.may_call(address.code, method, address.path):
        raise CallNotGranted(f"{method} {operation.endpoint} is not granted to this client.")
    return Found(caller, service, version, operation, address)


def _operation(there: Mapping[str, Operation], method: str) -> Operation:
    if not there:
        raise OperationUnknown("The service's contract has no such path; see getOpenAPI.")
    operation = there.get(method) or (there.get("GET") if method == "HEAD" else None)
    if operation is None:
        raise problems.MethodNotAllowed(allow=sorted(there))
    return operation
