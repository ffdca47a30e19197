"""Events in: everything about a dossier is folded the same way."""

from gateway.operations.folding import fold, preload
from gateway.states import CATALOGUE_EVENTS
from shared.events.registry import EVENTS
from shared.inbox import Handlers

HANDLERS: Handlers = {event: fold for event in EVENTS.values() if event.event_type not in CATALOGUE_EVENTS}

__all__ = ["HANDLERS", "preload"]
