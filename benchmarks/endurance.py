"""Minutes at full load through rights, quota and durable log: memory stays flat, and every call is in the log."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import nginx, wrk
from benchmarks.evidence import DAYS, NINE_MONTHS
from benchmarks.figures import Figure
from benchmarks.gateway import SERVICE, Gateway, gateway_before
from benchmarks.processes import rss_mb
from benchmarks.scratch import Scratch

MINUTES, CONNECTIONS, SAMPLE_S = 10.0, 32, 2
WARM_SHARE = 0.2
"""Caches, pools and the allocator have taken what they take; growth is counted from then on."""
GROWTH_MAX = 0.05


async def measure(scratch: Scratch, *, minutes: float = MINUTES) -> list[Figure]:
    """Return rate and memory of a gateway under full load of one data service, and what its rate is in nine months."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        async with (
            nginx.upstream_and_proxy(folder) as (upstream, _, _),
            gateway_before(scratch, upstream, folder) as ours,
        ):
            before = await ours.records()
            load, samples = await _loaded(ours, minutes)
            records = await ours.records() - before
    warm = samples[int(len(samples) * WARM_SHARE) :]
    third = max(len(warm) // 3, 1)
    first, last = (sum(part) / len(part) for part in (warm[:third], warm[-third:]))
    return [
        Figure(f"endurance: {minutes:g} minutes at full load", load.per_second, "calls/s", at_least=1000),
        Figure("… p99", load.p99_ms, "ms"),
        Figure("… memory, early", first, "MB"),
        Figure("… memory, late", last, "MB"),
        Figure("… growth", (last / first - 1) * 100, "%", at_least=GROWTH_MAX * 100, smaller_is_better=True),
        Figure("… most", max(samples), "MB"),
        Figure("… refused or failed", load.refused, "calls", at_least=0, smaller_is_better=True),
        Figure("… calls in the log", records, "records", load.requests, "calls answered", 1),
        Figure("… of its rate that nine months need", NINE_MONTHS / (DAYS * 86_400) / load.per_second * 100, "%"),
    ]


async def _loaded(ours: Gateway, minutes: float) -> tuple[wrk.Load, list[float]]:
    samples: list[float] = []

    async def sample() -> None:
        while True:
            samples.append(rss_mb(ours.pid))
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sample())
    try:
        load = await wrk.get(
            f"{ours.url}/api/v1/data-services/{SERVICE}/fresh/1",
            authorization=ours.authorization,
            connections=CONNECTIONS,
            seconds=max(int(minutes * 60), 1),
        )
    finally:
        sampling.cancel()
    return load, samples
