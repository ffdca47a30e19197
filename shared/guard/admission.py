"""How many calls a process has in hand at once, and who waits how long for a place.

A call beyond both bounds is refused at once, so that those in hand end in good time. While the line of waiting calls
does not get empty, nobody waits longer than a moment in it: whoever would be served after that has mostly given up.
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from prometheus_client import Counter as Total
from prometheus_client import Gauge

from shared import clock
from shared.guard.refusals import Overloaded
from shared.settings import Limits

REFUSED = Total("motcua_http_refused_total", "Requests refused before they were anybody's call.", ["reason"])
IN_HAND = Gauge("motcua_http_in_hand", "Calls being answered.", ["kind"])
WAITING = Gauge("motcua_http_waiting", "Calls waiting to be taken in hand.")
_in_hand = cache(IN_HAND.labels)
NOT_TAKEN = "answer_not_taken"
"""The one reason among those of REFUSED that ends a call which had been somebody's."""
GROUP_SHARE = 0.5
"""So much of all places calls to one part behind us may take: one that hangs leaves room for the others."""
CHANGES_IN_A_ROW_MAX = 3
"""Changes go before reads, but after so many of them a read has its turn."""


def refusals() -> Counter[str]:
    """Return how many requests this process has refused before they were anybody's call, by the problem's code."""
    samples = [one for metric in REFUSED.collect() for one in metric.samples if one.name.endswith("_total")]
    return Counter({one.labels["reason"]: int(one.value) for one in samples if one.labels["reason"] != NOT_TAKEN})


class Kind(StrEnum):
    """What sort of a call it is."""

    VITAL = "vital"
    """Health, metrics and the ops door: never made to wait."""
    CHANGE = "change"
    READ = "read"
    FILE = "file"
    """Brings a file; few at once, for their bytes."""
    PATIENT = "patient"
    """Waits for news by itself and does nothing meanwhile."""


@dataclass(slots=True)
class _Waiter:
    kind: Kind
    group: str
    turn: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Admission:
    """The places of one process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._apart = {
            Kind.VITAL: limits.calls_vital_max,
            Kind.FILE: limits.calls_file_max,
            Kind.PATIENT: limits.calls_patient_max,
        }
        self._group_max = max(1, int(limits.calls_max * GROUP_SHARE))
        self._in_hand: Counter[Kind] = Counter()
        self._groups: Counter[str] = Counter()
        self._waiting: dict[Kind, deque[_Waiter]] = {Kind.CHANGE: deque(), Kind.READ: deque()}
        self._changes_in_a_row = 0
        self._empty_at = clock.monotonic()

    def place(self, kind: Kind, group: str = "") -> "Place":
        """Return what takes a call in hand until it is answered: `async with`. Raises Overloaded on entering."""
        return Place(self, kind, group)

    async def enter(self, kind: Kind, group: str) -> None:
        """Take a call in hand; raises Overloaded when there is no place for it."""
        if kind in self._apart:
            self._take_apart(kind)
        elif not (self._waiting_calls() == 0 and self._has_place(group)):
            await self._wait(kind, group)
        else:
            self._take(kind, group)

    def leave(self, kind: Kind, group: str) -> None:
        """Give the place of a call back that has been answered."""
        self._in_hand[kind] -= 1
        self._groups[group] -= 1
        _in_hand(kind).dec()
        if self._waiting_calls():
            self._call_in()
        else:
            self._empty_at = clock.monotonic()

    def _take_apart(self, kind: Kind) -> None:
        if self._in_hand[kind] >= self._apart[kind]:
            raise Overloaded(f"At most {self._apart[kind]} calls of this kind at once.", limit=f"calls_{kind}_max")
        self._take(kind, "")

    def _has_place(self, group: str) -> bool:
        common = self._in_hand[Kind.CHANGE] + self._in_hand[Kind.READ]
        return common < self._limits.calls_max and (not group or self._groups[group] < self._group_max)

    def _take(self, kind: Kind, group: str) -> None:
        self._in_hand[kind] += 1
        self._groups[group] += 1
        _in_hand(kind).inc()

    async def _wait(self, kind: Kind, group: str) -> None:
        limits, now = self._limits, clock.monotonic()
        if self._waiting_calls() >= limits.calls_waiting_max:
            raise Overloaded("Too many calls are waiting already.", limit="calls_waiting_max")
        busy = now - self._empty_at > limits.call_wait_s
        waiter = _Waiter(kind, group)
        self._waiting[kind].append(waiter)
        WAITING.inc()
        self._call_in()
        try:
            async with asyncio.timeout(limits.call_wait_busy_s if busy else limits.call_wait_s):
                await waiter.turn
        except BaseException as problem:
            self._give_up(waiter)
            if isinstance(problem, TimeoutError):
                raise Overloaded("No place became free in time.", limit="call_wait_s") from problem
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        """Leave the line; a place that was given in the same moment goes to the next."""
        if waiter.turn.done() and not waiter.turn.cancelled():
            self.leave(waiter.kind, waiter.group)
            return
        self._waiting[waiter.kind].remove(waiter)
        WAITING.dec()
        self._note_empty()

    def _call_in(self) -> None:
        while (waiter := self._next()) is not None:
            self._waiting[waiter.kind].remove(waiter)
            WAITING.dec()
            self._take(waiter.kind, waiter.group)
            waiter.turn.set_result(None)
        self._note_empty()

    def _next(self) -> _Waiter | None:
        """Return who may come in: the change, or in its turn the read, that has waited longest and finds a place."""
        reads_turn = self._changes_in_a_row >= CHANGES_IN_A_ROW_MAX
        order = (Kind.READ, Kind.CHANGE) if reads_turn else (Kind.CHANGE, Kind.READ)
        for kind in order:
            for waiter in self._waiting[kind]:
                if not waiter.turn.done() and self._has_place(waiter.group):
                    self._changes_in_a_row = self._changes_in_a_row + 1 if kind == Kind.CHANGE else 0
                    return waiter
        return None

    def _waiting_calls(self) -> int:
        return len(self._waiting[Kind.CHANGE]) + len(self._waiting[Kind.READ])

    def _note_empty(self) -> None:
        if self._waiting_calls() == 0:
            self._empty_at = clock.monotonic()


class Place:
    """One call's place; a class, since a generator would cost every call more than the rest of its admission."""

    __slots__ = ("_admission", "_group", "_kind")

    def __init__(self, admission: Admission, kind: Kind, group: str) -> None:
        self._admission, self._kind, self._group = admission, kind, group

    async def __aenter__(self) -> None:
        """Take the call in hand. Raises Overloaded."""
        await self._admission.enter(self._kind, self._group)

    async def __aexit__(self, *_: object) -> None:
        """Give the place back."""
        self._admission.leave(self._kind, self._group)
