"""Every event there is, by type; the JSON Schemas, the examples and the AsyncAPI document come from here."""

from collections.abc import Iterator
from types import ModuleType

from shared.events import intake, payment, results, workflow
from shared.events.envelope import EventData

_OWNERS: tuple[ModuleType, ...] = (intake, workflow, payment, results)


def _classes() -> Iterator[type[EventData]]:
    for owner in _OWNERS:
        for value in vars(owner).values():
            if isinstance(value, type) and issubclass(value, EventData) and value is not EventData:
                yield value


EVENTS: dict[str, type[EventData]] = {event.event_type: event for event in _classes()}


def owner_of(event_type: str) -> str:
    """Return the service that tells this fact."""
    return event_type.partition(".")[0]
