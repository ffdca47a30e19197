"""Subscriptions and messages as rows, over the leader's own connection: who loses the lead can write no more."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from gateway.webhooks.circuits import Plan
from gateway.webhooks.following import Change, Follower, Message, Share
from shared.ids import new_id

PAGE = 1000
DELETE_BATCH = 5000

# Clients whose tokens come from elsewhere are not in the book of clients; of those in it only active ones are told.
_FOLLOWERS = """
    SELECT s.id, coalesce(c.agency, s.agency) AS agency, s.inherited, s.url, s.event_types, s.only_agency,
           s.only_procedure, s.secret, s.old_secret, s.old_secret_until, s.failing_since, s.position
    FROM subscription AS s LEFT JOIN client AS c ON c.client_id = s.client_id
    WHERE s.enabled AND coalesce(c.active AND (c.valid_until IS NULL OR c.valid_until > now()), true)
    ORDER BY s.position, s.id
"""
_BACKLOG = """
    SELECT id FROM unnest($1::uuid[]) AS t(id)
    WHERE (SELECT count(*) FROM (SELECT 1 FROM delivery AS d WHERE d.subscription_id = t.id AND d.finished_at IS NULL
                                 LIMIT $2) AS owed) >= $2
"""
_CHANGES = """
    SELECT position, dossier_code, agency_code, procedure_code, event_type, happened_at, portal_status, version,
           deleted, detail
    FROM change WHERE position > $1 ORDER BY position LIMIT $2
"""
_MOVE = "UPDATE subscription SET position = $2 WHERE id = ANY($1::uuid[]) AND position = $3 RETURNING id"
_ADD = """
    INSERT INTO delivery (id, subscription_id, dossier_code, event_type, position, body, created_at, tries, attempts,
                          next_attempt_at)
    SELECT t.id, t.subscription, t.code, t.type, t.position, t.body, $7, 0, 0, $7
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[])
         WITH ORDINALITY AS t(id, subscription, code, type, position, body, place)
    ORDER BY t.place
"""
_INHERIT = "UPDATE subscription SET inherited = $2 WHERE id = $1"
_WAITING = """
    SELECT DISTINCT subscription_id FROM delivery WHERE finished_at IS NULL AND next_attempt_at <= $1
"""
# Of each dossier only its oldest message that is not finished: order is kept by waiting for it.
_DUE = """
    SELECT d.nth, d.id, d.dossier_code, d.body, d.tries, d.attempts FROM delivery AS d
    WHERE d.subscription_id = $1 AND d.finished_at IS NULL AND d.next_attempt_at <= $2
          AND d.dossier_code <> ALL($3::text[])
          AND NOT EXISTS (SELECT 1 FROM delivery AS e WHERE e.subscription_id = d.subscription_id
                          AND e.dossier_code = d.dossier_code AND e.finished_at IS NULL AND e.nth < d.nth)
    ORDER BY d.nth LIMIT $4
"""
_ATTEMPTED = """
    INSERT INTO delivery_attempt (delivery_nth, number, at, http_status, reason, duration_ms)
    SELECT nth, attempts + 1, $2, $3, $4, $5 FROM delivery WHERE nth = $1
"""
_NOTED = """
    UPDATE delivery SET attempts = attempts + 1, tries = tries + 1, next_attempt_at = coalesce($2, next_attempt_at),
        finished_at = $3, outcome = $4
    WHERE nth = $1
"""
_WELL = "UPDATE subscription SET failing_since = NULL, last_success_at = $2 WHERE id = $1"
_FAILING = "UPDATE subscription SET failing_since = coalesce(failing_since, $2) WHERE id = $1"
_DISABLE = """
    UPDATE subscription SET enabled = false, disabled_because = $2, disabled_at = $3
    WHERE id = $1 AND enabled AND ($4::timestamptz IS NULL OR failing_since < $4)
    RETURNING id
"""
_FORGET = """
    DELETE FROM delivery WHERE nth IN (SELECT nth FROM delivery WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)
