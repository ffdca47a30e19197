"""Every example, taken by everybody who listens to it: as it is sent now, by older and by newer code."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from deploy.docs.bus import SCHEMAS, example
from deploy.docs.parts import PARTS, Part
from deploy.local.folder import ROOT
from shared import migrations
from shared.asyncapi import example_message
from shared.db import Database
from shared.events.envelope import RawEvent
from shared.ids import new_id
from shared.inbox import Inbox
from tests.support.servers import Databases

SUBMITTED, ACCEPTED = "intake.dossier.submitted.v1", "intake.dossier.accepted.v1"
PUBLISHED, ASSESSED = "intake.procedure.published.v1", "payment.fee.assessed.v1"
BEFORE: dict[str, list[str]] = {
    "intake": [],
    "workflow": [PUBLISHED, ACCEPTED],
    "payment": [ACCEPTED],
    "results": [ACCEPTED, ASSESSED],
    "gateway": [SUBMITTED],
}
"""What a listener must have heard before it can act on another fact; one of these needs only those before it."""
WAITS = dict.fromkeys(
    [
        ("intake", "workflow.case.supplement_requested.v1"),
        ("intake", "workflow.case.withdrawn.v1"),
        ("intake", "workflow.withdrawal.refused.v1"),
        ("intake", "workflow.case.completed.v1"),
        ("intake", "workflow.case.resumed.v1"),
        ("intake", "workflow.case.due_date_changed.v1"),
        ("intake", "results.result.returned.v1"),
        ("intake", "results.reuse.confirmed.v1"),
        ("intake", "results.reuse.refused.v1"),
    ],
    "CauseMissing",
) | {("workflow", "intake.supplement.provided.v1"): "SupplementNotOpen"}
"""What needs an act of people first: it is read and understood, and waits for that."""
PAIRS = [(part, event.event_type) for part in PARTS for event in part.handlers]
_numbers = count(1)


class Listener:
    """One part's inbox on a database of its own."""

    def __init__(self, part: Part, url: str) -> None:
        self.name = part.name
        self.database = Database(url, service=part.name, connections_max=2)
        self.inbox = Inbox(self.database, part.handlers, preload=part.room("consumers").preload)

    async def hear(self, told: list[RawEvent]) -> list[str]:
        """Take facts of a new dossier one by one, numbered per source; return why any of them waits."""
        code, numbers = f"H32.14.21-260407-{next(_numbers):04}", Counter[str]()
        for event in told:
            numbers[event.source] += 1
            own = event.subject if event.type == PUBLISHED else code
            await self.inbox.take([replace(event, id=new_id(), subject=own, sequence=numbers[event.source])])
        async with self.database.session() as session:
            rows = await session.scalars(text("SELECT reason FROM waiting WHERE subject = :code"), {"code": code})
            return [reason.partition(":")[0] for reason in rows]


@pytest.fixture(scope="module")
async def listeners(databases: Databases) -> AsyncIterator[dict[str, Listener]]:
    found: dict[str, Listener] = {}
    for part in PARTS:
        url = await databases.create_database()
        await asyncio.to_thread(migrations.upgrade, part.package, url)
        found[part.name] = Listener(part, url)
    yield found
    for listener in found.values():
        await listener.database.close()


def as_sent_now(_kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data as it is."""
    return data


def by_older_code(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data without all that is optional: fields that were added later."""
    needed = json.loads((ROOT / SCHEMAS / f"{kind}.json").read_text(encoding="utf-8"))["required"]
    return {name: data[name] for name in needed}


def by_newer_code(_kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with a field that nobody knows yet."""
    return data | {"added_in_2031": {"nested": [1]}}


@pytest.mark.parametrize("version", [as_sent_now, by_older_code, by_newer_code], ids=lambda one: one.__name__)
@pytest.mark.parametrize(("part", "kind"), PAIRS, ids=lambda one: getattr(one, "name", one))
async def test_is_taken(listeners: dict[str, Listener], part: Part, kind: str, version: Any) -> None:
    first = BEFORE[part.name]
    needed = first[: first.index(kind)] if kind in first else first
    told = [example_message(one, example(one)) for one in needed]
    last = example_message(kind, example(kind))
    told.append(replace(last, body=orjson.dumps(version(kind, example(kind)))))
    reasons = await listeners[part.name].hear(told)
    expected = WAITS.get((part.name, kind))
    assert reasons == ([expected] if expected else [])


async def test_a_body_that_breaks_its_promise_is_not_taken(listeners: dict[str, Listener]) -> None:
    data = example(ACCEPTED)
    del data["agency_code"]
    broken = replace(example_message(ACCEPTED, data), body=orjson.dumps(data))
    assert await listeners["results"].hear([broken]) == ["Unreadable"]


def test_everybody_listens_to_something() -> None:
    assert {part.name for part, _ in PAIRS} == {part.name for part in PARTS}
