"""What a person sees of an import: a bar on a terminal, plain lines elsewhere, and the outcome."""

import json
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

KINDS_SHOWN = 40
REFUSALS_SHOWN = 10


class Shown:
    """Progress of one import."""

    def __init__(self, console: Console, words: str) -> None:
        self.console = console
        self.words = words
        self._bar = Bar(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
        self._task = self._bar.add_task(words, total=None)
        self._tenth = -1

    def __enter__(self) -> Self:
        """Begin to show."""
        if self.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._bar.stop()

    def step(self, done: int, total: int) -> None:
        """Show that `done` of `total` are through."""
        if self.console.is_terminal:
            self._bar.update(self._task, completed=done, total=total)
            return
        tenth = done * 10 // max(total, 1)
        if tenth != self._tenth:
            self._tenth = tenth
            self.console.print(f"  {done}/{total} {self.words}")


def show_outcome(console: Console, report: dict[str, Any], *, dry_run: bool) -> None:
    """Print counts, the kinds of oddities and the first refusals."""
    verb = "would be imported" if dry_run else "imported"
    console.print(f"{report['read']} read, {report['imported']} {verb}, {report['refused']} refused")
    parts = [f"{report[name]} {name}" for name in ("added", "changed", "unchanged", "repeated")]
    console.print(f"  of the imported: {', '.join(parts)}")
    if report["kinds"]:
        console.print(f"{sum(kind['count'] for kind in report['kinds'])} oddities, each decided and in the report:")
    for kind in report["kinds"][:KINDS_SHOWN]:
        console.print(f"  {kind['count']:>6}  {kind['title']} / {kind['title_vi']}")
    for refusal in report["refusals"][:REFUSALS_SHOWN]:
        console.print(f"[red]✗[/] line {refusal['line']} {refusal['code']}: {refusal['reason']}", highlight=False)
    if len(report["refusals"]) > REFUSALS_SHOWN:
        console.print(f"  … {len(report['refusals']) - REFUSALS_SHOWN} more in the report")


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write a report as JSON; raises OSError."""
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
