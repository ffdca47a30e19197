"""Finds processes by the folder they belong to, whoever their parent is by now."""

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from deploy.local.processes import identify


def processes_of(folder: Path) -> list[int]:
    """Return the living processes with this path in their command line or environment, this one left out."""
    known = [int(place.name) for place in Path("/proc").iterdir() if place.name.isdigit()]
    return [pid for pid in known if pid != os.getpid() and identify(pid) and str(folder).encode() in _facts(pid)]


def _facts(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def eventually(condition: Callable[[], object], *, within_s: float = 10) -> bool:
    """Wait for a condition; False when it did not come true in time."""
    deadline = monotonic() + within_s
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.05)
    return True
