"""`motcua province load`: a whole province into the stack, by the same doors as a real one."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from deploy.catalogue.target import NoTargetError
from deploy.local.folder import local_database_urls, run_folder
from deploy.province import loading
from deploy.province.loading import Province, Rows
from deploy.province.plan import Sizes
from deploy.province.sources import SourceMissingError, make
from deploy.shown import Shown
from shared import clock

BAD_SOURCE, NO_DATABASE, STOPPED = 2, 3, 130
app = typer.Typer(
    help="A province at full size.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
Catalogue = Annotated[
    Path | None, typer.Option(help="National catalogue (JSON Lines, .gz too); without it the packaged sample.")
]
Units = Annotated[Path | None, typer.Option(help="Administrative units (JSON, .gz too): names of the communes.")]
_STEPS: Sequence[tuple[str, Callable[..., Any]]] = (
    ("agencies", loading.load_agencies),
    ("procedures", loading.load_procedures),
    ("forms", loading.load_forms),
    ("processes", loading.load_processes),
    ("accounts", loading.load_accounts),
    ("receipt issuers", loading.load_issuers),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a step brought in."""

    what: str
    rows: Rows
    seconds: float


@app.callback()
def _province() -> None:
    """Make a province up from the real catalogue, and load it."""


@app.command("make")
def make_province(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    catalogue: Catalogue = None,
    units: Units = None,
) -> None:
    """Write a province's files: what the import commands read, to look at or to import one by one."""
    console = Console(highlight=False, soft_wrap=True)
    with _said():
        province = make(folder, Sizes(), catalogue=catalogue, units=units)
    for path in sorted(province.folder.iterdir()):
        console.print(f"  {path.stat().st_size:>12,} bytes  {path.name}")


@app.command("load")
def load_province(catalogue: Catalogue = None, units: Units = None) -> None:
    """Load 1,916 procedures, 2,745 processes, 205 forms, 56,211 accounts and 111 receipt issuers into the stack."""
    console = Console(highlight=False, soft_wrap=True)
    with _said():
        urls = local_database_urls()
        if not urls:
            raise NoTargetError("Nothing runs here. Start the stack first: make up")
        started = clock.monotonic()
        province = make(run_folder().path / "province", Sizes(), catalogue=catalogue, units=units)
        loaded = [_load(console, what, load, province, urls) for what, load in _STEPS]
    _show(console, loaded, clock.monotonic() - started)


def _load(console: Console, what: str, load: Callable[..., Any], province: Province, urls: dict[str, str]) -> Loaded:
    started = clock.monotonic()
    with Shown(console, what) as shown:
        rows = asyncio.run(load(province, urls, shown.step))
    return Loaded(what, rows, clock.monotonic() - started)


def _show(console: Console, loaded: Sequence[Loaded], seconds: float) -> None:
    console.print(f"\n{'':<18}{'given':>9}{'new':>9}{'same':>9}{'refused':>9}{'s':>7}")
    for one in loaded:
        rows = one.rows
        console.print(
            f"{one.what:<18}{rows.given:>9,}{rows.new:>9,}{rows.same:>9,}{rows.refused:>9,}{one.seconds:>7.1f}"
        )
    console.print(f"\nA province in {seconds:.0f} s. Its accounts bind nobody until: motcua accounts enforce AGENCY")
    report = run_folder().path / "province" / "report.json"
    report.write_text(
        json.dumps({one.what: {"given": one.rows.given, "refused": one.rows.refused} for one in loaded}, indent=2)
    )
    if any(one.rows.refused for one in loaded):
        for one in loaded:
            for reason in one.rows.reasons:
                console.print(f"[red]✗[/] {one.what}: {escape(reason)}")
        raise typer.Exit(1)


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except SourceMissingError as problem:
        _fail(str(problem), BAD_SOURCE)
    except (NoTargetError, OSError) as problem:
        _fail(str(problem), NO_DATABASE)
    except KeyboardInterrupt:
        _fail("Stopped. The same command goes on: what is in already stays and counts as the same.", STOPPED)


def _fail(words: str, code: int) -> NoReturn:
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]✗[/] {escape(words)}")
    raise typer.Exit(code)
