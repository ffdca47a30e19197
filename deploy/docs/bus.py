"""What the bus carries: schemas, examples, the AsyncAPI document and a table for people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.docs.parts import Part
from deploy.docs.text import NOTE, Incomplete, as_json, as_yaml, table
from deploy.local.folder import ROOT
from shared import asyncapi
from shared.events.registry import EVENTS, owner_of

SCHEMAS, EXAMPLES = Path("shared/events/schemas"), Path("shared/events/examples")


def documents(parts: Sequence[Part]) -> dict[Path, str]:
    """Return the documents about the bus. Raises Incomplete when an event has no example."""
    examples = {kind: example(kind) for kind in EVENTS}
    subscribers = {part.name: [event.event_type for event in part.handlers] for part in parts}
    return {
        Path("docs/reference/asyncapi.yaml"): as_yaml(asyncapi.document(examples, subscribers)),
        Path("docs/reference/events.md"): _page(parts, subscribers),
        **{SCHEMAS / f"{kind}.json": as_json(asyncapi.event_schema(event)) for kind, event in EVENTS.items()},
        **{EXAMPLES / f"{kind}.json": as_json(data) for kind, data in examples.items()},
    }


def example(kind: str) -> dict[str, Any]:
    """Return the data of an event's example, as its producer would send it. Raises Incomplete when there is none."""
    path = ROOT / EXAMPLES / f"{kind}.json"
    if not path.exists():
        raise Incomplete(f"{EXAMPLES}/{kind}.json: write an example, true to life and about nobody real")
    return EVENTS[kind].model_validate_json(path.read_text(encoding="utf-8")).model_dump(mode="json")


def broken_promises() -> list[str]:
    """Return where today's events break what the committed schemas promise their readers."""
    found = []
    for path in sorted((ROOT / SCHEMAS).glob("*.json")):
        event = EVENTS.get(path.stem)
        if event is None:
            found.append(f"{path.stem}: nobody tells it any more")
        else:
            before = json.loads(path.read_text(encoding="utf-8"))
            found += [f"{path.stem}: {line}" for line in asyncapi.broken_promises(before, asyncapi.event_schema(event))]
    return found


def _page(parts: Sequence[Part], subscribers: Mapping[str, Sequence[str]]) -> str:
    sections = ["# Events", NOTE, _INTRODUCTION]
    for owner in dict.fromkeys(map(owner_of, EVENTS)):
        rows = [_row(kind, parts, subscribers) for kind in EVENTS if owner_of(kind) == owner]
        sections += [f"## {owner}", table(["Event", "Meaning", "Told when", "Heard by"], rows)]
    return "\n\n".join(sections) + "\n"


_INTRODUCTION = """\
One row is one fact. Its name is its type, its routing key and the name of its
[schema](../../shared/events/schemas) and [example](../../shared/events/examples); the envelope is in
[asyncapi.yaml](asyncapi.yaml). "Told when" names the action of a [lifecycle](lifecycles.md), where there is one."""


def _row(kind: str, parts: Sequence[Part], subscribers: Mapping[str, Sequence[str]]) -> list[str]:
    edges = [
        f"{life.name}: {edge.action}"
        for part in parts
        for life in part.lifecycles
        for edge in life.edges
        if edge.emits is EVENTS[kind]
    ]
    heard_by = [name for name, kinds in subscribers.items() if kind in kinds]
    return [f"`{kind}`", asyncapi.meaning(EVENTS[kind]), ", ".join(dict.fromkeys(edges)), ", ".join(heard_by)]
