"""What failed: grouped by cause, counted, and kept sealed where it is safe to send again."""

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.data_services.calling import Outgoing
from gateway.data_services.contract import SAFE_METHODS, Operation
from gateway.data_services.snapshot import Version
from gateway.data_services.trouble import Kind
from shared import clock, log
from shared.blobs.sealer import Sealer
from shared.caller import Caller
from shared.db import Database
from shared.ids import new_id

WRITE_EVERY_S = 0.5
PRUNE_EVERY_S = 60
GROUPS_MAX = 1_000
KEPT_PENDING_MAX = 500
SAMPLES_MAX = 10
GROUPS_KEPT_DAYS = 90
LEFT_OUT = frozenset({"traceparent", "tracestate", "forwarded", "via", "content-length"})

_log = log.get(__name__)

_GROUPS = text(
    f"""
    INSERT INTO data_service_failure AS f (fingerprint, service, version, operation, kind, upstream_status, complaint,
                                           calls, first_at, last_at, samples)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(fingerprint text, service text, version text,
        operation text, kind text, upstream_status smallint, complaint text, calls bigint, first_at timestamptz,
        last_at timestamptz, samples jsonb)
    ORDER BY fingerprint
    ON CONFLICT (fingerprint) DO UPDATE SET
        calls = f.calls + excluded.calls, last_at = greatest(f.last_at, excluded.last_at),
        samples = (SELECT jsonb_agg(e ORDER BY n) FROM (
            SELECT e, n FROM jsonb_array_elements(excluded.samples || f.samples) WITH ORDINALITY AS s(e, n)
            ORDER BY n LIMIT {SAMPLES_MAX}) AS newest)
    """
)
_KEPT = text(
    """
    INSERT INTO data_service_call (id, fingerprint, service, version, operation, client_id, agency, key_sha256,
                                   correlation_id, sealed, sealed_bytes, failed_at)
    VALUES (:id, :fingerprint, :service, :version, :operation, :client_id, :agency, :key_sha256, :correlation_id,
            :sealed, :sealed_bytes, :failed_at)
    ON CONFLICT (service, client_id, key_sha256) DO UPDATE SET
        fingerprint = excluded.fingerprint, version = excluded.version, operation = excluded.operation,
        correlation_id = excluded.correlation_id, sealed = excluded.sealed, sealed_bytes = excluded.sealed_bytes,
        failed_at = excluded.failed_at, done_at = NULL
    """
)
_PRUNE = (
    "DELETE FROM data_service_call WHERE failed_at < :before",
    """DELETE FROM data_service_call WHERE id IN
       (SELECT id FROM data_service_call ORDER BY failed_at DESC, id OFFSET :most)""",
    "DELETE FROM data_service_failure WHERE last_at < :long_before",
    "DELETE FROM data_service_rerun WHERE ended_at < :long_before",
)


@dataclass(frozen=True, slots=True)
class Failed:
    """One call that failed."""

    version: Version
    operation: Operation
    caller: Caller
    kind: Kind
    status: int | None
    complaint: str
    correlation: str
    outgoing: Outgoing

    @property
    def fingerprint(self) -> str:
        """What calls with the same cause have in common; no value of any of them."""
        cause = (self.version.full_name, self.operation.name, self.kind, self.status, self.complaint)
        return hashlib.sha256(orjson.dumps(cause)).hexdigest()[:32]


