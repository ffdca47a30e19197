"""What tests of the backlog do all the time: write scans with an index, import them, look at what was kept."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from deploy.backlog import run
from deploy.backlog.columns import COLUMNS
from deploy.backlog.index import Index, open_index
from deploy.backlog.pipeline import Source
from deploy.backlog.run import Outcome
from deploy.backlog.sample import scan
from services.results.operations import Reason
from shared.blobs import BlobStore
from shared.caller import Caller
from shared.db import Database

TODAY = date(2026, 4, 7)
RIGHT: Mapping[str, str] = {
    "number": "12/GPXD-UBND",
    "kind_code": "KQ.G13.000123",
    "kind_name": "Giấy phép xây dựng",
    "agency_code": "H32.14",
    "owner_name": "Nguyễn Văn Thử",
    "identity_kind": "CCCD",
    "identity_number": "056090000001",
    "issued_on": "09/03/2015",
    "file": "1.pdf",
}


class Silent:
    """Shows progress to nobody, and remembers it."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []

    def step(self, done: int, total: int) -> None:
        """Remember."""
        self.steps.append((done, total))


class Strict:
    """Rules that accept no signature, and say which documents they were asked about."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    async def refuse(self, document: bytes) -> Reason | None:
        """Refuse."""
        self.asked.append(document)
        return Reason("file", "signature_untrusted", "Nobody known signed this.", "Chữ ký không tin cậy.")


class Office:
    """A folder of scans, and the archive they go into."""

    def __init__(self, folder: Path, store: Path, database: Database) -> None:
        self.folder = folder
        self.store = store
        self.database = database
        self.rejects = folder / "rejects.csv"
        self.rules = Strict()

    def scan(self, name: str, document: bytes | None = None) -> str:
        """Write a scan, one of its own unless given; return its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(scan(name, 900) if document is None else document)
        return name

    def rows(self, count: int, *, first: int = 1) -> list[dict[str, str]]:
        """Return rows that are right, with their scans."""
        return [
            {**RIGHT, "number": f"{nth}/GPXD-UBND", "file": self.scan(f"{nth}.pdf")}
            for nth in range(first, first + count)
        ]

    def index(self, rows: Sequence[Mapping[str, str]], name: str = "index.csv") -> Index:
        """Write an index under the headings that offices use."""
        path = self.folder / name
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            lines = csv.writer(file, delimiter=";")
            lines.writerow(column.heading_vi for column in COLUMNS)
            lines.writerows([row.get(column.name, "") for column in COLUMNS] for row in rows)
        return open_index(path)

    def source(self, index: Index, **more: Any) -> Source:
        """Return what is imported: in small chunks, by two threads."""
        options: dict[str, Any] = {
            "folder": self.folder,
            "caller": Caller("backlog-import"),
            "today": TODAY,
            "chunk_rows": 7,
            "threads": 2,
            "document_bytes_max": 100_000,
            "signatures": self.rules,
            "store": BlobStore(self.store.as_uri()),
        }
        return Source(index=index, **(options | more))

    async def bring(self, rows: Sequence[Mapping[str, str]], name: str = "index.csv", **more: Any) -> Outcome:
        """Import rows."""
        return await run.lead(self.database, self.source(self.index(rows, name), **more), self.rejects, Silent())

    async def rehearse(self, rows: Sequence[Mapping[str, str]]) -> Outcome:
        """Try rows."""
        source = self.source(self.index(rows), store=None)
        return await run.rehearse(self.database, source, self.rejects, Silent())

    async def refused(self, row: Mapping[str, str]) -> list[str]:
        """Import one row; return the codes of the reasons for which it was rejected."""
        outcome = await self.bring([row], f"{abs(hash(tuple(row.items())))}.csv")
        return list(outcome.facts["reasons"])

    def written_rejects(self) -> list[dict[str, str]]:
        """Return the rejects file."""
        with self.rejects.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def stored(self) -> set[str]:
        """Return the names of the files in the store."""
        return {path.name for path in self.store.rglob("*") if path.is_file()}
