"""Telling receivers: one courier is active (an advisory lock), and stands on the feed's order.

It hands the feed on, page by page, as messages to those that follow it, each with its own place in the feed, and sends
what is due: of each dossier and subscription one message at a time, many side by side. A message is on its way until
it is answered 2xx or its schedule ends, always under the same id. Nothing is noted before the answer is there: whoever
is killed in between sends it again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import groupby
from uuid import UUID

from prometheus_client import Counter, Gauge, Histogram

from gateway.webhooks import signing
from gateway.webhooks.circuits import Circuits, Plan
from gateway.webhooks.following import CursorOf, Follower, share
from gateway.webhooks.rows import Due, Outcome, Rows
from shared import clock, log
from shared.blobs.sealer import Sealer, Unopenable
from shared.db import Database
from shared.leading import for_ever, leading
from shared.listening import listen
from shared.outgoing import AddressRefused, NoAnswer, Outgoing

CHANNEL = "motcua_gateway"
POLL_S = 1.0
GATHER_S = 0.02
"""Pause between looks at what is due, so that a look is not made for every single answer."""
RESTART_S = 1.0
TIDY_S = 60.0
GROUPS_MAX = 4
"""Places in the feed from which a page is handed on in one round: those ahead do not wait for those behind."""
_LOCK_KEY = 0x686F6F6B  # "hook": the lock of the active courier

ATTEMPTS = Counter("motcua_webhook_attempts_total", "Calls to receivers of webhooks.", ["outcome"])
DURATION = Histogram("motcua_webhook_duration_seconds", "How long receivers took.", buckets=(0.05, 0.2, 1, 5, 15))
OWED = Gauge("motcua_webhook_owed_messages", "Messages not delivered so far.")
OLDEST = Gauge("motcua_webhook_oldest_age_seconds", "Age of the oldest of them that is to be delivered.")
DISABLED = Gauge("motcua_webhook_disabled_subscriptions", "Subscriptions disabled by their receiver's failures.")

_log = log.get(__name__)
Inherited = Callable[[str], Awaitable[Sequence[str]]]


class Courier:
    """Tells receivers for ever."""

    def __init__(
        self,
        database: Database,
        outgoing: Outgoing,
        sealer: Sealer,
        *,
        inherited: Inherited,
        cursor_of: CursorOf,
        plan: Plan,
    ) -> None:
        self.database = database
        self.outgoing = outgoing
        self.sealer = sealer
        self.inherited = inherited
        self.cursor_of = cursor_of
        self.plan = plan
        self.leads = False
        self.circuits = Circuits(plan)
        self._wake = asyncio.Event()
        self._on_their_way: dict[asyncio.Task[None], tuple[UUID, str]] = {}
        self._tidy_at = float("-inf")

    async def run(self) -> None:
        """Tell for ever; outages of the database are waited out."""
        await for_ever("courier", self._lead, pause_s=RESTART_S)

    async def _lead(self) -> None:
        async with leading(self.database, _LOCK_KEY, poll_s=POLL_S) as connection:
            try:
                self.leads = True
                await listen(connection, CHANNEL, self._wake.set)
                self.circuits = Circuits(self.plan)
                await self._tell_on(Rows(connection, self.plan))
            finally:
                self.leads = False
                for task in self._on_their_way:
                    task.cancel()
                await asyncio.gather(*self._on_their_way, return_exceptions=True)
                self._on_their_way.clear()

    async def _tell_on(self, rows: Rows) -> None:
        while True:
            self._wake.clear()
            followers = await rows.followers()
            more = await self._hand_on(rows, followers)
            await self._send_out(rows, followers)
            await self._tidy(rows)
            await self._wait(0 if more else POLL_S)
            await asyncio.sleep(GATHER_S)

    async def _hand_on(self, rows: Rows, followers: Sequence[Follower]) -> bool:
        """Hand a page of the feed on from some of the places where followers stand; tell whether there may be more."""
        ready = [one for one in followers if not one.full]
        places = [(place, list(group)) for place, group in groupby(ready, key=lambda one: one.position)]
        handed_on = False
        for place, group in [*places[-1:], *places[:-1][: GROUPS_MAX - 1]]:
            changes = await rows.changes(place)
            if changes:
                heirs = [await self._heir(rows, one) for one in group]
                await rows.hand_on(share(heirs, changes, self.cursor_of), clock.now())
                handed_on = True
        return handed_on

    async def _heir(self, rows: Rows, follower: Follower) -> Follower:
        """Return a follower with the closed agencies that are its own now; what it once had it keeps in an outage."""
        agencies = sorted({*follower.inherited, *await self.inherited(follower.agency)})
        if tuple(agencies) != follower.inherited:
            await rows.inherit(follower, agencies)
        return replace(follower, inherited=tuple(agencies))

    async def _send_out(self, rows: Rows, followers: Sequence[Follower]) -> None:
        now = clock.now()
        waiting = await rows.waiting(now)
        for follower in followers:
            free = min(self.circuits.free(follower.id), self.plan.concurrency - len(self._on_their_way))
            if follower.id not in waiting or free <= 0:
                continue
            away = [code for receiver, code in self._on_their_way.values() if receiver == follower.id]
            for due in await rows.due(follower.id, now, without=away, most=free):
                self.circuits.set_out(follower.id)
                task = asyncio.create_task(self._deliver(rows, follower, due))
                self._on_their_way[task] = (follower.id, due.dossier_code)

    async def _deliver(self, rows: Rows, follower: Follower, due: Due) -> None:
        outcome = Outcome(None, "broken_off", 0)
        try:
            outcome = await self._attempt(follower, due)
            ATTEMPTS.labels("delivered" if outcome.well else "failed").inc()
            DURATION.observe(outcome.duration_ms / 1000)
            because = await rows.note(follower, due, outcome, clock.now())
            if because:
                _log.warning("courier.subscription_disabled", subscription=str(follower.id), because=because)
        finally:
            self.circuits.came_back(follower.id, well=_is_alive(outcome))
            self._wake.set()

    async def _attempt(self, follower: Follower, due: Due) -> Outcome:
        at, body, started = clock.now(), due.body.encode(), clock.monotonic()
        kept = [follower.secret]
        if follower.old_secret and follower.old_secret_until and at < follower.old_secret_until:
            kept.append(follower.old_secret)
        try:
            secrets = [signing.opened(self.sealer, follower.id, one) for one in kept]
            reply = await self.outgoing.send(
                "POST", follower.url, headers=signing.headers(due.id, at, body, secrets), body=body
            )
        except AddressRefused:
            return Outcome(None, "address_refused", _since(started))
        except Unopenable:
            return Outcome(None, "secret_unreadable", _since(started))
        except NoAnswer as problem:
            return Outcome(None, problem.reason, _since(started))
        return Outcome(reply.status, None, _since(started), reply.headers.get("retry-after"))

    async def _tidy(self, rows: Rows) -> None:
        if clock.monotonic() < self._tidy_at:
            return
        self._tidy_at = clock.monotonic() + TIDY_S
        await rows.forget(clock.now())
        state = await rows.state()
        OWED.set(state["owed"])
        DISABLED.set(state["disabled"])
        OLDEST.set((clock.now() - state["oldest"]).total_seconds() if state["oldest"] else 0)

    async def _wait(self, seconds: float) -> None:
        """Wait for something new, for a message to come home, or a while; raise what a message raised."""
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait([woken, *self._on_their_way], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        for task in [task for task in self._on_their_way if task.done()]:
            del self._on_their_way[task]
            task.result()


def _is_alive(outcome: Outcome) -> bool:
    """Tell whether a receiver works, even if it does not want this very message (400)."""
    return outcome.status is not None and outcome.status not in {408, 429} and outcome.status < 500  # noqa: PLR2004


def _since(started: float) -> int:
    return round((clock.monotonic() - started) * 1000)
