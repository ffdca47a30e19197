"""What the bus carries, as documents: a JSON Schema per event version and one AsyncAPI 3.0 description of them all.

Sources: AsyncAPI 3.0.0; AMQP bindings 0.3.0; JSON Schema 2020-12; CloudEvents 1.0.2, AMQP binding in binary mode.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic.json_schema import models_json_schema

from shared.broker import EXCHANGE
from shared.events.envelope import SOURCE_PREFIX, EventData, RawEvent
from shared.events.registry import EVENTS, owner_of

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
AMQP_BINDING = "0.3.0"
_SCHEMAS = "#/components/schemas/"
_HEADERS = "CloudEventHeaders"
_WORDS = frozenset({"title", "description", "examples", "$defs", "$schema", "$id"})

Json = dict[str, Any]


def meaning(event: type[EventData]) -> str:
    """Return what a fact means: the first line of its class."""
    return (event.__doc__ or "").strip().splitlines()[0]


def event_schema(event: type[EventData]) -> Json:
    """Return the JSON Schema (2020-12) of one event's data."""
    schema = event.model_json_schema()
    return {"$schema": JSON_SCHEMA, "$id": f"urn:motcua:event:{event.event_type}", **schema}


def broken_promises(before: Json, after: Json) -> list[str]:
    """Return how a schema breaks what an earlier one promised: within a version fields are only added, optional.

    Words for people (title, description, examples) may change; so may values be added to an enumeration, which
    readers must be ready for.
    """
    return _broken(_plain(before, before.get("$defs", {})), _plain(after, after.get("$defs", {})), "data")


def document(examples: Mapping[str, Json], subscribers: Mapping[str, Iterable[str]]) -> Json:
    """Return the AsyncAPI 3.0 document of the bus.

    examples are data by event type; subscribers are the types each subscriber listens to.
    """
    _, models = models_json_schema(
        [(event, "validation") for event in EVENTS.values()], ref_template=f"{_SCHEMAS}{{model}}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Một Cửa: the bus", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {EXCHANGE: _channel()},
        "operations": _operations(subscribers),
        "components": {
            "messages": {kind: _message(event, examples[kind]) for kind, event in EVENTS.items()},
            "schemas": {_HEADERS: _headers(), **models["$defs"]},
        },
    }


_DESCRIPTION = """\
Facts that services tell each other. Each is published once it is committed, in order per dossier (`ce-subject`), and
delivered at least once: a reader knows an event by `ce-id`, and a gap by `ce-sequence`.

Every subscriber S has a consistent-hash exchange `S.events` that spreads dossiers over the quorum queues
`S.events.0`, `S.events.1`…, each with a single active consumer, and a queue `S.unreadable` for what is no event.
Within a version fields are only added; readers ignore fields they do not know.
"""


def _channel() -> Json:
    return {
        "address": "{type}",
        "title": "Every event; the routing key is the event's type",
        "parameters": {"type": {"description": "Type of the event.", "enum": list(EVENTS)}},
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in EVENTS},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False},
                "bindingVersion": AMQP_BINDING,
            }
        },
    }


def _operations(subscribers: Mapping[str, Iterable[str]]) -> Json:
    sent: dict[str, list[str]] = {}
    for kind in EVENTS:
        sent.setdefault(owner_of(kind), []).append(kind)
    tells = {
        f"{owner}.tells": _operation("send", kinds, {"deliveryMode": 2, "mandatory": True})
        for owner, kinds in sent.items()
    }
    hears = {f"{name}.hears": _operation("receive", kinds, {"ack": True}) for name, kinds in subscribers.items()}
    return tells | hears


def _operation(action: str, kinds: Iterable[str], amqp: Json) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{EXCHANGE}"},
        "messages": [{"$ref": f"#/channels/{EXCHANGE}/messages/{kind}"} for kind in kinds],
        "bindings": {"amqp": {**amqp, "bindingVersion": AMQP_BINDING}},
    }


