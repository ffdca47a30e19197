"""What the data plane works with, and what it knows of a call."""

from dataclasses import dataclass

from starlette.types import Message, Send

from gateway.data_services.cache import Cache
from gateway.data_services.calling import Caller as Road
from gateway.data_services.contract import Operation
from gateway.data_services.lines import Lines
from gateway.data_services.snapshot import Registry, Service, Version
from gateway.operations.data_services.failing import Failures
from gateway.routes.data_services.addresses import Address
from gateway.routes.data_services.outgoing import CORRELATION_HEADER
from shared.caller import Caller


@dataclass(slots=True)
class Parts:
    """What the data plane works with; `app.state.data_services`."""

    registry: Registry
    lines: Lines
    road: Road
    cache: Cache
    failures: Failures


@dataclass(frozen=True, slots=True)
class Found:
    """What a call is for, and whose it is."""

    caller: Caller
    service: Service
    version: Version
    operation: Operation
    address: Address


class Sender:
    """Sends to the client, with the call's correlation id; knows whether an answer has begun."""

    def __init__(self, send: Send, correlation: str) -> None:
        self._send = send
        self.correlation = correlation
        self.started = False
        self._own = (CORRELATION_HEADER.encode(), correlation.encode("latin-1"))

    async def __call__(self, message: Message) -> None:
        """Send a message."""
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": [*message["headers"], self._own]}
        await self._send(message)
