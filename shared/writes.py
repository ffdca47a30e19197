"""Every call that changes something: once per Idempotency-Key, in one transaction with the answer it gives.

The key's row, the effect, the events and the answer commit together before the answer leaves. The same key with the
same body gets the first answer again, with another body IdempotencyKeyReused. A refusal commits nothing, so its key
stays free. Routes that many call at once may share a transaction (group commit): their effects run one after another,
one commit serves all; if one is refused the others are run again without it, if one fails each is run alone.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from shared import clock, log
from shared.caller import Caller
from shared.db import Database, is_conflict, is_outage
from shared.errors import DomainError, IdempotencyKeyReused
from shared.work import Work

GROUP_MAX = 64
REFUSALS_MAX = 4
"""Refused members a group is run again without; with more of them, each is run alone."""
REFUSALS = (DomainError, RequestValidationError)
TRIES_MAX = 4
RETRY_S = 0.25

_log = log.get(__name__)

_CLAIM = text(
    """
    INSERT INTO idempotency_key (client, key, fingerprint, created_at)
    SELECT * FROM unnest(CAST(:clients AS text[]), CAST(:keys AS text[]), CAST(:prints AS bytea[]),
                         array_fill(CAST(:now AS timestamptz), ARRAY[cardinality(CAST(:keys AS text[]))]))
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING RETURNING client, key
    """
)
_FIND = text("SELECT fingerprint, status, headers, body FROM idempotency_key WHERE client = :client AND key = :key")
_ANSWER = text(
    """
    UPDATE idempotency_key AS i SET status = t.status, headers = CAST(t.headers AS jsonb), body = t.body
    FROM unnest(CAST(:clients AS text[]), CAST(:keys AS text[]), CAST(:statuses AS smallint[]),
                CAST(:headers AS text[]), CAST(:bodies AS bytea[])) AS t(client, key, status, headers, body)
    WHERE i.client = t.client AND i.key = t.key
    """
)


class AnsweredOnce(Response):
    """An answer with something that is told this once, such as a secret: the repeated key gets `kept` instead."""

    def __init__(self, content: bytes, *, kept: bytes, **more: Any) -> None:  # noqa: ANN401 - Response's
        super().__init__(content, **more)
        self.kept = kept


@dataclass(slots=True)
class Write:
    """One call: who, under which key, and the effect that makes the answer."""

    caller: Caller
    key: str
    fingerprint: bytes
    act: Callable[[Work], Awaitable[Response]]
    traceparent: str | None = None
    answer: "asyncio.Future[Response]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def fingerprint(method: str, target: str, body: bytes) -> bytes:
    """Return what tells one request from another: method, target (path and query) and body."""
    return hashlib.sha256(b"%b %b\n%b" % (method.encode(), target.encode(), body)).digest()


class Writer:
    """Runs the writes of one service."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._queue: list[Write] = []
        self._leader: asyncio.Task[None] | None = None

    async def alone(self, write: Write) -> Response:
        """Run one write in a transaction of its own.

        An outage or a conflict with another transaction is tried again a few times: the key makes that safe, even
        when it is unknown whether a commit arrived.
        """
        for attempt in range(TRIES_MAX):
            try:
                return await self._once(write)
            except DomainError:
                raise
            except Exception as problem:
                last = attempt == TRIES_MAX - 1
                if last or not (is_outage(problem) or is_conflict(problem)):
                    raise
                await asyncio.sleep(RETRY_S * 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(self, write: Write) -> Response:
        async with self.database.session() as session:
            now = clock.now()
            if not await _claim(session, [write]):
                return await _earlier_answer(session, write)
            work = Work(session, now, write.caller, traceparent=write.traceparent)
            response = await write.act(work)
            await session.flush()
            await _store(session, [(write, response)])
            await work.commit()
            return response

    async def grouped(self, write: Write) -> Response:
        """Run one write together with those that arrive at the same time."""
        self._queue.append(write)
        if self._leader is None:
            self._leader = asyncio.create_task(self._lead())
        return await asyncio.shield(write.answer)

    async def _lead(self) -> None:
        try:
            while self._queue:
                group, self._queue = self._queue[:GROUP_MAX], self._queue[GROUP_MAX:]
                for _ in range(REFUSALS_MAX):
                    refused = await self._together(group) if len(group) > 1 else None
                    if refused is None:
                        break
                    group = [write for write in group if write is not refused]
                await self._one_by_one([write for write in group if not write.answer.done()])
        finally:
            self._leader = None

    async def _together(self, group: Sequence[Write]) -> Write | None:
        """Run a group in one transaction; return the write that was refused, without which the others can go on.

        Whoever has no answer afterwards must be run alone: nothing was done for it.
        """
        if len({(write.caller.client_id, write.key) for write in group}) < len(group):
            return None
        answers: list[tuple[Write, Response]] = []
        try:
            async with self.database.session() as session:
                if len(await _claim(session, group)) < len(group):
                    return None
                work = Work(session, clock.now(), group[0].caller)
                for write in group:
                    work.caller, work.traceparent = write.caller, write.traceparent
                    answers.append((write, await write.act(work)))
                await session.flush()
                await _store(session, answers)
                await work.commit()
        except Exception as problem:
            if isinstance(problem, REFUSALS) and len(answers) < len(group):
                _settle(group[len(answers)], problem)
                return group[len(answers)]
            _log.info("writes.group_split", size=len(group), reason=type(problem).__name__)
            return None
        for write, response in answers:
            _settle(write, response)
        return None

    async def _one_by_one(self, group: Sequence[Write]) -> None:
        for write in group:
            try:
                _settle(write, await self.alone(write))
            except Exception as problem:
                _settle(write, problem)


def _settle(write: Write, outcome: Response | Exception) -> None:
    """Give a write its answer, unless its caller has left."""
    if write.answer.done():
        return
    if isinstance(outcome, Exception):
        write.answer.set_exception(outcome)
    else:
        write.answer.set_result(outcome)


async def _claim(session: AsyncSession, writes: Sequence[Write]) -> list[object]:
    rows = await session.execute(
        _CLAIM,
        {
            "clients": [write.caller.client_id for write in writes],
            "keys": [write.key for write in writes],
            "prints": [write.fingerprint for write in writes],
            "now": clock.now(),
        },
    )
    return list(rows)


async def _earlier_answer(session: AsyncSession, write: Write) -> Response:
    row = (await session.execute(_FIND, {"client": write.caller.client_id, "key": write.key})).one()
    if row.fingerprint != write.fingerprint:
        raise IdempotencyKeyReused("Use a new key for a new request; repeat a request with its own body.")
    return Response(row.body, status_code=row.status, headers={**row.headers, "Idempotency-Replayed": "true"})


async def _store(session: AsyncSession, answers: Sequence[tuple[Write, Response]]) -> None:
    await session.execute(
        _ANSWER,
        {
            "clients": [write.caller.client_id for write, _ in answers],
            "keys": [write.key for write, _ in answers],
            "statuses": [response.status_code for _, response in answers],
            "headers": [orjson.dumps(_kept_headers(response)).decode() for _, response in answers],
            "bodies": [_kept(response) for _, response in answers],
        },
    )


def _kept(response: Response) -> bytes:
    return response.kept if isinstance(response, AnsweredOnce) else bytes(response.body)


def _kept_headers(response: Response) -> dict[str, str]:
    """Return the headers of what is kept; its length is another when the body is."""
    headers = dict(response.headers)
    return headers | {"content-length": str(len(_kept(response)))} if "content-length" in headers else headers
