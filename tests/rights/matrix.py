"""The table of who knocked where with what, and what came of it."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.rights.doors import Door

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Cell:
    """One knock: where, the way, who or what was wrong with them, what had to come, what came."""

    door: Door
    way: str
    who: str
    wanted: str
    found: str
    ok: bool

    def __str__(self) -> str:
        return f"{self.door.name} {self.way}, {self.who}: wanted {self.wanted}, found {self.found}"


@dataclass(slots=True)
class Matrix:
    """All cells of one kind."""

    title: str
    cells: list[Cell] = field(default_factory=list)

    def note(self, door: Door, way: str, who: str, wanted: str, found: object, *, ok: bool) -> None:
        """Add a cell."""
        self.cells.append(Cell(door, way, who, wanted, str(found), ok))

    @property
    def holes(self) -> list[Cell]:
        """Those where something else came than had to."""
        return [cell for cell in self.cells if not cell.ok]

    def write(self, summary: Callable[[str], str] = str) -> None:
        """Write the table to .run/rights, a row for each door, a column for each way and person."""
        folder = ROOT / ".run" / "rights"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.title}.md").write_text(summary(self._table()))

    def _table(self) -> str:
        columns = list(dict.fromkeys(f"{cell.way}: {cell.who}" for cell in self.cells))
        rows: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for cell in self.cells:
            mark = cell.found if cell.ok else f"**{cell.found}**"
            rows[cell.door.name][f"{cell.way}: {cell.who}"] = mark
        lines = [f"| {name} | {' | '.join(found.get(one, '') for one in columns)} |" for name, found in rows.items()]
        ways = Counter(cell.way for cell in self.cells)
        head = f"# {self.title}\n\nCells tested: {len(self.cells)} ({dict(ways)}). Holes: {len(self.holes)}.\n\n"
        return head + f"| Door | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}\n" + "\n".join(lines) + "\n"
