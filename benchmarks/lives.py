"""Whole lives with the real services and the portal in step, and how far behind everybody is at half that load."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import httpx

from benchmarks.door import bearer, dossier_body
from benchmarks.figures import Figure
from deploy.local.papers import Seal
from shared import clock

LIVES, AT_ONCE = 600, 48
PACED_S = 12
PATIENCE_S = 60

_LAG = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]::float8[]) WITHIN GROUP
           (ORDER BY extract(epoch FROM folded_at - committed_at)::float8)
    FROM timeline WHERE committed_at > $1
"""
_PORTAL_LAG = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]::float8[]) WITHIN GROUP
           (ORDER BY extract(epoch FROM acknowledged_at - owed_since)::float8)
    FROM portal_debt WHERE owed_since > $1
"""


@dataclass(slots=True)
class _Driver:
    """Leads dossiers of one step and no fee through their lives: submit, accept, complete, issue, return."""

    http: aiohttp.ClientSession
    base: str
    citizen: str
    office: str
    body: dict[str, Any]
    papers: "Iterator[bytes]"
    """Signed results, made before the clock starts: whoever signs is no part of what is measured."""
    tasks: dict[str, "asyncio.Future[str]"] = field(default_factory=dict)
    ended: dict[str, "asyncio.Future[None]"] = field(default_factory=dict)

    async def post(self, path: str, body: object, *, who: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": who or self.office, "Idempotency-Key": uuid4().hex}
        return await self._checked(self.http.post(f"{self.base}{path}", json=body, headers=headers))

    async def upload(self, path: str, **params: str) -> dict[str, Any]:
        headers = {"Authorization": self.office, "Idempotency-Key": uuid4().hex, "Content-Type": "application/pdf"}
        return await self._checked(
            self.http.post(f"{self.base}{path}", data=next(self.papers), params=params, headers=headers)
        )

    async def _checked(self, call: Any) -> dict[str, Any]:  # noqa: ANN401 - aiohttp's request context
        async with call as answer:
            found = await answer.json(content_type=None)
            if answer.status >= 400:
                raise _RefusedError(answer.status, str(found))
            return found

    async def live(self) -> None:
        loop = asyncio.get_running_loop()
        code = (await self.post("/dossiers", self.body, who=self.citizen))["code"]
        task = self.tasks.setdefault(code, loop.create_future())
        ended = self.ended.setdefault(code, loop.create_future())
        await self.post(f"/dossiers/{code}/accept", {"accepted_by": "canbo"})
        await self.post(f"/tasks/{await task}/complete", {"official": "canbo"})
        await ended
        result = await _until_heard(
            lambda: self.upload("/results", dossier_code=code, kind_code="KQ.1", kind_name="Ket qua")
        )
        await self.post(f"/results/{result['id']}/issue", {"number": f"{code}/KQ", "issued_by": "lanhdao"})
        receiver = {"name": "Nguoi nhan", "relation": "authorised", "document_number": "0001", "checked_by": "canbo"}
        handed = {"method": "counter", "returned_by": "canbo", "receiver": receiver}
        await _until_heard(lambda: self.post(f"/results/{result['id']}/return", handed))

    async def watch(self, statistics: str, cursor: str) -> None:
        """Read the feed and let the lives go on."""
        loop = asyncio.get_running_loop()
        headers = {"Authorization": statistics}
        while True:
            params = {"cursor": cursor, "limit": "1000", "wait_s": "5"}
            async with self.http.get(f"{self.base}/sync/changes", params=params, headers=headers) as answer:
                page = await answer.json()
            cursor = page["next_cursor"]
            for change in page["items"]:
                code = change["dossier_code"]
                if change["event_type"] == "workflow.task.opened.v1":
                    _finish(self.tasks.setdefault(code, loop.create_future()), change["detail"]["task_id"])
                elif change["event_type"] == "workflow.case.completed.v1":
                    _finish(self.ended.setdefault(code, loop.create_future()), None)


class _RefusedError(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words[:300]}")
        self.status = status


async def _until_heard(call: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Call again while the service has not heard yet what the feed told (each hears at its own pace)."""
    while True:
        try:
            return await call()
        except _RefusedError as refusal:
            if refusal.status not in {404, 409}:
                raise
        await asyncio.sleep(0.02)


def _finish(future: "asyncio.Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)


async def measure(stack: Mapping[str, Any]) -> list[Figure]:
    """Return lives a second, and the lags at half that load."""
    async with httpx.AsyncClient(base_url=stack["gateway_url"], timeout=30) as client:
        clients = stack["clients"]
        citizen, office, statistics, ops = [
            await bearer(client, clients[name]) for name in ("citizen-portal", "one-stop", "statistics", "ops")
        ]
        body = await dossier_body(client)
        overview = (await client.get("/api/v1/ops/overview", headers={"Authorization": ops})).json()
    connector = aiohttp.TCPConnector(limit=AT_ONCE * 2)
    async with aiohttp.ClientSession(connector=connector) as http:
        papers = await asyncio.to_thread(_signed, stack["seal"])
        driver = _Driver(http, f"{stack['gateway_url']}/api/v1", citizen, office, body, itertools.cycle(papers))
        watching = asyncio.create_task(driver.watch(statistics, overview["changes"]["last_cursor"]))
        gateway = await asyncpg.connect(stack["postgres"]["urls"]["gateway"])
        try:
            await _many(driver, AT_ONCE)
            started = clock.monotonic()
            await _many(driver, LIVES)
            await _in_step(gateway)
            per_second = LIVES / (clock.monotonic() - started)
            since = clock.now()
            await _paced(driver, per_second / 2)
            await _in_step(gateway)
            handled = await gateway.fetchval(_LAG, since)
            portal = await gateway.fetchval(_PORTAL_LAG, since)
        finally:
            watching.cancel()
            await gateway.close()
    return [
        Figure("whole lives, portal in step", per_second, "lives/s", at_least=100),
        *_lags("commit → handled, half load", handled, (20, 150)),
        *_lags("commit → portal, half load", portal, (None, 1000)),
    ]


def _signed(seal: Mapping[str, str]) -> list[bytes]:
    """Return as many signed results as whole lives are measured; the paced ones after them take the same again."""
    signer = Seal.from_file(Path(seal["file"]), seal["password"])
    return [signer.paper([f"KET QUA {number}"]) for number in range(AT_ONCE + LIVES)]


def _lags(name: str, found: Sequence[float], targets: tuple[float | None, float]) -> list[Figure]:
    return [
        Figure(f"{name}, {share}", seconds * 1000, "ms", at_least=target, smaller_is_better=True)
        for share, seconds, target in zip(("p50", "p99"), found, targets, strict=True)
    ]


async def _many(driver: _Driver, count: int) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with slots:
            await driver.live()

    await asyncio.gather(*(one() for _ in range(count)))


async def _paced(driver: _Driver, per_second: float) -> None:
    lives = []
    for _ in range(int(PACED_S * per_second)):
        lives.append(asyncio.create_task(driver.live()))
        await asyncio.sleep(1 / per_second)
    await asyncio.gather(*lives)


async def _in_step(gateway: asyncpg.Connection) -> None:
    """Return when the portal has acknowledged everything."""
    async with asyncio.timeout(PATIENCE_S):
        while await gateway.fetchval("SELECT EXISTS (SELECT 1 FROM portal_debt WHERE acknowledged_at IS NULL)"):
            await asyncio.sleep(0.02)
