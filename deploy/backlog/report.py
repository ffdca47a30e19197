"""What a run leaves behind: a report, and the rows it rejected as a file to correct and feed back."""

import csv
import json
import sys
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from deploy.backlog.columns import COLUMNS, REASON_COLUMNS
from deploy.backlog.index import Index
from deploy.local.folder import write_private
from services.results.models import BacklogReject

WIDTH_MAX = 80
_HEADINGS_VI = {column.name: column.heading_vi for column in COLUMNS}


class Bar:
    """Progress: a bar on a terminal, a line each twentieth elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("Số hóa"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._told = -1

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._bar.stop()

    def step(self, done: int, total: int) -> None:
        """Show that `done` of `total` rows are through."""
        self._bar.update(self._task, completed=done, total=total)
        twentieth = done * 20 // max(total, 1)
        if not self._console.is_terminal and twentieth != self._told:
            self._told = twentieth
            self._console.print(f"  {done}/{total} rows")


def console() -> Console:
    """Return a console of at most 80 columns, wider in a file so that lines stay whole."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_MAX, highlight=False)


def show(console: Console, facts: dict[str, Any]) -> None:
    """Print the report's figures."""
    table = Table(title="Nhập kết quả số hóa / Digitised results", width=WIDTH_MAX)
    table.add_column("")
    table.add_column("rows", justify="right")
    for words, name in (
        ("Rows of the index", "rows"),
        ("Kept", "kept"),
        ("There already (duplicates)", "duplicates"),
        ("Rejected", "rejected"),
    ):
        table.add_row(words, f"{facts[name]:,}")
    for code, rows in facts["reasons"].items():
        table.add_row(f"  {code}", f"{rows:,}")
    console.print(table)


def write_report(path: Path, facts: dict[str, Any]) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def write_rejects(path: Path, index: Index, rejects: Iterable[BacklogReject]) -> None:
    """Write the rejected rows with the reasons behind their own columns, if any; only this user may read it.

    Rows are personal data. A file without rows tells that nothing was rejected.
    """
    kept = [place for place, heading in enumerate(index.headings) if heading not in REASON_COLUMNS]
    written = StringIO(newline="")
    lines = csv.writer(written)
    lines.writerow([*(index.headings[place] for place in kept), *REASON_COLUMNS])
    for one in rejects:
        cells = [one.cells[place] if place < len(one.cells) else "" for place in kept]
        words = [
            [f"{reason['field']}: {reason['message']}" for reason in one.reasons],
            [f"{_HEADINGS_VI[reason['field']]}: {reason['message_vi']}" for reason in one.reasons],
        ]
        lines.writerow([*cells, *("; ".join(some) for some in words)])
    # The mark at the beginning lets spreadsheets see that it is UTF-8.
    write_private(path, "\ufeff" + written.getvalue())
