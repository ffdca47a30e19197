"""What the mocked VNPAY keeps: orders that payers opened, their transactions, refunds."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import orjson

from deploy.mocks.memory import stamp
from deploy.vnpay.words import compact
from shared import clock
from shared.clock import VN

SCHEMA = """
CREATE TABLE IF NOT EXISTS purchase (reference TEXT PRIMARY KEY, amount_vnd INTEGER NOT NULL, words TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS txn (
    number INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, amount_vnd INTEGER NOT NULL,
    status TEXT NOT NULL, made_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refund (
    request TEXT PRIMARY KEY, reference TEXT NOT NULL, number INTEGER NOT NULL, amount_vnd INTEGER NOT NULL,
    kind TEXT NOT NULL, status TEXT NOT NULL, made_at TEXT NOT NULL);
"""
FIRST_NUMBER = 14_000_000
COMPLETE, FAILED, REVERSED = "00", "02", "04"
BANK = "NCB"


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order as the merchant signed it."""

    reference: str
    amount_vnd: int
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class Txn:
    """One transaction of a payer."""

    number: int
    reference: str
    amount_vnd: int
    status: str
    made_at: datetime


def open_purchase(db: sqlite3.Connection, words: Mapping[str, str]) -> Purchase:
    """Keep an order that a payer opened."""
    reference, amount_vnd = words["vnp_TxnRef"], int(words["vnp_Amount"]) // 100
    db.execute(
        "INSERT INTO purchase VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (reference, amount_vnd, orjson.dumps(dict(words)).decode()),
    )
    return Purchase(reference, amount_vnd, dict(words))


def find_purchase(db: sqlite3.Connection, reference: str) -> Purchase | None:
    """Return the order of a vnp_TxnRef."""
    row = db.execute("SELECT * FROM purchase WHERE reference = ?", (reference,)).fetchone()
    return Purchase(row["reference"], row["amount_vnd"], orjson.loads(row["words"])) if row else None


def make_txn(db: sqlite3.Connection, reference: str, amount_vnd: int, status: str) -> Txn:
    """Let a payer pay; its number is new for ever, also after everything was forgotten."""
    known = db.execute("SELECT coalesce(max(number), 0) AS last FROM txn").fetchone()["last"]
    number = max(known + 1, FIRST_NUMBER, int(clock.now().timestamp() * 1000))
    made = db.execute(
        "INSERT INTO txn VALUES (?, ?, ?, ?, ?) RETURNING *", (number, reference, amount_vnd, status, stamp())
    )
    return _txn(made.fetchone())


def decisive(db: sqlite3.Connection, reference: str) -> Txn | None:
    """Return the transaction that querydr tells of: the first that is complete, else the latest."""
    row = db.execute(
        "SELECT * FROM txn WHERE reference = ? ORDER BY status <> '00', CASE status WHEN '00' THEN number END,"
        " number DESC LIMIT 1",
        (reference,),
    ).fetchone()
    return _txn(row) if row else None


def reverse(db: sqlite3.Connection, number: int) -> Txn:
    """Let the bank take a transaction back."""
    return _txn(db.execute("UPDATE txn SET status = '04' WHERE number = ? RETURNING *", (number,)).fetchone())


def settlement(db: sqlite3.Connection, day: date) -> list[dict[str, object]]:
    """Return what VNPAY says it took and gave back on a day in Vietnam, oldest first."""
    begin = datetime(day.year, day.month, day.day, tzinfo=VN)
    window = (
        begin.astimezone(clock.now().tzinfo).isoformat(),
        (begin + timedelta(days=1)).astimezone(clock.now().tzinfo).isoformat(),
    )
    paid = db.execute(
        "SELECT number, reference, amount_vnd, status, made_at FROM txn WHERE status IN ('00', '04')"
        " AND made_at >= ? AND made_at < ? ORDER BY number",
        window,
    ).fetchall()
    back = db.execute(
        "SELECT number, reference, -amount_vnd AS amount_vnd, 'refund' AS status, made_at FROM refund"
        " WHERE status = '00' AND made_at >= ? AND made_at < ? ORDER BY made_at",
        window,
    ).fetchall()
    return [
        {
            "transaction_number": str(row["number"]),
            "reference": row["reference"],
            "amount_vnd": row["amount_vnd"],
            "status": row["status"],
            "paid_at": compact(datetime.fromisoformat(row["made_at"])),
        }
        for row in (*paid, *back)
    ]


def _txn(row: sqlite3.Row) -> Txn:
    return Txn(
        row["number"], row["reference"], row["amount_vnd"], row["status"], datetime.fromisoformat(row["made_at"])
    )