@dataclass(slots=True)
class _Group:
    first: Failed
    first_at: datetime
    last_at: datetime
    calls: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KeptCall:
    """What is in a sealed call."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes | None
    key: str


def purpose_of(service: str, client_id: str, key_sha256: bytes) -> str:
    """Return what a kept call is sealed for: only that call."""
    return f"data-service call {service} {client_id} {key_sha256.hex()}"


def unsealed(plain: bytes) -> KeptCall:
    """Return a kept call from its opened bytes."""
    found = orjson.loads(plain)
    body = base64.b64decode(found["body"]) if found["body"] is not None else None
    headers = [(name, value) for name, value in found["headers"]]
    return KeptCall(found["method"], found["target"], headers, body, found["key"])


def sealable(outgoing: Outgoing) -> bytes:
    """Return what is kept of a call: all that makes it the same call when it is sent again."""
    body = outgoing.body if isinstance(outgoing.body, bytes) else None
    return orjson.dumps(
        {
            "method": outgoing.method,
            "target": outgoing.target,
            "headers": [one for one in outgoing.headers if one[0] not in LEFT_OUT],
            "body": base64.b64encode(body).decode() if body is not None else None,
            "key": outgoing.key,
        }
    )


def may_keep(failed: Failed) -> bool:
    """Tell whether a failed call is worth keeping: it changes something, and may be sent again."""
    outgoing = failed.outgoing
    whole = outgoing.body is None or isinstance(outgoing.body, bytes)
    return outgoing.method not in SAFE_METHODS and failed.operation.safe_to_repeat and bool(outgoing.key) and whole


class Failures:
    """Gathers failures in memory and writes them every half second; an outage of the database loses none at once."""

    def __init__(self, database: Database, sealer: Sealer, *, calls_max: int, days: int) -> None:
        self.database, self.sealer = database, sealer
        self.calls_max, self.days = calls_max, days
        self._groups: dict[str, _Group] = {}
        self._kept: list[dict[str, Any]] = []

    def note(self, failed: Failed) -> None:
        """Count a failure and, where that is safe and there is a key, keep the call."""
        now = clock.now()
        fingerprint = failed.fingerprint
        group = self._groups.get(fingerprint)
        if group is None:
            if len(self._groups) >= GROUPS_MAX:
                return
            group = self._groups[fingerprint] = _Group(failed, now, now)
        group.calls += 1
        group.last_at = now
        group.samples = [failed.correlation, *group.samples[: SAMPLES_MAX - 1]]
        if self.sealer and may_keep(failed) and len(self._kept) < KEPT_PENDING_MAX:
            self._kept.append(self._row(failed, fingerprint, now))

    def _row(self, failed: Failed, fingerprint: str, now: datetime) -> dict[str, Any]:
        key_sha256 = hashlib.sha256(failed.outgoing.key.encode()).digest()
        purpose = purpose_of(failed.version.service, failed.caller.client_id, key_sha256)
        sealed = self.sealer.seal(sealable(failed.outgoing), purpose)
        return {
            "id": new_id(),
            "fingerprint": fingerprint,
            "service": failed.version.service,
            "version": failed.version.name,
            "operation": failed.operation.name,
            "client_id": failed.caller.client_id,
            "agency": failed.caller.agency,
            "key_sha256": key_sha256,
            "correlation_id": failed.correlation,
            "sealed": sealed,
            "sealed_bytes": len(sealed),
            "failed_at": now,
        }

    async def run(self) -> None:
        """Write for ever, and what is left when it is over."""
        prune_at = clock.monotonic()
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                await self._try_write()
                if clock.monotonic() >= prune_at:
                    prune_at = clock.monotonic() + PRUNE_EVERY_S
                    await self._try_prune()
        finally:
            await self._try_write()

    async def _try_write(self) -> None:
        groups, kept = self._groups, self._kept
        if not groups and not kept:
            return
        self._groups, self._kept = {}, []
        try:
            async with self.database.session() as session:
                await write(session, groups, kept)
                await session.commit()
        except Exception as problem:
            _log.warning("failures.not_written", reason=type(problem).__name__)
            self._take_back(groups, kept)

    def _take_back(self, groups: dict[str, _Group], kept: list[dict[str, Any]]) -> None:
        for fingerprint, group in groups.items():
            newer = self._groups.get(fingerprint)
            if newer is not None:
                group.calls += newer.calls
                group.last_at = newer.last_at
                group.samples = [*newer.samples, *group.samples][:SAMPLES_MAX]
            self._groups[fingerprint] = group
        self._kept = [*kept, *self._kept][:KEPT_PENDING_MAX]

    async def _try_prune(self) -> None:
        now = clock.now()
        values = {
            "before": now - timedelta(days=self.days),
            "most": self.calls_max,
            "long_before": now - timedelta(days=GROUPS_KEPT_DAYS),
        }
        try:
            async with self.database.session() as session:
                for statement in _PRUNE:
                    known = {name: value for name, value in values.items() if f":{name}" in statement}
                    await session.execute(text(statement), known)
                await session.commit()
        except Exception as problem:
            _log.warning("failures.not_pruned", reason=type(problem).__name__)


async def write(session: AsyncSession, groups: dict[str, _Group], kept: Sequence[dict[str, Any]]) -> None:
    """Add what was counted and kept to the tables."""
    rows = [
        {
            "fingerprint": fingerprint,
            "service": group.first.version.service,
            "version": group.first.version.name,
            "operation": group.first.operation.name,
            "kind": group.first.kind,
            "upstream_status": group.first.status,
            "complaint": group.first.complaint,
            "calls": group.calls,
            "first_at": group.first_at,
            "last_at": group.last_at,
            "samples": group.samples,
        }
        for fingerprint, group in groups.items()
    ]
    if rows:
        await session.execute(_GROUPS, {"rows": orjson.dumps(rows).decode()})
    if kept:
        await session.execute(_KEPT, list(kept))
