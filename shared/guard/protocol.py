"""The server's side of a connection: what can only be seen there. A uvicorn protocol over httptools.

uvicorn bounds neither the size of headers nor the time they take, nor the time a connection stays silent before its
first request, nor that in which an answer is taken; and it answers an unreadable request even while the answer to the
one before is on its way (httptools_impl.py of uvicorn 0.54).
"""

import asyncio
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared import log, problems
from shared.errors import DomainError
from shared.guard.admission import NOT_TAKEN, REFUSED
from shared.guard.joining import Joining
from shared.guard.refusals import HeadTooLarge, MalformedRequest, Overloaded, RequestTooSlow
from shared.settings import Limits

LINGER_S = 5.0
"""So long what is left of a refused request is read, so that its sender sees the answer."""
LINGER_BYTES_MAX = 1024 * 1024
CLOSING_S = 10.0
"""So long the last bytes of an answer may take after the connection's end was decided."""
KEEP_ALIVE_S = 75
"""So long a connection waits for its next request: longer than whoever keeps one to us (gateway.upstream)."""
CHUNK_OVERHEAD = 16
"""Bytes about each byte of a chunked body that are still taken for its framing."""
_log = log.get(__name__)


class GuardedProtocol(HttpToolsProtocol):
    """One connection, of which nothing lasts or grows without end."""

    limits: ClassVar[Limits]

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*arguments, **named)
        self._head = True
        """Waiting for, or within, a request's first line and headers."""
        self._begun = False
        """Within a request's first line and headers."""
        self._head_bytes = self._framing = self._body_bytes = self._lingered = 0
        self._deaf = False
        """Nothing more is read on this connection: it ends with the answer that is due."""
        self._clock: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; one too many gets a refusal."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections_max:
            self._refuse(Overloaded("Too many connections.", limit="connections_max"))
            return
        self._wind(self.limits.head_s, self._head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        for timer in (self._clock, self._taking):
            if timer is not None:
                timer.cancel()

    # Coming in

    def data_received(self, data: bytes) -> None:
        """Take bytes as far as the limits go."""
        if self._deaf or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if self._head:
            self._head_bytes += len(data)
        else:
            self._framing += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here: the request is answered as it stands, and nothing after it is read.
            self._end_after_answer()
        except httptools.HttpParserError:
            self._refuse(MalformedRequest("This is no HTTP/1.1 request."))
        else:
            self._check_sizes()
            if self._head and (self._begun or self._head_bytes) and self._clock is None:
                self._wind(self.limits.head_s, self._head_late)

    def _check_sizes(self) -> None:
        most = self.limits.head_bytes_max
        # Beyond the limit by one piece of data at most; what is exactly too large is refused by the guard.
        if self._head and self._head_bytes > most:
            self._refuse(HeadTooLarge(f"At most {most} bytes before the body.", limit="head_bytes_max"))
        elif not self._head and self._framing > most + CHUNK_OVERHEAD * self._body_bytes:
            self._refuse(MalformedRequest("Too much between the parts of the body."))

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._begun = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after the body (a trailer) is none."""
        if self._head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin an answer."""
        self._stop_clock()
        self._head = False
        self._begun = False
        """Within a request's first line and headers."""
        self._head_bytes = self._framing = self._body_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; what follows an answer is only let pass for a while."""
        self._framing -= len(body)
        self._body_bytes += len(body)
        if self.cycle.response_complete:
            self._lingered += len(body)
            if self._lingered > LINGER_BYTES_MAX:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Be ready for the next request."""
        self._stop_clock()
        self._head = True
        self._head_bytes = self._lingered = 0
        super().on_message_complete()

    def _should_upgrade_to_ws(self) -> bool:
        return False

    # Going out

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:  # noqa: ANN401 - uvicorn's
        cycle.transport = Joining(cycle.transport, self.loop)
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """Watch that an answer is taken."""
        super().pause_writing()
        if self._taking is None:
            self._unsent = self.transport.get_write_buffer_size()
            self._taking = self.loop.call_later(self.limits.body_grace_s, self._check_taking)

    def resume_writing(self) -> None:
        """Stop watching: it was taken."""
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def on_response_complete(self) -> None:
        """Wait for the next request, for the rest of a refused one, or for the last bytes to leave."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._wind(CLOSING_S, self.transport.abort)
        elif not self._head:
            self._wind(LINGER_S, self.transport.close)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing more came; end it where its last answer is not taken."""
        super().timeout_keep_alive_handler()
        self._wind(CLOSING_S, self.transport.abort)

    def _check_taking(self) -> None:
        left = self.transport.get_write_buffer_size()
        if self._unsent - left < self.limits.bytes_per_s_min * self.limits.body_grace_s:
            REFUSED.labels(NOT_TAKEN).inc()
            _log.info("http.answer_not_taken")
            self.transport.abort()
            return
        self._unsent = left
        self._taking = self.loop.call_later(self.limits.body_grace_s, self._check_taking)

    # Refusing

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        self._refuse(MalformedRequest(msg))

    def _head_late(self) -> None:
        self._clock = None
        if self._is_answering():
            self._wind(self.limits.head_s, self._head_late)
        elif self._begun or self._head_bytes:
            self._refuse(RequestTooSlow(f"Send all headers within {self.limits.head_s:g} s.", limit="head_s"))
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _end_after_answer(self) -> None:
        """Hear nothing more; close when everything that was asked in good order is answered."""
        self._deaf = True
        self._stop_clock()
        self.flow.pause_reading()
        if not self._is_answering():
            self.transport.close()
            return
        self.cycle.keep_alive = False

    def _refuse(self, error: DomainError) -> None:
        """Refuse the request that is coming in; answers to those before it leave first, and unharmed."""
        if self._deaf:
            return
        REFUSED.labels(error.code).inc()
        if self._is_answering() and self._head:
            self._end_after_answer()
            return
        self._deaf = True
        self._stop_clock()
        if self._is_answering():
            began = self.cycle.response_started or bool(self.pipeline)
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if began:
                self.transport.abort()
                return
        self._answer(error)
        self.transport.close()
        self._wind(CLOSING_S, self.transport.abort)

    def _answer(self, error: DomainError) -> None:
        answer = problems.render(error)
        headers = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
        lines = [STATUS_LINE[error.status], *(b"%b: %b\r\n" % header for header in headers), b"\r\n"]
        self.transport.write(b"".join([*lines, bytes(answer.body)]))

    def _wind(self, seconds: float, then: Any) -> None:  # noqa: ANN401 - a callback
        self._stop_clock()
        self._clock = self.loop.call_later(seconds, then)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


def guarded(limits: Limits) -> type[GuardedProtocol]:
    """Return the protocol to hand to uvicorn as `http`."""
    return type("Guarded", (GuardedProtocol,), {"limits": limits})


def server_options(limits: Limits) -> dict[str, Any]:
    """Return how uvicorn serves a process of ours; its name carries no version."""
    return {
        "http": guarded(limits),
        "ws": "none",
        "proxy_headers": False,
        "server_header": False,
        "headers": [("server", "motcua")],
        "timeout_keep_alive": KEEP_ALIVE_S,
        "access_log": False,
        "log_config": None,
    }
