"""What tests, demo and people ask the portal: everything it was told, by call, by dossier, as figures."""

import sqlite3

import orjson

from deploy.portal.ledger import dict_of
from deploy.portal.statuses import NAMES

ROW = "seq, call, received_at, service, unit, dossier, status, is_updating as isUpdating, outcome, code, message, fault"
Page = dict[str, object]


def received(db: sqlite3.Connection, after: int, limit: int) -> Page:
    """Return calls and rows in the order in which they came; `next` continues."""
    rows = [
        dict_of(row)
        for row in db.execute(f"select {ROW} from received where seq > ? order by seq limit ?", (after, limit))
    ]
    return {"rows": rows, "next": rows[-1]["seq"] if rows else after}


def latest(db: sqlite3.Connection, limit: int) -> list[Page]:
    """Return the latest calls and rows, newest first."""
    return [dict_of(row) for row in db.execute(f"select {ROW} from received order by seq desc limit ?", (limit,))]


def dossiers(db: sqlite3.Connection, after: str, limit: int) -> Page:
    """Return dossiers by code with their current status; `next` continues, null at the end."""
    rows = [
        dict_of(row)
        for row in db.execute(
            "select code, status, (select count(*) from status where dossier = code) as statuses"
            " from dossier where code > ? order by code limit ?",
            (after, limit),
        )
    ]
    return {"dossiers": rows, "next": rows[-1]["code"] if len(rows) == limit else None}


def dossier(db: sqlite3.Connection, code: str) -> Page | None:
    """Return everything the portal was told of one dossier, None if it was told nothing."""
    known = db.execute("select seq from dossier where code = ?", (code,)).fetchone()
    told = db.execute("select 1 from received where dossier = ? limit 1", (code,)).fetchone()
    if known is None and told is None:
        return None
    return {
        "code": code,
        "hoso": _body(db, known["seq"]) if known else None,
        "statuses": [
            dict_of(row)
            for row in db.execute(
                "select seq, status, event_time, received_at from status where dossier = ? order by seq", (code,)
            )
        ],
        "tien_do": [
            {"seq": row["seq"], "received_at": row["received_at"], **orjson.loads(row["body"])}
            for row in db.execute(
                "select received.seq, received_at, body from tien_do join received using (seq)"
                " where tien_do.dossier = ? order by seq",
                (code,),
            )
        ],
        "violations": _rows_of(db, code, "violation"),
        "refusals": _rows_of(db, code, "refused"),
        "duplicates": db.execute(
            "select count(*) from received where dossier = ? and outcome in ('duplicate', 'exists')", (code,)
        ).fetchone()[0],
    }


def statuses(db: sqlite3.Connection, after: str, limit: int) -> tuple[dict[str, list[str]], str | None]:
    """Return the statuses of the dossiers that follow a code, each in order, and the code to go on from."""
    found: dict[str, list[str]] = {}
    for row in db.execute(
        "select status.dossier, status.status from status"
        " where dossier in (select code from dossier where code > ? order by code limit ?) order by dossier, seq",
        (after, limit),
    ):
        found.setdefault(row["dossier"], []).append(row["status"])
    last = db.execute(
        "select max(code) from (select code from dossier where code > ? order by code limit ?)", (after, limit)
    )
    return found, last.fetchone()[0]


def summary(db: sqlite3.Connection) -> Page:
    """Return the figures: what is held, what was wrong, what came out of order."""
    outcomes = {
        row["outcome"]: row["n"]
        for row in db.execute("select outcome, count(*) as n from received where dossier is not null group by outcome")
    }
    by_status = {
        row["status"]: row["n"]
        for row in db.execute("select status, count(*) as n from dossier where status is not null group by status")
    }
    calls, faulted = db.execute("select count(*), count(fault) from received where dossier is null").fetchone()
    return {
        "calls": calls,
        "faulted_calls": faulted,
        "dossiers": sum(by_status.values()),
        "statuses": db.execute("select count(*) from status").fetchone()[0],
        "tien_do": db.execute("select count(*) from tien_do").fetchone()[0],
        "by_status": {status: by_status.get(status, 0) for status in NAMES},
        "outcomes": outcomes,
        "duplicates": outcomes.get("duplicate", 0) + outcomes.get("exists", 0),
        "violations": outcomes.get("violation", 0),
        "disorder": _disorder(db),
        "payments": db.execute("select count(*) from payment").fetchone()[0],
    }


def _disorder(db: sqlite3.Connection) -> int:
    """Count steps that the graph refused and statuses whose moment lies before that of their predecessor."""
    refused = db.execute(
        "select count(*) from received where outcome = 'violation' and service = 'DongBoHoSoMC' and code in ('4', '6')"
    ).fetchone()[0]
    backwards = db.execute(
        "select count(*) from (select event_time, lag(event_time) over (partition by dossier order by seq) as before"
        " from status where event_time is not null) where event_time < before"
    ).fetchone()[0]
    return refused + backwards


def _body(db: sqlite3.Connection, seq: int | None) -> object:
    row = db.execute("select body from received where seq = ?", (seq,)).fetchone()
    return orjson.loads(row["body"]) if row else None


def _rows_of(db: sqlite3.Connection, code: str, outcome: str) -> list[Page]:
    rows = db.execute(
        f"select {ROW}, body from received where dossier = ? and outcome = ? order by seq", (code, outcome)
    )
    return [{**dict_of(row), "body": orjson.loads(row["body"])} for row in rows]
