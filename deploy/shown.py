"""Progress of a command: a bar on a terminal, a line each tenth elsewhere."""

from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar


class Shown:
    """Shows one thing that is being done after another; `words` name the one that steps say nothing else of."""

    def __init__(self, console: Console, words: str = "") -> None:
        self.console = console
        self.words = words
        self._bar = Bar(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
        self._tasks: dict[str, Any] = {words: self._bar.add_task(words, total=None)} if words else {}
        self._told: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Begin to show."""
        if self.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._bar.stop()

    def step(self, done: int, total: int, words: str = "") -> None:
        """Show that `done` of `total` are through."""
        words = words or self.words
        if self.console.is_terminal:
            if words not in self._tasks:
                self._tasks[words] = self._bar.add_task(words, total=total)
            self._bar.update(self._tasks[words], completed=done, total=total)
            return
        tenth = done * 10 // max(total, 1)
        if self._told.get(words) != tenth:
            self._told[words] = tenth
            self.console.print(f"  {done}/{total} {words}")
