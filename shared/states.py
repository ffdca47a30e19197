"""A lifecycle is a table of edges; each edge names the event it emits."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from shared.errors import IllegalMove
from shared.events.envelope import EventData

Status = TypeVar("Status", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Edge(Generic[Status]):
    """One allowed move: `action` takes a thing from `start` (None: it does not exist yet) to `end`."""

    action: str
    start: Status | None
    end: Status
    emits: type[EventData]


class Lifecycle(Generic[Status]):
    """All the moves a thing can make.

    Raises ValueError on construction when an edge is doubled or a status cannot be reached.
    """

    def __init__(self, name: str, statuses: type[Status], edges: Iterable[Edge[Status]]) -> None:
        self.name = name
        self.statuses = statuses
        self.edges = tuple(edges)
        self._table = {(edge.start, edge.action): edge for edge in self.edges}
        if len(self._table) != len(self.edges):
            raise ValueError(f"{name}: two edges share a status and an action")
        unreachable = set(statuses) - self._reachable()
        if unreachable:
            raise ValueError(f"{name}: unreachable {sorted(unreachable)}")

    def _reachable(self) -> set[Status]:
        reached: set[Status] = set()
        frontier: set[Status | None] = {None}
        while frontier:
            ends = {edge.end for edge in self.edges if edge.start in frontier}
            frontier = set(ends - reached)
            reached |= ends
        return reached

    def edge(self, start: Status | None, action: str) -> Edge[Status]:
        """Return the edge of an action, or raise IllegalMove naming what would be possible."""
        found = self._table.get((start, action))
        if found is None:
            possible = ", ".join(self.actions(start)) or "nothing"
            raise IllegalMove(
                f"A {self.name} that is {start or 'not created'} cannot {action}; possible: {possible}.",
                subject=self.name,
                status_now=start,
                action=action,
            )
        return found

    def actions(self, start: Status | None) -> list[str]:
        """Return the actions possible in a status."""
        return [edge.action for edge in self.edges if edge.start == start]

    @property
    def terminal(self) -> set[Status]:
        """The statuses no action leaves."""
        return set(self.statuses) - {edge.start for edge in self.edges if edge.start is not None}

    def mermaid(self) -> str:
        """Return the lifecycle as a mermaid state diagram."""
        lines = ["stateDiagram-v2"]
        lines += [f"    {edge.start or '[*]'} --> {edge.end}: {edge.action}" for edge in self.edges]
        lines += [f"    {status} --> [*]" for status in self.statuses if status in self.terminal]
        return "\n".join(lines)
