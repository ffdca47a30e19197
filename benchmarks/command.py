"""`motcua bench`: every figure beside its ceiling, as a table and as JSON."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from benchmarks import backlog, bus, door, figures, idle, lives, queries
from benchmarks.scratch import scratch_on
from deploy.demo.report import console
from deploy.local import packages
from deploy.local.commands import up
from deploy.local.folder import run_folder

PARTS = ("bus", "door", "lives", "idle", "backlog", "queries")
_ON_SCRATCH = {"bus": bus.measure, "door": door.measure, "backlog": backlog.measure, "queries": queries.measure}
_ON_STACK = {"lives": lives.measure, "idle": idle.measure}


def bench(
    only: Annotated[list[str] | None, typer.Option(help=f"Measure only: {', '.join(PARTS)}. May be repeated.")] = None,
) -> None:
    """Measure on the stack's own PostgreSQL and RabbitMQ; a few minutes, best on a quiet machine."""
    unknown = set(only or ()) - set(PARTS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose of {', '.join(PARTS)}")
    up(foreground=False)
    folder, screen = run_folder(), console()
    packages.ensure([packages.Need("wrk", lambda: shutil.which("wrk"))], screen.print)
    stack = json.loads((folder.path / "stack.json").read_text())
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
