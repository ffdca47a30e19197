"""The commands of the local stack: up, down, status, logs, clean."""

import shutil
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy.local import packages
from deploy.local.control import Control
from deploy.local.folder import RunFolder, run_folder
from deploy.local.launch import NotUp, detached, in_foreground, supervise
from deploy.local.ports import NoPortFree
from deploy.local.servers import SettingsMissing
from deploy.local.stack import Stack
from deploy.local.status import Follower, last_lines, links, table
from deploy.local.supervisor import AlreadyUp
from deploy.ministries.registering import register_local

TABLE_WIDTH = 110


def up(
    *,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay attached; Ctrl-C takes everything down.")
    ] = False,
) -> None:
    """Start the whole stack: PostgreSQL, RabbitMQ, services, gateway and the mocked national portal."""
    folder, console = run_folder(), _console()
    if Control(folder).is_up:
        console.print("The stack is up already.")
        _register_services(console)
        _print_links(folder)
        return
    try:
        packages.ensure(packages.stack_needs(), lambda words: _tell(console, words))
        _tell(console, f"starting in {folder.path}")
        if not foreground:
            Stack(folder)
            detached(folder, lambda words: _tell(console, words))
            _register_services(console)
            _print_links(folder)
        elif not in_foreground(Stack(folder), lambda words: _tell(console, words), lambda: _on_ready(folder)):
            raise typer.Exit(1)
    except (packages.PackagesMissing, SettingsMissing, NotUp, AlreadyUp, NoPortFree) as problem:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]✗[/] {escape(str(problem))}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        raise typer.Exit(130) from None


def _on_ready(folder: RunFolder) -> None:
    _print_links(folder)
    # The supervisor goes on meanwhile: the gateway that is asked is one of its processes.
    threading.Thread(target=_register_services, args=(_console(),), daemon=True).start()


def _register_services(console: Console) -> None:
    """Bring the definitions of the data services to the gateway; a stack without them is still a stack."""
    try:
        told = register_local()
        _tell(
            console, f"{told.services} data services registered, in versions: {told.added} new, {told.changed} changed"
        )
    except Exception as problem:
        console.print(f"[yellow]![/] data services not registered: {escape(str(problem))}; motcua services register")


def down() -> None:
    """Stop everything that `up` started; data stays."""
    stopped = Control().take_down()
    _console().print("The stack is down; its data stays in the run folder." if stopped else "Nothing was running.")


def clean() -> None:
    """Stop everything and delete the run folder with all its data."""
    down()
    folder = run_folder()
    if folder.path.exists():
        shutil.rmtree(folder.path)
        _console().print(f"Deleted {folder.path}.")


def status() -> None:
    """Show every process: address, health, uptime, memory, restarts. Exit code 1 when the stack is not up."""
    control = Control()
    if not control.supervisor:
        _console().print("The stack is down. Start it:  make up")
        raise typer.Exit(1)
    Console(width=None if Console().is_terminal else TABLE_WIDTH, highlight=False).print(table(control))


def logs(
    name: Annotated[str, typer.Argument(help="One process; all when left out.")] = "",
    *,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many lines to begin with.")] = 30,
) -> None:
    """Show the logs of the stack."""
    files = _log_files(name)
    try:
        for line in last_lines(files, lines):
            typer.echo(line)
        for line in Follower(files).follow() if follow_on else ():
            typer.echo(line)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _log_files(name: str) -> list[Path]:
    files = sorted(run_folder().logs.glob("*.log"))
    chosen = [file for file in files if file.stem == name] if name else files
    if not chosen:
        known = ", ".join(file.stem for file in files) or "none yet"
        typer.echo(f"No log {name!r}; there are: {known}.", err=True)
        raise typer.Exit(1)
    return chosen


def supervise_command(report: Annotated[int, typer.Option(help="A pipe's descriptor.")]) -> None:
    """Own the stack's processes (started by `up`)."""
    raise typer.Exit(0 if supervise(Stack(run_folder()), report) else 1)


def install_packages(
    *, tests: Annotated[bool, typer.Option("--tests", help="Also what only the tests need.")] = False
) -> None:
    """Install the system packages that are missing, or say which they are."""
    console = _console()
    try:
        needs = packages.test_needs() if tests else packages.stack_needs()
        packages.ensure(needs, lambda words: _tell(console, words))
    except packages.PackagesMissing as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False)


def _tell(console: Console, words: str) -> None:
    console.print(f"[green]·[/] {escape(words)}")


def _print_links(folder: RunFolder) -> None:
    console = _console()
    for what, where in links(Control(folder)):
        console.print(f"  [bold]{what:<28}[/] {escape(where)}")
