"""What the REST doors know beside the dossiers themselves: their numbers, and words told before any status."""

import hashlib
import sqlite3

import orjson

from deploy.portal.rest_words import DATES

STATE = (*DATES, "TrangThaiHoSo")
Row = dict[str, object]


def id_of(code: str) -> str:
    """Return IdHoSo of a dossier: the portal's own number, the same for ever."""
    return hashlib.sha256(code.encode()).hexdigest()[:24]


def holds(db: sqlite3.Connection, code: str, number: str) -> bool:
    """Tell whether the portal knows a dossier, in whichever dialect it was told, and by this number."""
    found = db.execute("select 1 from dossier where code = ?", (code,)).fetchone()
    return found is not None and id_of(code) == number


def held_words(db: sqlite3.Connection, code: str) -> tuple[Row, Row]:
    """Return what is held of a dossier: its words, and its status with its dates (empty before any status)."""
    found = db.execute(
        "select received.body from dossier join received on received.seq = dossier.seq where dossier.code = ?", (code,)
    ).fetchone()
    if found is None:
        waiting = db.execute("select words from early_words where code = ?", (code,)).fetchone()
        return (orjson.loads(waiting["words"]) if waiting else {}), {}
    hoso = orjson.loads(found["body"])
    return (
        {name: value for name, value in hoso.items() if name not in STATE},
        {name: hoso[name] for name in STATE if name in hoso},
    )


def keep_words(db: sqlite3.Connection, code: str, words: Row) -> None:
    """Keep a dossier's words until its first status is told."""
    db.execute(
        "insert into early_words (code, words) values (?, ?) on conflict (code) do update set words = excluded.words",
        (code, orjson.dumps(words).decode()),
    )