"""
_FORGET_SECRETS = "UPDATE subscription SET old_secret = NULL, old_secret_until = NULL WHERE old_secret_until <= $1"
_STATE = """
    SELECT count(*) FILTER (WHERE enabled) AS enabled,
           count(*) FILTER (WHERE NOT enabled AND disabled_because <> 'asked') AS disabled,
           (SELECT count(*) FROM delivery WHERE finished_at IS NULL) AS owed,
           (SELECT min(d.created_at) FROM delivery AS d JOIN subscription AS o ON o.id = d.subscription_id
            WHERE d.finished_at IS NULL AND o.enabled) AS oldest
    FROM subscription
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A message that may set out."""

    nth: int
    id: UUID
    dossier_code: str
    body: str
    tries: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: a status, or why there is none."""

    status: int | None
    reason: str | None
    duration_ms: int
    retry_after: str | None = None

    @property
    def well(self) -> bool:
        """The receiver took it (2xx)."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP

    @property
    def gone(self) -> bool:
        """The receiver wants no more (410)."""
        return self.status == 410  # noqa: PLR2004 - HTTP


class Rows:
    """The rows, one statement at a time."""

    def __init__(self, connection: asyncpg.Connection, plan: Plan) -> None:
        self.connection = connection
        self.plan = plan
        self._turn = asyncio.Lock()

    async def followers(self) -> list[Follower]:
        """Return the subscriptions that are to be told, those furthest behind first."""
        async with self._turn:
            rows = await self.connection.fetch(_FOLLOWERS)
            full = await self.connection.fetch(_BACKLOG, [row["id"] for row in rows], self.plan.backlog_max)
        stopped = {row["id"] for row in full}
        found = [_follower(row) for row in rows]
        return [replace(one, full=True) if one.id in stopped else one for one in found]

    async def changes(self, after: int) -> list[Change]:
        """Return a page of the feed."""
        async with self._turn:
            rows = await self.connection.fetch(_CHANGES, after, PAGE)
        return [_change(row) for row in rows]

    async def hand_on(self, shared: Share, now: datetime) -> None:
        """Write messages, and that their followers have them, in one transaction."""
        async with self._turn, self.connection.transaction():
            ids = [one.id for one in shared.followers]
            moved = {row["id"] for row in await self.connection.fetch(_MOVE, ids, shared.last, shared.place)}
            # Who was set to another place meanwhile is not told from here.
            await self._add([one for one in shared.messages if one.follower in moved], now)

    async def _add(self, messages: Sequence[Message], now: datetime) -> None:
        if messages:
            columns: Iterable[tuple[object, ...]] = zip(
                *((new_id(), m.follower, m.dossier_code, m.event_type, m.position, m.body) for m in messages),
                strict=True,
            )
            await self.connection.execute(_ADD, *map(list, columns), now)

    async def inherit(self, follower: Follower, agencies: Sequence[str]) -> None:
        """Remember which closed agencies a follower's agency took over."""
        await self._write(_INHERIT, follower.id, list(agencies))

    async def waiting(self, now: datetime) -> set[UUID]:
        """Return the subscriptions to which something is due."""
        async with self._turn:
            return {row["subscription_id"] for row in await self.connection.fetch(_WAITING, now)}

    async def due(self, follower: UUID, now: datetime, *, without: Sequence[str], most: int) -> list[Due]:
        """Return what may set out to a follower now, of each dossier the oldest."""
        async with self._turn:
            rows = await self.connection.fetch(_DUE, follower, now, without, most)
        return [Due(row["nth"], row["id"], row["dossier_code"], row["body"], row["tries"]) for row in rows]

    async def note(self, follower: Follower, due: Due, outcome: Outcome, now: datetime) -> str | None:
        """Write how an attempt went and what follows; return why the subscription was disabled, if it was."""
        again = None if outcome.well else self.plan.next_attempt(due.tries + 1, now, outcome.retry_after)
        result = "delivered" if outcome.well else "failed" if again is None else None
        if outcome.gone:
            again, result = now, None
        async with self._turn, self.connection.transaction():
            await self.connection.execute(_ATTEMPTED, due.nth, now, outcome.status, outcome.reason, outcome.duration_ms)
            await self.connection.execute(_NOTED, due.nth, again, now if result else None, result)
            await self.connection.execute(_WELL if outcome.well else _FAILING, follower.id, now)
            return await self._disabled(follower, outcome, now)

    async def _disabled(self, follower: Follower, outcome: Outcome, now: datetime) -> str | None:
        if outcome.well:
            return None
        because = "gone" if outcome.gone else "failing"
        before = None if outcome.gone else now - timedelta(seconds=self.plan.disable_after_s)
        return because if await self.connection.fetch(_DISABLE, follower.id, because, now, before) else None

    async def forget(self, now: datetime) -> None:
        """Delete what is past its time, and secrets that no longer sign."""
        await self._write(_FORGET_SECRETS, now)
        before = now - timedelta(seconds=self.plan.history_s)
        while await self._write(_FORGET, before, DELETE_BATCH) == f"DELETE {DELETE_BATCH}":
            pass

    async def state(self) -> asyncpg.Record:
        """Return figures: subscriptions that are told, that are disabled, messages owed and since when."""
        async with self._turn:
            row = await self.connection.fetchrow(_STATE)
        if row is None:
            raise AssertionError("an aggregate always has a row")
        return row

    async def _write(self, statement: str, *values: object) -> str:
        async with self._turn:
            return await self.connection.execute(statement, *values)


def _follower(row: asyncpg.Record) -> Follower:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Follower(**values)


def _change(row: asyncpg.Record) -> Change:
    values: dict[str, Any] = {**row, "detail": orjson.loads(row["detail"])}
    return Change(**values)
