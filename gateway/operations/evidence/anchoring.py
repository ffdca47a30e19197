"""Anchoring the log: once a day, and when the gateway ends, an outside authority stamps how far it had come.

Nothing waits for it: while the authority is away the log is written on, and anchored when it is back.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from asn1crypto import x509
from prometheus_client import Counter, Gauge

from gateway.operations.evidence.stamps import Anchor, Unproven, append_anchor, check, imprint
from gateway.stamping import AuthorityAway, AuthorityRefused, StampingAuthority
from shared import clock, log
from shared.db import Database

TURN_S = 60
RETRY_LAST_S = 3600
END_TIMEOUT_S = 3
_LOCK_KEY = 0x616E6368  # "anch": the lock of whoever stamps

AGE = Gauge("motcua_evidence_anchor_age_seconds", "Since the log was last time-stamped; 0 where it never is.")
FAILED = Counter("motcua_evidence_anchor_failures", "Attempts at a time stamp that failed.")

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who stamps, whom we trust to certify that, and how often at least (seconds)."""

    door: StampingAuthority
    roots: Sequence[x509.Certificate]
    policy: str = ""
    every_s: float = 86_400


class Anchoring:
    """Keeps the log anchored; of several replicas one does."""

    def __init__(self, database: Database, authority: Authority | None, *, folder: str = "") -> None:
        self.authority = authority
        self.last_error = ""
        self._database = database
        self._folder = folder
        self._failures = 0
        self._started_at = clock.now()

    async def run(self, *, turn_s: float = TURN_S) -> None:
        """Anchor for ever; after failures the pauses grow, to an hour."""
        if self.authority is None:
            _log.warning("evidence.not_anchored", reason="no time-stamping authority is set")
            return
        while True:
            await self.attempt(every_s=self.authority.every_s)
            await asyncio.sleep(min(turn_s * 2**self._failures, max(turn_s, RETRY_LAST_S)))

    async def end(self) -> None:
        """Anchor what has been written since the last time, unless the authority makes us wait."""
        if self.authority is not None:
            await self.attempt(every_s=0, timeout_s=END_TIMEOUT_S)

    async def attempt(self, *, every_s: float, timeout_s: float | None = None) -> Anchor | None:
        """Anchor the log's head if the last anchor is older than so many seconds; None when there was nothing to do.

        A failure is counted and logged, never raised.
        """
        try:
            async with asyncio.timeout(timeout_s):
                made = await self._anchor(every_s)
        except Exception as problem:
            self._failures = min(self._failures + 1, 10)
            self.last_error = f"{type(problem).__name__}: {problem}"[:300]
            FAILED.inc()
            known = isinstance(problem, AuthorityAway | AuthorityRefused | Unproven)
            _log.warning("evidence.anchor_waiting", reason=self.last_error if known else type(problem).__name__)
            return None
        self._failures, self.last_error = 0, ""
        return made

    async def _anchor(self, every_s: float) -> Anchor | None:
        connection = await self._database.connect()
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK_KEY):
                return None
            return await self._anchor_alone(connection, every_s)
        finally:
            await connection.close(timeout=2)

    async def _anchor_alone(self, connection: asyncpg.Connection, every_s: float) -> Anchor | None:
        head = await connection.fetchrow("SELECT number, hash FROM transaction_head")
        last = await connection.fetchrow(
            "SELECT number, stamped_at FROM transaction_anchor ORDER BY number DESC LIMIT 1"
        )
        AGE.set((clock.now() - (last["stamped_at"] if last else self._started_at)).total_seconds())
        if head is None or head["number"] == 0 or (last and head["number"] <= last["number"]):
            return None
        if last and (clock.now() - last["stamped_at"]).total_seconds() < every_s:
            return None
        return await self._stamp(connection, head["number"], head["hash"])

    async def _stamp(self, connection: asyncpg.Connection, number: int, digest: bytes) -> Anchor:
        if self.authority is None:
            raise AuthorityAway("no authority is set")
        token = await self.authority.door.stamp(imprint(number, digest))
        anchor = Anchor(number, digest, token)
        proven = await check(anchor, self.authority.roots, policy=self.authority.policy)
        await keep(connection, anchor, proven.at)
        append_anchor(self._folder, anchor, proven.at)
        AGE.set(0)
        _log.info("evidence.anchored", number=number, at=proven.at.isoformat())
        return anchor


async def keep(connection: asyncpg.Connection, anchor: Anchor, stamped_at: datetime) -> None:
    """Keep a token in the database."""
    await connection.execute(
        "INSERT INTO transaction_anchor (number, hash, stamped_at, token) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        *(anchor.number, anchor.hash, stamped_at, anchor.token),
    )
