"""What the stack costs when nobody calls: processor share and memory of its Python processes."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from shared import clock

SECONDS = 15


async def measure(stack: Mapping[str, Any]) -> list[Figure]:
    """Return the share of one core of all Python processes, and the memory of the largest service."""
    pids = {name: one["pid"] for name, one in stack["services"].items()}
    before, started = _processor_s(pids), clock.monotonic()
    await asyncio.sleep(SECONDS)
    share = (_processor_s(pids) - before) / (clock.monotonic() - started)
    memory = {name: _memory_mb(pid) for name, pid in pids.items()}
    largest = max(memory, key=lambda name: memory[name])
    return [
        Figure("idle: all services, of one core", share * 100, "%", at_least=2, smaller_is_better=True),
        Figure(f"memory: largest service ({largest})", memory[largest], "MB", at_least=120, smaller_is_better=True),
    ]


def _processor_s(pids: Mapping[str, int]) -> float:
    ticks = 0
    for pid in pids.values():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no memory figure for process {pid}")
