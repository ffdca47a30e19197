"""What the platform keeps: payments that were opened, transactions of payers, callbacks and their replies."""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson

from deploy.portal.ledger import dict_of, stamp
from shared import clock

Outcome = Literal["success", "fail"]
UNIDENTIFIED = frozenset({"ThoiGianGD", "Ip", "MaXacThuc"})
"""What may differ when the same INIT is sent again."""
BANK = "VIETCOMBANK"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that the province opened."""

    reference: str
    dossier: str
    amount_vnd: int
    opened_at: str
    init: dict[str, object]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One attempt of a payer, as the bank ended it."""

    id: str
    reference: str
    outcome: Outcome
    amount_vnd: int
    made_at: datetime


def compact(moment: datetime) -> str:
    """Return a moment as yyyyMMddHHmmss on Vietnam's 24-hour clock."""
    return moment.astimezone(clock.VN).strftime("%Y%m%d%H%M%S")


def open_payment(db: sqlite3.Connection, init: Mapping[str, object], dossier: str) -> bool:
    """Keep an INIT; return False if its MaThamChieu already stands for another payment."""
    identity = {name: value for name, value in init.items() if name not in UNIDENTIFIED}
    digest = hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).digest()
    reference = str(init["MaThamChieu"])
    db.execute(
        "insert into payment (reference, dossier, amount_vnd, opened_at, digest, body) values (?, ?, ?, ?, ?, ?)"
        " on conflict do nothing",
        (reference, dossier, int(str(init["SoTien"])), stamp(), digest, orjson.dumps(init).decode()),
    )
    kept: bytes = db.execute("select digest from payment where reference = ?", (reference,)).fetchone()["digest"]
    return kept == digest


def find_payment(db: sqlite3.Connection, reference: str) -> Payment | None:
    """Return the payment of a MaThamChieu."""
    row = db.execute("select * from payment where reference = ?", (reference,)).fetchone()
    if row is None:
        return None
    return Payment(row["reference"], row["dossier"], row["amount_vnd"], row["opened_at"], orjson.loads(row["body"]))


def list_transactions(db: sqlite3.Connection, reference: str) -> list[Transaction]:
    """Return every transaction of a payment, oldest first."""
    rows = db.execute("select * from payment_transaction where reference = ? order by made_at, id", (reference,))
    return [
        Transaction(
            row["id"], row["reference"], row["outcome"], row["amount_vnd"], datetime.fromisoformat(row["made_at"])
        )
        for row in rows
    ]


def decisive(transactions: Iterable[Transaction]) -> Transaction | None:
    """Return the transaction that QUERY tells of: the first success, else the latest failure."""
    latest: Transaction | None = None
    for transaction in transactions:
        if transaction.outcome == "success":
            return transaction
        latest = transaction
    return latest


def make_transaction(
    db: sqlite3.Connection, payment: Payment, outcome: Outcome, amount_vnd: int, moment: datetime
) -> Transaction:
    """Let a payer pay; its MaGiaoDich is new for ever, also after the platform has forgotten everything."""
    number = f"{compact(moment)}{secrets.randbelow(10**8):08}"
    transaction = Transaction(number, payment.reference, outcome, amount_vnd, moment)
    db.execute(
        "insert into payment_transaction (id, reference, outcome, amount_vnd, made_at) values (?, ?, ?, ?, ?)",
        (number, payment.reference, outcome, amount_vnd, moment.isoformat(timespec="microseconds")),
    )
    return transaction


def add_callback(db: sqlite3.Connection, transaction: Transaction, due_at: datetime, body: bytes) -> int:
    """Keep a CONFIRM that is to be sent."""
    inserted = db.execute(
        "insert into callback (transaction_id, reference, due_at, body) values (?, ?, ?, ?) returning id",
        (transaction.id, transaction.reference, due_at.isoformat(timespec="microseconds"), body.decode()),
    )
    return inserted.fetchone()["id"]


def payments_shown(db: sqlite3.Connection, dossier: str | None, limit: int) -> list[dict[str, object]]:
    """Return the payments, newest first, with how far they are."""
    rows = db.execute(
        "select p.reference, p.dossier, p.amount_vnd, p.opened_at,"
        " coalesce((select case max(t.outcome = 'success') when 1 then '1' else '4' end from payment_transaction t"
        "  where t.reference = p.reference group by t.reference), '3') as \"TrangThaiGD\","
        " (select count(*) from payment_transaction t where t.reference = p.reference and t.outcome = 'success')"
        "  as successes"
        " from payment p where ? is null or p.dossier = ? order by p.opened_at desc, p.rowid desc limit ?",
        (dossier, dossier, limit),
    )
    return [dict_of(row) for row in rows]


def payment_shown(db: sqlite3.Connection, payment: Payment) -> dict[str, object]:
    """Return everything about one payment: transactions, callbacks, and what the province replied."""
    return {
        "reference": payment.reference,
        "dossier": payment.dossier,
        "amount_vnd": payment.amount_vnd,
        "opened_at": payment.opened_at,
        "init": payment.init,
        "transactions": [
            {
                "MaGiaoDich": transaction.id,
                "outcome": transaction.outcome,
                "amount_vnd": transaction.amount_vnd,
                "made_at": transaction.made_at.isoformat(),
            }
            for transaction in list_transactions(db, payment.reference)
        ],
        "callbacks": callbacks_shown(db, payment.reference),
    }


def callbacks_shown(
    db: sqlite3.Connection, reference: str, transaction_id: str | None = None
) -> list[dict[str, object]]:
    """Return the callbacks of a payment, or of one transaction, each with its replies."""
    rows = db.execute(
        'select id, transaction_id as "MaGiaoDich", due_at, attempts, confirmed_at from callback'
        " where reference = ? and (? is null or transaction_id = ?) order by id",
        (reference, transaction_id, transaction_id),
    ).fetchall()
    return [{**dict_of(row), "replies": _replies(db, row["id"])} for row in rows]


def _replies(db: sqlite3.Connection, callback: int) -> list[dict[str, object]]:
    rows = db.execute(
        "select replied_at, http_status, body, hash_ok from callback_reply where callback = ? order by id", (callback,)
    )
    return [{**dict_of(row), "hash_ok": bool(row["hash_ok"])} for row in rows]
