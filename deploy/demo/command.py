"""`motcua demo`: the main job."""

import asyncio
import json
from typing import Annotated

import typer
from rich.markup import escape

from deploy.demo import report
from deploy.demo.run import run
from deploy.local.commands import up
from deploy.local.folder import run_folder
from deploy.shown import Shown

DOSSIERS_MAX = 100_000


def demo(
    dossiers: Annotated[
        int, typer.Option(envvar="DOSSIERS", min=1, max=DOSSIERS_MAX, help="How many dossiers to lead through.")
    ] = 500,
) -> None:
    """Lead dossiers through every ending while the portal misbehaves, then prove that it knows exactly what happened.

    Starts the stack when it is not up. Exit code 1 when anything differs, is lost, doubled or out of order.
    """
    up(foreground=False)
    folder, console = run_folder(), report.console()
    stack = json.loads((folder.path / "stack.json").read_text())
    console.print(f"\n{dossiers} hồ sơ, mọi cách kết thúc / dossiers, every ending\n")
    try:
        with Shown(console) as shown:
            outcome = asyncio.run(run(stack, dossiers, shown))
    except KeyboardInterrupt:
        console.print("Stopped. The stack is still up; take it down with:  make down")
        raise typer.Exit(130) from None
    except (OSError, TimeoutError) as problem:
        console.print(f"[red]✗[/] the demo could not go on: {escape(str(problem))}  (see: make logs)")
        raise typer.Exit(1) from None
    report.show(console, outcome)
    console.print(f"Report: {report.write(folder.path / 'demo', outcome)}", soft_wrap=True)
    console.print(f"Ops page: {stack['ops_url']}   stop everything: make down", soft_wrap=True)
    if not report.passed(outcome):
        raise typer.Exit(1)
