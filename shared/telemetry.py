"""Metrics in base units, and the W3C trace context that crosses HTTP, database and bus."""

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram

_LAG_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600)

EVENTS_PUBLISHED = Counter("motcua_events_published_total", "Events confirmed by the broker.", ["type"])
EVENTS_HANDLED = Counter("motcua_events_handled_total", "Events taken from the bus, by outcome.", ["type", "outcome"])
EVENT_LAG = Histogram("motcua_event_lag_seconds", "From commit to handled.", ["service"], buckets=_LAG_BUCKETS)
OUTBOX_ROWS = Gauge("motcua_outbox_rows", "Events committed and not yet confirmed by the broker.")
OUTBOX_AGE = Gauge("motcua_outbox_oldest_age_seconds", "Age of the oldest event not yet confirmed.")
WAITING_SUBJECTS = Gauge("motcua_waiting_subjects", "Dossiers whose events wait for another attempt.")
PARKED_SUBJECTS = Gauge("motcua_parked_subjects", "Dossiers whose events wait for a person.")
BROKER_CONNECTED = Gauge("motcua_broker_connected", "1 while connected.", ["purpose"])
HTTP_DURATION = Histogram(
    "motcua_http_request_duration_seconds",
    "Time to answer.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)

_TRACEPARENT = re.compile("(?P<known>(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-.*)?")
_FLAGS_KNOWN = 0x03
"""Sampled, and random trace id (W3C trace context level 2, §3.2.2.5); what others mean is not known here."""
_MEMBERS_MAX = 32
_MEMBER = re.compile(
    r"(?P<key>[0-9a-z][0-9a-z_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
_tracestate: ContextVar[str] = ContextVar("tracestate", default="")
_propagator = TraceContextTextMapPropagator()
_exporting = False


def configure(service: str, otlp_endpoint: str) -> None:
    """Send spans to an OTLP/HTTP collector; without an endpoint only the context travels."""
    global _exporting  # noqa: PLW0603 - one tracer per process, as OpenTelemetry itself has
    if not otlp_endpoint:
        # Named once: left open, every request would look for a provider in the environment (a tenth of its cost).
        trace.set_tracer_provider(trace.NoOpTracerProvider())
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"motcua-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{otlp_endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)
    _exporting = True


def current_traceparent() -> str | None:
    """Return the trace context of the work being done."""
    return _traceparent.get()


def current_tracestate() -> str:
    """Return what vendors said of the trace, as it came; empty when nobody said anything."""
    return _tracestate.get()


def traceparent_in(text: str) -> str | None:
    """Return the part of a text that is known of a traceparent, as version 00; None for what starts a new trace.

    A later version may hold more after its flags, version 00 nothing (W3C trace context §3.2, §4.3).
    """
    if not text:
        return None
    found = _TRACEPARENT.fullmatch(text.strip(" \t"))
    if found is None or (text.strip(" \t").startswith("00-") and found[2] is not None):
        return None
    _, trace_id, span_id, flags = found["known"].split("-")
    return f"00-{trace_id}-{span_id}-{int(flags, 16) & _FLAGS_KNOWN:02x}"


def tracestate_in(texts: Iterable[str]) -> str:
    """Return the members of tracestate headers as one, in order; of a key that comes twice the first counts.

    Empty when one of them is no member, or when there are more than 32 (W3C trace context §3.3).
    """
    members: dict[str, str] = {}
    count = 0
    for text in ",".join(texts).split(","):
        member = text.strip(" \t")
        if not member:
            continue
        found = _MEMBER.fullmatch(member)
        count += 1
        if found is None or count > _MEMBERS_MAX:
            return ""
        members.setdefault(found["key"], member)
    return ",".join(members.values())


def _child_of(parent: str | None) -> str:
    if not parent:
        chance = secrets.token_hex(24)
        return f"00-{chance[:32]}-{chance[32:]}-01"
    _, trace_id, _, flags = parent.split("-")
    return f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"


@contextmanager
def carried(traceparents: Sequence[str], tracestates: Iterable[str]) -> Iterator[str | None]:
    """Carry what came with a request on inside; yields its traceparent, None when it has none or not exactly one.

    What vendors said belongs to a trace: without a valid traceparent it is dropped.
    """
    parent = traceparent_in(traceparents[0]) if len(traceparents) == 1 else None
    token = _tracestate.set(tracestate_in(tracestates) if parent else "")
    try:
        yield parent
    finally:
        _tracestate.reset(token)


@contextmanager
def span(name: str, kind: SpanKind, parent: str | None, **attributes: str | int) -> Iterator[str]:
    """Do some work as a part of a trace; yields its traceparent, which calls and events made inside carry on.

    `parent` is the traceparent that came with the work; one that is none starts a new trace.
    """
    parent = traceparent_in(parent or "")
    if not _exporting:
        own = _child_of(parent)
        token = _traceparent.set(own)
        try:
            yield own
        finally:
            _traceparent.reset(token)
        return
    context = _propagator.extract({"traceparent": parent}) if parent else None
    tracer = trace.get_tracer("motcua")
    with tracer.start_as_current_span(name, context=context, kind=kind, attributes=attributes):
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        own = carrier.get("traceparent") or _child_of(parent)
        token = _traceparent.set(own)
        try:
            yield own
        finally:
            _traceparent.reset(token)
