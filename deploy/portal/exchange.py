"""What goes back and forth in one call: its answer, the codes in it, and the record of it."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import cycle

import orjson
from fastapi import Response

OK = 0
INVALID = 1
UNKNOWN_DOSSIER = 2
EXISTS = 3
ILLEGAL_STEP = 4
REFUSED = 5
BUSY = -1
NO_SESSION = -2
BAD_LOGIN = -4
NO_DESTINATION = -5
UNKNOWN_SERVICE = -6
MALFORMED = -7

SUCCESS_CODES: Mapping[str, tuple[int | str, ...]] = {
    "int": (0,),
    "string": ("0",),
    "double": ("00",),
    "mixed": (0, "0", "00"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The portal's answer to a call: 0 or what went wrong, and one row per thing asked or told."""

    code: int
    message: str
    result: list[dict[str, object]] = field(default_factory=list)
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is served: its place in the record, and the faults that fired on it."""

    seq: int
    service: str
    unit: str
    received_at: str
    is_updating: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the record below its call."""

    dossier: str
    status: str | None
    outcome: str
    code: int
    message: str
    body: bytes
    fault: str | None = None


def record_call(db: sqlite3.Connection, call: Call, outcome: str, code: int | str, message: str) -> None:
    """Write down the call itself, under the number it was given."""
    db.execute(
        "insert into received (seq, call, received_at, service, unit, is_updating, outcome, code, message, fault)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            call.seq,
            call.seq,
            call.received_at,
            call.service,
            call.unit,
            call.is_updating,
            outcome,
            str(code),
            message,
            call.fault,
        ),
    )


def record_rows(db: sqlite3.Connection, call: Call, entries: Iterable[Entry]) -> None:
    """Write down what a call carried, row by row, directly after the call."""
    db.executemany(
        "insert into received (seq, call, received_at, service, unit, dossier, status, is_updating, outcome, code,"
        " message, fault, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                call.seq + number,
                call.seq,
                call.received_at,
                call.service,
                call.unit,
                entry.dossier,
                entry.status,
                call.is_updating,
                entry.outcome,
                str(entry.code),
                entry.message,
                entry.fault,
                entry.body.decode(),
            )
            for number, entry in enumerate(entries, start=1)
        ),
    )


def json_response(content: object, status_code: int = 200) -> Response:
    """Return a JSON answer as it goes over the wire."""
    return Response(orjson.dumps(content), status_code, media_type="application/json")


class CodeWriter:
    """Writes codes into answers as the real portal does: success as 0, "0" or "00"."""

    def __init__(self, style: str) -> None:
        self._usual = cycle(SUCCESS_CODES[style])
        self._strings = style in {"string", "double"}
        self._quirky = cycle(SUCCESS_CODES["mixed"])

    def envelope(self, answer: Answer, *, quirky: bool) -> dict[str, object]:
        """Return the answer's envelope; quirky: success changes its form from code to code."""
        if answer.session is not None:
            return {"error_code": self._code(answer.code, quirky=quirky), "session": answer.session}
        rows = [
            {**row, "error_code": self._code(int(str(row["error_code"])), quirky=quirky)}
            if "error_code" in row
            else row
            for row in answer.result
        ]
        return {"error_code": self._code(answer.code, quirky=quirky), "message": answer.message, "result": rows}

    def one(self, code: int, *, quirky: bool) -> int | str:
        """Return a code that stands for itself."""
        return self._code(code, quirky=quirky)

    def _code(self, code: int, *, quirky: bool) -> int | str:
        if code == OK:
            return next(self._quirky if quirky else self._usual)
        return str(code) if quirky or self._strings else code
