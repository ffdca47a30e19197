"""Events in: everything about a dossier is folded the same way."""

from gateway.operations.folding import fold, preload
from shared.events.registry import EVENTS
from shared.inbox import Handlers

CATALOGUE_EVENTS = frozenset({"intake.procedure.published.v1", "workflow.calendar.published.v1"})
"""Facts about no dossier; the gateway has no use for them."""

HANDLERS: Handlers = {event: fold for event in EVENTS.values() if event.event_type not in CATALOGUE_EVENTS}

__all__ = ["HANDLERS", "preload"]
