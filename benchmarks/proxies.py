"""Proxies beside each other in one run: nginx, two bare ones, our own services' road, our data services'."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import nginx, wrk
from benchmarks.figures import Figure
from benchmarks.gateway import SERVICE, Gateway, gateway_before
from benchmarks.processes import cpu_s
from benchmarks.programs import program
from benchmarks.scratch import Scratch

RUNS, SECONDS, CONNECTIONS = 3, 4, 32
BODY = {"number": "0301234567", "padding": "x" * 380}
DATA = f"/api/v1/data-services/{SERVICE}"
CEILING, PLAIN = "nginx proxy_pass", "a bare aiohttp proxy"
HTTPX, OWN, KEPT, UNCHANGED = (
    "a bare FastAPI + httpx proxy",
    "our own-service road",
    "… from the cache",
    "… not modified",
)
SERVED = "our data-service road"


@dataclass(frozen=True, slots=True)
class Contender:
    """One proxy under one kind of load."""

    name: str
    pid: int
    run: Callable[[], Awaitable[wrk.Load]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of its runs."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """CPU of the proxy's process for one call; the database's share is not in it."""
    refused: int


async def measure(scratch: Scratch, *, runs: int = RUNS, seconds: int = SECONDS) -> list[Figure]:
    """Return how much each proxy passes on, GET and POST, and what a call costs; rounds alternate between them."""
    with TemporaryDirectory() as place:
        async with _everything(scratch, Path(place)) as (reads, writes, gateway):
            gets = await _rounds(reads(seconds), runs)
            posts = await _rounds(writes(seconds), runs)
            records = await gateway.records()
    figures = [*_shown("GET", gets), *_shown("POST", posts)]
    return [*figures, Figure("… calls in the transaction log after all this", records, "records")]


async def _rounds(contenders: list[Contender], runs: int) -> dict[str, Measured]:
    found: dict[str, list[tuple[wrk.Load, float]]] = {}
    for _ in range(runs):
        for one in contenders:
            before = cpu_s(one.pid)
            load = await one.run()
            found.setdefault(one.name, []).append((load, (cpu_s(one.pid) - before) / max(load.requests, 1) * 1e6))
    return {name: _median(rounds) for name, rounds in found.items()}


def _median(rounds: list[tuple[wrk.Load, float]]) -> Measured:
    loads = [load for load, _ in rounds]
    return Measured(
        median(load.per_second for load in loads),
        median(load.p50_ms for load in loads),
        median(load.p99_ms for load in loads),
        median(cpu for _, cpu in rounds),
        sum(load.refused for load in loads),
    )


def _shown(method: str, found: dict[str, Measured]) -> list[Figure]:
    figures = []
    for name, one in found.items():
        ceiling = found[PLAIN] if name not in (CEILING, PLAIN) else found[CEILING]
        label = PLAIN if name not in (CEILING, PLAIN) else CEILING
        wanted = 0.4 if name == SERVED else None
        rate = Figure(f"{method} {name}", one.per_second, "calls/s", ceiling.per_second, label, wanted)
        figures += [
            rate if name != CEILING else Figure(f"{method} {name}", one.per_second, "calls/s"),
            Figure("… p50", one.p50_ms, "ms"),
            Figure("… p99", one.p99_ms, "ms"),
            Figure("… CPU a call", one.cpu_us, "µs"),
        ]
        if one.refused:
            figures.append(Figure("… refused or failed", one.refused, "calls", at_least=0, smaller_is_better=True))
    return figures


Loads = Callable[[int], list[Contender]]


@asynccontextmanager
async def _everything(scratch: Scratch, folder: Path) -> AsyncIterator[tuple[Loads, Loads, Gateway]]:
    async with AsyncExitStack() as stack:
        upstream, ceiling, nginx_pid = await stack.enter_async_context(nginx.upstream_and_proxy(folder))
        environment = {"UPSTREAM": upstream}
        plain = await stack.enter_async_context(program("benchmarks.bare_proxy:app", environment))
        httpx = await stack.enter_async_context(program("benchmarks.bare_httpx:app", environment))
        ours = await stack.enter_async_context(gateway_before(scratch, upstream, folder))
        usual = {"authorization": ours.authorization, "connections": CONNECTIONS}

        def reads(seconds: int) -> list[Contender]:
            def get(url: str, headers: dict[str, str] | None = None) -> Callable[[], Awaitable[wrk.Load]]:
                return lambda: wrk.get(url, headers=headers or {}, seconds=seconds, **usual)

            return [
                Contender(CEILING, nginx_pid, get(f"{ceiling}/fresh/1")),
                Contender(HTTPX, httpx.pid, get(f"{httpx.url}/fresh/1")),
                Contender(PLAIN, plain.pid, get(f"{plain.url}/fresh/1")),
                Contender(OWN, ours.pid, get(f"{ours.url}/api/v1/dossiers/H32-260407-0001")),
                Contender(SERVED, ours.pid, get(f"{ours.url}{DATA}/fresh/1")),
                Contender(KEPT, ours.pid, get(f"{ours.url}{DATA}/kept/1")),
                Contender(UNCHANGED, ours.pid, get(f"{ours.url}{DATA}/kept/1", {"If-None-Match": '"v1"'})),
            ]

        def writes(seconds: int) -> list[Contender]:
            def post(url: str) -> Callable[[], Awaitable[wrk.Load]]:
                return lambda: wrk.post(url, BODY, seconds=seconds, **usual)

            return [
                Contender(CEILING, nginx_pid, post(f"{ceiling}/fresh/1")),
                Contender(HTTPX, httpx.pid, post(f"{httpx.url}/fresh/1")),
                Contender(PLAIN, plain.pid, post(f"{plain.url}/fresh/1")),
                Contender(OWN, ours.pid, post(f"{ours.url}/api/v1/dossiers")),
                Contender(SERVED, ours.pid, post(f"{ours.url}{DATA}/fresh/1")),
            ]

        yield reads, writes, ours
