"""What travels, read by others' eyes: the CloudEvents SDK, an AMQP client, JSON Schema."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aio_pika
import jsonschema_rs
import orjson
import pytest
import yaml
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from deploy.docs.bus import example
from deploy.local.folder import ROOT
from shared import clock
from shared.asyncapi import example_message
from shared.broker import EXCHANGE
from shared.broker import Broker as Bus
from shared.caller import service_caller
from shared.db import Database
from shared.events.envelope import encode
from shared.events.registry import EVENTS, owner_of
from shared.work import open_work
from tests.support.bus import Side, create_tables, running
from tests.support.servers import Broker, Databases

Queue = aio_pika.abc.AbstractQueue
SUBJECT = "H32.14.21-260407-0001"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docs/reference/asyncapi.yaml").read_text(encoding="utf-8"))


class TestCloudEvents:
    """A message as the CloudEvents SDK reads it."""

    async def test_arrives_as_it_was_told(self, told: dict[str, dict[str, Any]], queue: Queue) -> None:
        """Every event: told in a transaction, published by the relay, taken by a plain client, read by the SDK."""
        for _ in EVENTS:
            message = await queue.get(timeout=30)
            assert message is not None
            found = self.read(message)
            data = told.pop(found.get_type())
            assert found.get_data() == data
            assert found.get_specversion() == "1.0"
            assert found.get_subject() == SUBJECT
            assert found.get_source() == f"/motcua/{owner_of(found.get_type())}"
            assert UUID(found.get_id()).version == 7
            assert found.get_time() <= clock.now()
            assert int(found.get_extension("sequence")) >= 1
            assert found.get_extension("traceparent") == TRACE
            assert message.routing_key == found.get_type()
            await message.ack()
        assert told == {}
        assert await queue.get(fail=False) is None

    @pytest.fixture
    def vhost(self, broker: Broker) -> str:
        return broker.create_vhost()

    @pytest.fixture
    async def queue(self, vhost: str) -> AsyncIterator[Queue]:
        """Lend a queue that hears everything."""
        bus = Bus(vhost, service="reader")
        async with bus.channel("reader") as channel:
            await bus.declare(channel, EVENTS)
            queue = await channel.amqp.declare_queue(exclusive=True)
            await queue.bind(EXCHANGE, "#")
            yield queue

    @pytest.fixture
    async def told(self, databases: Databases, vhost: str, queue: Queue) -> AsyncIterator[dict[str, dict[str, Any]]]:
        """With the queue bound, let each service tell each of its events once, its relay at work; lend all that."""
        data = {kind: EVENTS[kind].model_validate(example(kind)) for kind in EVENTS}
        async with AsyncExitStack() as open_:
            assert queue.name
            for owner in sorted({owner_of(kind) for kind in EVENTS}):
                url = await databases.create_database()
                open_.push_async_callback(databases.drop_database, url.rpartition("/")[2])
                side = Side(Database(url, service=owner))
                open_.push_async_callback(side.database.close)
                await create_tables(side.database)
                async with open_work(side.database, service_caller(owner), traceparent=TRACE) as work:
                    for kind in EVENTS:
                        if owner_of(kind) == owner:
                            work.emit(data[kind], subject=SUBJECT)
                await open_.enter_async_context(running(side.relay(vhost).run()))
            yield {kind: orjson.loads(encode(one)) for kind, one in data.items()}

    def read(self, message: aio_pika.abc.AbstractMessage) -> Any:
        """Return the CloudEvent of an AMQP message."""
        headers = {name: str(value) for name, value in message.headers.items()}
        return from_binary(RabbitMQMessage(headers, message.content_type, message.body), JSONFormat())


class TestAsyncApi:
    """The AsyncAPI document."""

    def test_names_every_event_once_and_where_it_travels(self, asyncapi: dict[str, Any]) -> None:
        assert asyncapi["asyncapi"] == "3.0.0"
        [(name, channel)] = asyncapi["channels"].items()
        assert name == EXCHANGE == channel["bindings"]["amqp"]["exchange"]["name"]
        assert list(channel["messages"]) == list(EVENTS) == list(asyncapi["components"]["messages"])

    def test_refers_to_nothing_that_is_not_there(self, asyncapi: dict[str, Any]) -> None:
        references = re.findall(r"'\$ref': '([^']+)'", str(asyncapi))
        assert len(references) > len(EVENTS)
        for reference in set(references):
            place: Any = asyncapi
            for step in reference.removeprefix("#/").split("/"):
                place = place[step]

    def test_keeps_to_the_specification(self, asyncapi: dict[str, Any]) -> None:
        jsonschema_rs.validator_for(SPECIFICATION).validate(asyncapi)

    @pytest.mark.parametrize("kind", list(EVENTS))
    def test_has_examples_that_fit_payload_and_headers(self, asyncapi: dict[str, Any], kind: str) -> None:
        message = asyncapi["components"]["messages"][kind]
        [shown] = message["examples"]
        for part in ("headers", "payload"):
            schema = {**message[part], "components": asyncapi["components"]}
            validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
            validator.validate(shown[part])
            assert not validator.is_valid({})

    def test_says_who_tells_and_who_hears(self, asyncapi: dict[str, Any]) -> None:
        operations = asyncapi["operations"]
        told = {ref["$ref"] for one in operations.values() if one["action"] == "send" for ref in one["messages"]}
        assert len(told) == len(EVENTS)
        assert {name for name, one in operations.items() if one["action"] == "receive"} >= {"gateway.hears"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
REFERENCE = _object(["$ref"], **{"$ref": {"type": "string", "pattern": "^#/"}})
REFERENCES = {"type": "object", "minProperties": 1, "additionalProperties": REFERENCE}
AMQP = {"type": "object", "required": ["bindingVersion"], "properties": {"bindingVersion": {"const": "0.3.0"}}}
BINDINGS = _object(["amqp"], amqp=AMQP)
PARAMETER = _object(["enum"], description=TEXT, enum={"type": "array", "items": TEXT})
CHANNEL = _object(
    ["address", "messages", "bindings"],
    address=TEXT,
    title=TEXT,
    parameters={"type": "object", "additionalProperties": PARAMETER},
    messages=REFERENCES,
    bindings=BINDINGS,
)
OPERATION = _object(
    ["action", "channel", "messages"],
    action={"enum": ["send", "receive"]},
    channel=REFERENCE,
    messages={"type": "array", "items": REFERENCE, "uniqueItems": True},
    bindings=BINDINGS,
)
MESSAGE = _object(
    ["name", "payload", "headers"],
    name=TEXT,
    title=TEXT,
    summary=TEXT,
    contentType={"const": "application/json"},
    headers={"type": "object"},
    payload=REFERENCE,
    correlationId=_object(["location"], location={"type": "string", "pattern": r"^\$message\.header#/"}),
    bindings=BINDINGS,
    examples={"type": "array", "items": _object(["headers", "payload"], headers={}, payload={})},
)
SPECIFICATION = _object(
    ["asyncapi", "info", "channels", "operations", "components"],
    asyncapi={"const": "3.0.0"},
    info=_object(["title", "version"], title=TEXT, version=TEXT, description=TEXT),
    defaultContentType={"const": "application/json"},
    channels={"type": "object", "additionalProperties": CHANNEL},
    operations={"type": "object", "additionalProperties": OPERATION},
    components=_object(
        ["messages", "schemas"],
        messages={"type": "object", "additionalProperties": MESSAGE},
        schemas={"type": "object", "additionalProperties": {"type": "object"}},
    ),
)
"""What of AsyncAPI 3.0.0 the document uses; nothing else may stand in it."""


def test_event_time_is_utc_on_the_wire() -> None:
    event = example_message("intake.dossier.accepted.v1", {"procedure_code": "x"})
    assert datetime.fromisoformat(event.headers()["ce-time"]).tzinfo == UTC
