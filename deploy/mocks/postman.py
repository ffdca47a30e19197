"""Notices: kept before they are sent, sent again with growing waits until they are taken, also after a restart."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from deploy.mocks.memory import Memory, stamp
from shared import clock

ATTEMPTS_MAX, RETRY_FIRST_S, RETRY_LAST_S = 8, 0.1, 8.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice as it is to be sent."""

    id: int
    due_at: datetime
    body: str
    signature: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Sending:
    """A notice that is to be kept: what it says, and after how many seconds it goes out."""

    reference: str
    body: str
    signature: str
    delay_s: float = 0.0


class Postman:
    """Delivers notices; `send` posts one, `takes` reads from the answer whether it was taken."""

    def __init__(
        self,
        memory: Memory,
        send: Callable[[Letter], Awaitable[httpx.Response]],
        takes: Callable[[httpx.Response], bool],
    ) -> None:
        self._memory = memory
        self._send = send
        self._takes = takes
        self._rounds: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Take up what nobody has taken yet."""
        with self._memory.transaction() as db:
            waiting = "SELECT id FROM notice WHERE confirmed_at IS NULL AND attempts < ?"
            rows = db.execute(waiting, (ATTEMPTS_MAX,)).fetchall()
        self._later(row["id"] for row in rows)

    async def post(self, sendings: Sequence[Sending], *, parallel: bool) -> list[dict[str, object]]:
        """Keep notices and send those that are due, once, at once or one after the other; the rest goes on behind."""
        numbers = self._keep(sendings)
        now = [number for number, sending in zip(numbers, sendings, strict=True) if not sending.delay_s]
        self._later(number for number in numbers if number not in now)
        if parallel:
            await asyncio.gather(*(self._attempt(number) for number in now))
        else:
            for number in now:
                await self._attempt(number)
        return [self._shown(number) for number in numbers]

    async def stop(self) -> None:
        """Send nothing more."""
        for task in tuple(self._rounds):
            task.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)

    def of(self, reference: str) -> list[dict[str, object]]:
        """Return the notices about an order with every reply."""
        with self._memory.transaction() as db:
            rows = db.execute("SELECT id FROM notice WHERE reference = ? ORDER BY id", (reference,)).fetchall()
        return [self._shown(row["id"]) for row in rows]

    def _keep(self, sendings: Sequence[Sending]) -> list[int]:
        numbers: list[int] = []
        with self._memory.transaction() as db:
            for one in sendings:
                due = (clock.now() + timedelta(seconds=one.delay_s)).isoformat()
                kept = db.execute(
                    "INSERT INTO notice (reference, due_at, body, signature) VALUES (?, ?, ?, ?) RETURNING id",
                    (one.reference, due, one.body, one.signature),
                )
                numbers.append(kept.fetchone()["id"])
        return numbers

    def _later(self, numbers: Any) -> None:  # noqa: ANN401 - any iterable of numbers
        for number in numbers:
            self._spawn(self._when_due(number))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    async def _when_due(self, number: int) -> None:
        letter = self._letter(number)
        if letter is not None:
            await asyncio.sleep(max(0.0, (letter.due_at - clock.now()).total_seconds()))
            await self._attempt(number)

    async def _again(self, letter: Letter) -> None:
        await asyncio.sleep(min(RETRY_FIRST_S * 2**letter.attempts, RETRY_LAST_S))
        await self._attempt(letter.id)

    async def _attempt(self, number: int) -> None:
        letter = self._letter(number)
        if letter is None:
            return
        taken, status, body = False, None, ""
        try:
            answer = await self._send(letter)
            taken, status, body = self._takes(answer), answer.status_code, answer.text
        except httpx.HTTPError as problem:
            body = type(problem).__name__
        with self._memory.transaction() as db:
            db.execute(
                "INSERT INTO reply (notice, replied_at, status, body) VALUES (?, ?, ?, ?)",
                (number, stamp(), status, body),
            )
            db.execute(
                "UPDATE notice SET attempts = attempts + 1, confirmed_at = coalesce(confirmed_at, ?) WHERE id = ?",
                (stamp() if taken else None, number),
            )
        if not taken and letter.attempts + 1 < ATTEMPTS_MAX:
            self._spawn(self._again(letter))

    def _letter(self, number: int) -> Letter | None:
        with self._memory.transaction() as db:
            row = db.execute("SELECT * FROM notice WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        due_at = datetime.fromisoformat(row["due_at"])
        return Letter(row["id"], due_at, row["body"], row["signature"], row["attempts"])

    def _shown(self, number: int) -> dict[str, object]:
        with self._memory.transaction() as db:
            row = db.execute("SELECT due_at, attempts, confirmed_at FROM notice WHERE id = ?", (number,)).fetchone()
            replies = db.execute("SELECT status, body FROM reply WHERE notice = ? ORDER BY id", (number,)).fetchall()
        shown: dict[str, object] = dict(zip(row.keys(), tuple(row), strict=True)) if row else {}
        return {"id": number, **shown, "replies": [{"status": one["status"], "body": one["body"]} for one in replies]}
