"""A figure beside its ceiling, the table of them, and the same as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared import clock

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in a unit; `ceiling` in the same unit, `at_least` the ratio or amount to reach."""

    name: str
    value: float
    unit: str
    ceiling: float | None = None
    ceiling_name: str = ""
    at_least: float | None = None
    """Smallest ratio to the ceiling; without a ceiling the smallest value, or the largest if `smaller_is_better`."""
    smaller_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """The figure as a share of its ceiling."""
        return self.value / self.ceiling if self.ceiling else None

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.at_least is None:
            return None
        measured = self.ratio if self.ratio is not None else self.value
        return measured <= self.at_least if self.smaller_is_better else measured >= self.at_least


def show(console: Console, figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(title="Benchmarks: this machine, this run; trust the ratios", width=WIDTH)
    for heading, side in (
        ("figure", "left"),
        ("measured", "right"),
        ("ceiling", "right"),
        ("ratio", "right"),
        ("target", "right"),
    ):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    for figure in figures:
        ratio = f"{figure.ratio:.0%}" if figure.ratio is not None else ""
        ceiling = f"{figure.ceiling:,.0f}\n{figure.ceiling_name}" if figure.ceiling else ""
        table.add_row(figure.name, f"{_number(figure.value)} {figure.unit}", ceiling, ratio, _target(figure))
    console.print(table)


def _target(figure: Figure) -> str:
    if figure.at_least is None:
        return ""
    sign = "≤" if figure.smaller_is_better else "≥"
    wanted = f"{figure.at_least:.0%}" if figure.ceiling else f"{_number(figure.at_least)}"
    return f"{sign} {wanted} {'[green]✓[/green]' if figure.reached else '[red]✗[/red]'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2f}"


def write(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(figure) | {"ratio": figure.ratio, "reached": figure.reached} for figure in figures]
    path.write_text(json.dumps({"at": clock.now().isoformat(), "figures": rows}, indent=2) + "\n")
