"""The leader that sends failed calls again: one at a time for each re-run, until it is through, paused or stopped.

A call that was sent but not noted (the process died between) is sent once more under its own Idempotency-Key, which
its service takes for the same call.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from opentelemetry.trace import SpanKind
from sqlalchemy import text

from gateway.data_services.calling import Caller, Outgoing, read_beginning
from gateway.data_services.contract import Operation
from gateway.data_services.lines import Lines
from gateway.data_services.snapshot import Registry, Version
from gateway.data_services.trouble import Trouble
from gateway.operations.data_services.failing import KeptCall, purpose_of, unsealed
from gateway.operations.data_services.obstacles import Obstacle, version_or_obstacle
from gateway.operations.data_services.rerunning import CHANNEL
from gateway.operations.evidence import Call, Evidence
from shared import clock, log, telemetry
from shared.blobs.sealer import Sealer, Unopenable
from shared.db import Database
from shared.leading import for_ever, leading
from shared.listening import listen

POLL_S = 2.0
RESTART_S = 1.0
WAIT_S = 0.1
ANSWER_BYTES_MAX = 256 * 1024
PATH = "/api/v1/data-services/"
REFUSED, SERVER_ERROR, AGAIN = 400, 500, frozenset({408, 425, 429})
_LOCK_KEY = 0x72657275  # "reru": the lock of the active leader

_log = log.get(__name__)

_RUNNING = "SELECT id FROM data_service_rerun WHERE stage = 'running' ORDER BY asked_at LIMIT 20"
_NEXT = text(
    """
    SELECT r.asked_by, r.calls_per_second, rc.nth, rc.call_id, c.service, c.version, c.client_id, c.agency,
           c.key_sha256, c.sealed
    FROM data_service_rerun r
    JOIN data_service_rerun_call rc ON rc.rerun_id = r.id AND rc.outcome IS NULL
    LEFT JOIN data_service_call c ON c.id = rc.call_id
    WHERE r.id = :id AND r.stage = 'running' ORDER BY rc.nth LIMIT 1
    """
)
_NOTE = text(
    """
    UPDATE data_service_rerun_call SET outcome = :outcome, upstream_status = :status, at = :at
    WHERE rerun_id = :id AND nth = :nth
    """
)
_ERASE = text("UPDATE data_service_call SET sealed = NULL, done_at = :at WHERE id = :call_id")
_END = text(
    """
    UPDATE data_service_rerun r SET stage = 'done', ended_at = :at WHERE id = :id AND stage = 'running'
    AND NOT EXISTS (SELECT FROM data_service_rerun_call WHERE rerun_id = r.id AND outcome IS NULL)
    """
)


@dataclass(frozen=True, slots=True)
class _Sent:
    outcome: str
    status: int | None = None
    bytes_out: int = 0
    answer: bytes = b""


class Sender:
    """Leads every re-run that is running."""

    def __init__(
        self, database: Database, registry: Registry, road: Caller, lines: Lines, sealer: Sealer, evidence: Evidence
    ) -> None:
        self.database, self.registry, self.road, self.lines = database, registry, road, lines
        self.sealer, self.evidence = sealer, evidence
        self._leading: dict[UUID, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Lead for ever."""
        await for_ever("reruns", self._lead, pause_s=RESTART_S)

    async def _lead(self) -> None:
        rung = asyncio.Event()
        async with leading(self.database, _LOCK_KEY, poll_s=POLL_S) as connection:
            try:
                await listen(connection, CHANNEL, rung.set)
                await self._lead_on(connection, rung)
            finally:
                for task in self._leading.values():
                    task.cancel()
                await asyncio.gather(*self._leading.values(), return_exceptions=True)
                self._leading.clear()

    async def _lead_on(self, connection: asyncpg.Connection, rung: asyncio.Event) -> None:
        while True:
            rung.clear()
            # Before the registry was read, no service is known: that is no failure of a call.
            while not self.registry.loaded:
                await asyncio.sleep(WAIT_S)
            for row in await connection.fetch(_RUNNING):
                if row["id"] not in self._leading:
                    self._leading[row["id"]] = asyncio.create_task(self._lead_one(row["id"]))
            await self._wait(rung)

    async def _wait(self, rung: asyncio.Event) -> None:
        """Wait for an order, or a while; raise what a re-run raised."""
        ringing = asyncio.ensure_future(rung.wait())
        try:
            await asyncio.wait([ringing, *self._leading.values()], timeout=POLL_S, return_when="FIRST_COMPLETED")
        finally:
            ringing.cancel()
        for rerun_id, task in list(self._leading.items()):
            if task.done():
                del self._leading[rerun_id]
                task.result()

    async def _lead_one(self, rerun_id: UUID) -> None:
        while True:
            async with self.database.session() as session:
                row = (await session.execute(_NEXT, {"id": rerun_id})).mappings().first()
                if row is None:
                    await session.execute(_END, {"id": rerun_id, "at": clock.now()})
                    await session.commit()
                    return
            outcome = await self._send(row)
            await self._note(rerun_id, row, outcome)
            await asyncio.sleep(1 / row["calls_per_second"])

    async def _note(self, rerun_id: UUID, row: Any, sent: _Sent) -> None:  # noqa: ANN401 - a row
        at = clock.now()
        values = {"id": rerun_id, "nth": row["nth"], "outcome": sent.outcome, "status": sent.status, "at": at}
        async with self.database.session() as session:
            await session.execute(_NOTE, values)
            if sent.outcome == "succeeded":
                await session.execute(_ERASE, {"call_id": row["call_id"], "at": at})
            await session.commit()

    async def _send(self, row: Any) -> _Sent:  # noqa: ANN401 - a row
        if row["sealed"] is None:
            return _Sent("gone")
        try:
            plain = self.sealer.open(
                row["sealed"], purpose_of(row["service"], row["client_id"], bytes(row["key_sha256"]))
            )
        except Unopenable:
            _log.error("reruns.unopenable", call=str(row["call_id"]))
            return _Sent("gone")
        kept = unsealed(plain)
        found = self._callable(row, kept)
        if found is None:
            return _Sent("failed")
        with telemetry.span("rerun data service", SpanKind.CLIENT, None) as traceparent:
            started, began = clock.now(), clock.monotonic()
            sent = await self._call(*found, kept, row["client_id"], traceparent)
            took_us = int((clock.monotonic() - began) * 1e6)
            await self.evidence.store(_evidence(row, found, kept, sent, (started, took_us, traceparent)))
        return sent

    def _callable(self, row: Any, kept: KeptCall) -> tuple[Version, Operation] | None:  # noqa: ANN401 - a row
        """Return what a kept call goes to; None while that may not be called, or not twice."""
        version = version_or_obstacle(self.registry, row["service"], row["version"], clock.now())
        if isinstance(version, Obstacle):
            return None
        operation = version.contract.find(kept.target.partition("?")[0]).get(kept.method)
        return (version, operation) if operation is not None and operation.safe_to_repeat else None

    async def _call(
        self, version: Version, operation: Operation, kept: KeptCall, client_id: str, traceparent: str
    ) -> _Sent:
        headers = [
            *kept.headers,
            ("traceparent", traceparent),
            ("via", "1.1 motcua"),
            ("forwarded", f"for=_{client_id}"),
        ]
        outgoing = Outgoing(kept.method, kept.target, headers, kept.body, key=kept.key)
        line = self.lines.of(version)
        line.crowd.enter(client_id)
        try:
            answer = await self.road.call(version, operation, outgoing, line)
            try:
                body = await read_beginning(answer, ANSWER_BYTES_MAX)
            finally:
                answer.close()
        except Trouble:
            return _Sent("failed", bytes_out=len(kept.body or b""))
        finally:
            line.crowd.leave(client_id)
        again = answer.status >= SERVER_ERROR or answer.status in AGAIN
        outcome = "failed" if again else "refused" if answer.status >= REFUSED else "succeeded"
        return _Sent(outcome, answer.status, len(kept.body or b""), body)


def _evidence(
    row: Any,  # noqa: ANN401
    found: tuple[Version, Operation],
    kept: KeptCall,
    sent: _Sent,
    timing: tuple[datetime, int, str],
) -> Call:
    """Return the log's entry of a call that was sent again: by whoever asked for it."""
    version, operation = found
    full_name = version.full_name
    at, took_us, traceparent = timing
    return Call(
        at=at,
        client_id=row["asked_by"],
        agency=row["agency"],
        service=f"data:{full_name}",
        method=kept.method,
        path=f"{PATH}{full_name}{operation.path}",
        status=sent.status or 0,
        duration_us=took_us,
        request_bytes=sent.bytes_out,
        response_bytes=len(sent.answer),
        trace_id=traceparent.split("-")[1],
        dossier_code=None,
        request_sha256=hashlib.sha256(kept.body or b"").digest(),
        response_sha256=hashlib.sha256(sent.answer).digest(),
    )