def _message(event: type[EventData], example: Json) -> Json:
    kind = event.event_type
    own = {"type": "object", "properties": {"ce-type": {"const": kind}}}
    return {
        "name": kind,
        "title": event.__name__,
        "summary": meaning(event),
        "contentType": "application/json",
        "headers": {"allOf": [{"$ref": f"{_SCHEMAS}{_HEADERS}"}, own]},
        "payload": {"$ref": f"{_SCHEMAS}{event.__name__}"},
        "correlationId": {"location": "$message.header#/ce-subject"},
        "bindings": {"amqp": {"messageType": kind, "bindingVersion": AMQP_BINDING}},
        "examples": [{"headers": example_message(kind, example).headers(), "payload": example}],
    }


_NO_DOSSIER = {"intake.procedure.published.v1": "procedure_code", "workflow.calendar.published.v1": "calendar_code"}
"""Facts about no dossier, with the member that is their subject."""


def example_message(kind: str, data: Json) -> RawEvent:
    """Return an example as it travels."""
    at = datetime(2026, 4, 7, 1, 30, tzinfo=UTC)
    subject = data[_NO_DOSSIER[kind]] if kind in _NO_DOSSIER else "H32.14.21-260407-0001"
    return RawEvent(
        id=UUID("019d6578-b000-7000-8000-000000000001"),
        type=kind,
        source=owner_of(kind),
        subject=subject,
        time=at,
        sequence=1,
        causation_id=None,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        body=orjson.dumps(data),
    )


def _headers() -> Json:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["ce-specversion", "ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-sequence"],
        "properties": {
            "ce-specversion": {"const": "1.0"},
            "ce-id": text
            | {"format": "uuid", "description": "UUIDv7 of the event; the same when it is delivered again."},
            "ce-type": text | {"description": "Type and version; also the routing key."},
            "ce-source": text | {"pattern": f"^{SOURCE_PREFIX}[a-z]+$", "description": "The service that tells it."},
            "ce-subject": text | {"description": "The dossier's code; the procedure's code for catalogue facts."},
            "ce-time": text | {"format": "date-time", "description": "When it was committed."},
            "ce-sequence": text | {"pattern": "^[1-9][0-9]*$", "description": "1, 2, 3… per subject and source."},
            "ce-causationid": text | {"format": "uuid", "description": "The event that led to it, if one did."},
            "ce-traceparent": text | {"description": "W3C trace context."},
        },
    }


def _plain(part: Any, defs: Json) -> Any:  # noqa: ANN401 - any part of a JSON Schema
    """Return a part of a schema without references and without words for people."""
    if isinstance(part, list):
        return [_plain(one, defs) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _plain(defs[part["$ref"].rpartition("/")[2]], defs)
    return {
        word: {name: _plain(one, defs) for name, one in value.items()} if word == "properties" else _plain(value, defs)
        for word, value in part.items()
        if word not in _WORDS
    }


def _broken(before: Any, after: Any, where: str) -> list[str]:  # noqa: ANN401 - any part of a JSON Schema
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for word in sorted(before.keys() | after.keys()):
            found += _broken_word(word, before.get(word), after.get(word), where)
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [line for old, new in zip(before, after, strict=True) for line in _broken(old, new, where)]
    return [] if before == after else [f"{where}: {before} became {after}"]


def _broken_word(word: str, before: Any, after: Any, where: str) -> list[str]:  # noqa: ANN401 - any part of a schema
    if word == "properties":
        kept = (before or {}).keys() & (after or {}).keys()
        found = [f"{where}.{name} was removed" for name in (before or {}).keys() - kept]
        return found + [line for name in sorted(kept) for line in _broken(before[name], after[name], f"{where}.{name}")]
    if word == "required":
        found = [f"{where}.{name} is no longer always there" for name in set(before or ()) - set(after or ())]
        return found + [f"{where}.{name} is now demanded" for name in set(after or ()) - set(before or ())]
    if word == "enum":
        return [f"{where}: {value!r} was removed" for value in before or () if value not in (after or ())]
    return _broken(before, after, where)
