"""`motcua bench`: every figure beside its ceiling, as a table and as JSON."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from benchmarks import backlog, bus, door, endurance, evidence, figures, idle, lives, nginx, proxies, queries
from benchmarks.scratch import scratch_on
from deploy.demo.report import console
from deploy.local import packages
from deploy.local.commands import up
from deploy.local.folder import run_folder

PARTS = ("bus", "door", "proxies", "evidence", "lives", "idle", "backlog", "queries")
LONG = ("endurance",)
"""Measured only when it is named."""
_ON_SCRATCH = {
    "bus": bus.measure,
    "door": door.measure,
    "proxies": proxies.measure,
    "evidence": evidence.measure,
    "backlog": backlog.measure,
    "queries": queries.measure,
}
_ON_STACK = {"lives": lives.measure, "idle": idle.measure}


def bench(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Measure only: {', '.join((*PARTS, *LONG))}. May be repeated.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="How long `endurance` lasts.", min=0.1)] = endurance.MINUTES,
) -> None:
    """Measure on the stack's own PostgreSQL and RabbitMQ; a few minutes, best on a quiet machine."""
    unknown = set(only or ()) - {*PARTS, *LONG}
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose of {', '.join((*PARTS, *LONG))}")
    up(foreground=False)
    folder, screen = run_folder(), console()
    packages.ensure([packages.Need("wrk", lambda: shutil.which("wrk")), nginx.NEED], screen.print)
    stack = json.loads((folder.path / "stack.json").read_text())
    _ON_SCRATCH["endurance"] = partial(endurance.measure, minutes=minutes)
    found = asyncio.run(_measure(stack, only or PARTS, screen.print))
    figures.show(screen, found)
    path = folder.path / "bench" / "report.json"
    figures.write(path, found)
    screen.print(f"Report: {path}", soft_wrap=True)


async def _measure(stack: Mapping[str, Any], parts: "list[str] | tuple[str, ...]", tell: Any) -> list[figures.Figure]:  # noqa: ANN401
    found: list[figures.Figure] = []
    async with scratch_on(stack) as scratch:
        for part in parts:
            tell(f"· measuring: {part}")
            measure = _ON_SCRATCH.get(part)
            found += await (measure(scratch) if measure else _ON_STACK[part](stack))
    return found
