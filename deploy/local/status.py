"""What people see of a running stack: the table of its processes, its links, its logs."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from deploy.local import web
from deploy.local.control import Control
from deploy.local.folder import read_json
from deploy.local.processes import Identity, alive, frozen, memory_bytes, uptime_s

FOLLOW_S = 0.3
COLOURS = {"ready": "green", "degraded": "yellow", "starting": "yellow", "held": "yellow"}


def table(control: Control) -> Table:
    """Return the processes with their health, asked for at this moment."""
    grid = Table(box=SIMPLE, pad_edge=False)
    for heading in ("process", "pid", "address", "health", "uptime", "memory", "restarts"):
        grid.add_column(heading, justify="right" if heading in ("pid", "uptime", "memory", "restarts") else "left")
    rows = control.rows()
    with ThreadPoolExecutor(max_workers=8) as pool:
        healths = list(pool.map(_health, rows.values()))
    for (name, row), health in zip(rows.items(), healths, strict=True):
        identity = _identity(row)
        colour = COLOURS.get(health, "red")
        grid.add_row(
            name,
            str(identity.pid) if identity else "-",
            row["address"],
            f"[{colour}]{health}[/]",
            _duration(uptime_s(identity)) if identity else "-",
            f"{memory_bytes(identity) / 2**20:.0f} MB" if identity else "-",
            str(row["restarts"]),
        )
    return grid


def _identity(row: Mapping[str, Any]) -> Identity | None:
    identity = Identity(row["pid"], row["started"]) if row["pid"] else None
    return identity if alive(identity) else None


def _health(row: Mapping[str, Any]) -> str:
    identity = _identity(row)
    if identity is None:
        return row["state"] if row["state"] in ("held", "crashed") else "gone"
    if frozen(identity):
        return "frozen"
    if row["state"] != "ready" or not row["address"].startswith("http"):
        return row["state"]
    return web.health(row["address"] + "/health/ready")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def links(control: Control) -> Sequence[tuple[str, str]]:
    """Return what a person wants to open, and where secrets are; no secret itself, since this is printed and kept.

    Empty when the stack is not up.
    """
    stack = read_json(control.folder.stack)
    if not stack:
        return []
    return [
        ("API (docs/reference/openapi)", f"{stack['gateway_url']}/api/v1"),
        ("Operations", f"{stack['ops_url']}   client ops; secret: .venv/bin/motcua secret ops"),
        ("National portal (mocked)", stack["portal"]["url"]),
        ("VNPAY and bank (mocked)", f"{stack['vnpay']['url']}/docs   {stack['bank']['url']}/docs"),
        ("RabbitMQ", stack["rabbitmq"]["management_url"]),
        ("A token to try the API with", ".venv/bin/motcua token one-stop"),
        ("Addresses and passwords", str(control.folder.stack)),
    ]


def last_lines(logs: Sequence[Path], count: int) -> Iterator[str]:
    """Yield the last lines of each log, with its name before each line when there are several."""
    for log in logs:
        with log.open(encoding="utf-8", errors="replace") as file:
            for line in deque(file, maxlen=count):
                yield _labelled(log, line, several=len(logs) > 1)


class Follower:
    """Reads what is added to logs after this was made; a log that was cut short is read anew."""

    def __init__(self, logs: Sequence[Path]) -> None:
        self._offsets = {log: log.stat().st_size for log in logs}

    def added(self) -> Iterator[str]:
        """Yield the whole lines added since the last call."""
        for log, offset in self._offsets.items():
            with log.open("rb") as file:
                file.seek(offset if log.stat().st_size >= offset else 0)
                begun_at = file.tell()
                whole, newline, _begun = file.read().rpartition(b"\n")
            self._offsets[log] = begun_at + len(whole) + len(newline)
            for line in whole.decode(errors="replace").splitlines():
                yield _labelled(log, line, several=len(self._offsets) > 1)

    def follow(self) -> Iterator[str]:
        """Yield what is added, for ever."""
        while True:
            yield from self.added()
            sleep(FOLLOW_S)


def _labelled(log: Path, line: str, *, several: bool) -> str:
    return f"{log.stem:>10}  {line.rstrip()}" if several else line.rstrip()
