"""What a process costs: CPU seconds with its children, and memory, as the kernel counts them."""

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_USER_TICKS, _SYSTEM_TICKS, _PARENT = 11, 12, 1
"""Places in /proc/PID/stat after the command's name (proc(5))."""


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process and its living children have used."""
    return sum(_cpu_of(one) for one in (pid, *_children(pid)))


def rss_mb(pid: int) -> float:
    """Return a process's resident memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu_of(pid: int) -> float:
    fields = _fields(pid)
    return (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / _TICK


def _children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                if int(_fields(int(path.name))[_PARENT]) == pid:
                    found.append(int(path.name))
            except (OSError, IndexError):
                continue
    return found
