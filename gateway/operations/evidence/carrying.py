"""An export of the log: what a verifier elsewhere needs, as lines of JSON. Written and read with flat memory."""

import base64
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from gateway.operations.evidence.chain import Call, Record
from gateway.operations.evidence.sealing import DayFigures, Seal
from gateway.operations.evidence.stamps import Anchor

FORMAT = 2
OLD_FORMAT = 1
"""Seals of three values, and no anchors."""


def write_beginning(file: BinaryIO | gzip.GzipFile, seals: Sequence[Seal], anchors: Sequence[Anchor]) -> None:
    """Write the first line of an export: the ends of dropped months with their figures, and the time stamps."""
    said = {
        "motcua_transaction_log": FORMAT,
        "seals": [_of_seal(seal) for seal in seals],
        "anchors": [[one.number, one.hash.hex(), base64.b64encode(one.token).decode()] for one in anchors],
    }
    file.write(orjson.dumps(said) + b"\n")


def write_record(file: BinaryIO | gzip.GzipFile, record: Record) -> None:
    """Write a record as a line of an export."""
    signature = record.signature.hex() if record.signature else None
    values = [record.number, record.stored_at, *astuple(record.call), record.hash.hex(), signature]
    file.write(orjson.dumps([v.hex() if isinstance(v, bytes) else v for v in values]) + b"\n")


def _of_seal(seal: Seal) -> list[Any]:
    summary = seal.summary_sha256.hex() if seal.summary_sha256 else None
    return [
        *(seal.first_number, seal.last_number, seal.last_hash.hex(), seal.stored_from, seal.stored_to, seal.calls),
        *(summary, seal.signature.hex(), [list(astuple(day)) for day in seal.days]),
    ]


class Export:
    """An export as it lies in a file; raises ValueError with the line that cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            first = _parsed(1, file.readline())
        version = first.get("motcua_transaction_log") if isinstance(first, dict) else None
        if version not in (FORMAT, OLD_FORMAT):
            raise ValueError("Line 1: this is no export of the transaction log.")
        try:
            self.seals = _old_seals(first["seals"]) if version == OLD_FORMAT else [*map(_seal, first["seals"])]
            self.anchors = [Anchor(n, bytes.fromhex(h), base64.b64decode(t)) for n, h, t in first.get("anchors", [])]
        except (TypeError, ValueError, KeyError) as problem:
            raise ValueError(f"Line 1 does not begin an export: {problem}") from None

    def _open(self) -> Any:  # noqa: ANN401 - a file, compressed or not
        return gzip.open(self._path, "rb") if self._path.suffix == ".gz" else self._path.open("rb")

    def records(self) -> Iterator[Record]:
        """Return the records in the order of the file."""
        with self._open() as file:
            for nth, line in enumerate(file, start=1):
                if nth > 1:
                    yield _record(nth, _parsed(nth, line))


def _seal(values: list[Any]) -> Seal:
    first, last, digest, start, end, calls, summary, signature, days = values
    return Seal(
        *(first, last, bytes.fromhex(digest), datetime.fromisoformat(start), datetime.fromisoformat(end), calls),
        *(bytes.fromhex(summary) if summary else None, bytes.fromhex(signature)),
        days=[DayFigures(date.fromisoformat(day), *rest) for day, *rest in days],
    )


def _old_seals(rows: list[Any]) -> list[Seal]:
    ends = sorted((number, bytes.fromhex(digest), bytes.fromhex(signature)) for number, digest, signature in rows)
    nowhen = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    starts = [1, *(number + 1 for number, _, _ in ends)]
    return [
        Seal(start, number, digest, nowhen, nowhen, None, None, signature)
        for start, (number, digest, signature) in zip(starts, ends, strict=False)
    ]


def _parsed(nth: int, line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(line)
    except ValueError as problem:
        raise ValueError(f"Line {nth} is no JSON: {problem}") from None


def _record(nth: int, values: Any) -> Record:  # noqa: ANN401 - JSON
    try:
        number, stored_at, at, *rest, digest, signature = values
        # The last two values of a call are digests.
        texts, digests = rest[:-2], [bytes.fromhex(v) if v else None for v in rest[-2:]]
        call = Call(datetime.fromisoformat(at), *texts, *digests)
        return Record(
            number,
            datetime.fromisoformat(stored_at),
            call,
            bytes.fromhex(digest),
            bytes.fromhex(signature) if signature else None,
        )
    except (TypeError, ValueError) as problem:
        raise ValueError(f"Line {nth} is no record: {problem}") from None
