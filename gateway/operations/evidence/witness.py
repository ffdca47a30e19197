"""The witness: a file outside the database that remembers, signed, how far the log had come.

Without it a log that was cut off at its end could not be told from one that is whole. Keep the folder where those who
administer the database do not write; every replica has a file of its own in it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from gateway.operations.evidence.chain import EvidenceKey, Head
from gateway.operations.evidence.verifying import Testimony
from shared import clock, log

EVERY_S = 10
"""At most so often: what the verifier cannot see cut off is younger than this."""

_log = log.get(__name__)


class Witness:
    """Writes one replica's file; without a folder it remembers while the process lives."""

    def __init__(self, folder: str, *, name: str = "") -> None:
        self._path = Path(folder) / f"witness-{name or os.getpid()}.jsonl" if folder else None
        self.last: Head | None = None
        self._written_number = 0
        self._write_after = 0.0

    def see(self, head: Head, key: EvidenceKey) -> None:
        """Take notice of the log's new end."""
        self.last = head
        if clock.monotonic() >= self._write_after:
            self.write(key)

    def write(self, key: EvidenceKey) -> None:
        """Write the last head down, if it is not yet."""
        self._write_after = clock.monotonic() + EVERY_S
        if self._path is None or self.last is None or self.last.number == self._written_number:
            return
        line = orjson.dumps(
            {
                "number": self.last.number,
                "hash": self.last.hash.hex(),
                "at": clock.now().isoformat(),
                "signature": key.sign(self.last.number, self.last.hash).hex(),
            }
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line + b"\n")
        except OSError as problem:
            _log.error("evidence.witness_failed", reason=str(problem))
        else:
            self._written_number = self.last.number


def read_testimonies(folder: Path) -> Iterator[Testimony]:
    """Return everything the witnesses in a folder wrote down; a line that is not whole (a crash) is passed over."""
    for path in sorted(folder.glob("witness-*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                said = orjson.loads(line)
                yield Testimony(said["number"], bytes.fromhex(said["hash"]), bytes.fromhex(said["signature"]))
            except (ValueError, KeyError, TypeError):
                continue
