"""Credits: made by a payer who scans a code or writes the words by hand, told as often and as badly as ordered."""

import hashlib
import hmac
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from deploy.bank.settings import BankSettings
from deploy.mocks.control import House
from deploy.mocks.faults import OF_NOTICES, Fault, Kind
from deploy.mocks.postman import Sending
from shared import clock
from shared.clock import VN

SCHEMA = """
CREATE TABLE IF NOT EXISTS credit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, transaction_number TEXT NOT NULL UNIQUE, account_number TEXT NOT NULL,
    amount_vnd INTEGER NOT NULL, content TEXT NOT NULL, booked_at TEXT NOT NULL);
"""
SIGNATURE = "X-Signature"


class TransferOrder(BaseModel):
    """How a payer transfers: with a code that is scanned, or by words of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    qr: str | None = Field(None, max_length=512, description="The payload that the banking app scanned.")
    account_number: str = ""
    content: str = Field("", max_length=500)
    amount_vnd: int | None = Field(None, gt=0, description="Whole đồng; null: what the code says.")
    pushes: int = Field(1, ge=0, le=50)
    parallel: bool = False
    delay_s: float = Field(0, ge=0, le=86_400)
    bad_signature: bool = False


def sign(body: bytes, secret: str) -> str:
    """Return lower hex of HMAC-SHA256 over a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def scan(payload: str) -> dict[str, str]:
    """Return what a banking app reads from a code, by EMVCo's numbers; `38` is opened up to `38.01.01`."""
    found: dict[str, str] = {}
    for name, value in _objects(payload):
        found[name] = value
        if name in {"38", "62"}:
            found |= {f"{name}.{inner}": text for inner, text in _objects(value)}
    if "38.01" in found:
        found |= {f"38.01.{inner}": text for inner, text in _objects(found["38.01"])}
    return found


def _objects(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place + 4 <= len(text):
        length = int(text[place + 2 : place + 4])
        found.append((text[place : place + 2], text[place + 4 : place + 4 + length]))
        place += 4 + length
    return found


async def transfer(house: House, settings: BankSettings, order: TransferOrder) -> dict[str, object]:
    """Book a credit and push it; return it with the replies so far."""
    scanned = scan(order.qr) if order.qr else {}
    content = order.content or scanned.get("62.08", "")
    amount_vnd = order.amount_vnd or int(scanned.get("54", "0"))
    fired = house.menu.draw(content, OF_NOTICES)
    if "wrong_amount" in fired:
        amount_vnd += fired["wrong_amount"].difference_vnd
    if "mangled" in fired:
        content = f"MBVCB.{len(content)}.{content[:6]} {content[6:].lower()}-CHUYEN TIEN"
    with house.memory.transaction() as db:
        credit = _book(db, order.account_number or scanned.get("38.01.01", ""), amount_vnd, content)
    told = await house.postman.post(_sendings(settings, credit, order, fired), parallel=order.parallel)
    return {**credit, "pushes": told}


def _book(db: sqlite3.Connection, account_number: str, amount_vnd: int, content: str) -> dict[str, Any]:
    now = clock.now().astimezone(VN)
    number = f"FT{now:%y%m%d%H%M%S%f}"
    db.execute(
        "INSERT INTO credit (transaction_number, account_number, amount_vnd, content, booked_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (number, account_number, amount_vnd, content, now.isoformat(timespec="seconds")),
    )
    return _shown(db.execute("SELECT * FROM credit WHERE transaction_number = ?", (number,)).fetchone())


def _sendings(
    settings: BankSettings, credit: Mapping[str, Any], order: TransferOrder, fired: Mapping[Kind, Fault]
) -> list[Sending]:
    if "never" in fired:
        return []
    secret, body = settings.bank_secret.get_secret_value(), orjson.dumps(credit)
    bad = order.bad_signature or "bad_signature" in fired
    signature = sign(body, f"{secret}?" if bad else secret)
    delay_s = order.delay_s + (fired["late"].delay_s if "late" in fired else 0)
    copies = order.pushes * (2 if "duplicate" in fired else 1)
    return [Sending(str(credit["transaction_number"]), body.decode(), signature, delay_s)] * copies


def credits_with(db: sqlite3.Connection, account_number: str, content: str) -> list[dict[str, Any]]:
    """Return the credits of an account whose words hold a text, as banks compare: letters and digits alone."""
    wanted = "".join(letter for letter in content.upper() if letter.isalnum())
    rows = db.execute("SELECT * FROM credit WHERE account_number = ? ORDER BY number", (account_number,)).fetchall()
    return [
        _shown(row)
        for row in rows
        if wanted and wanted in "".join(letter for letter in row["content"].upper() if letter.isalnum())
    ]


def credits_of_day(db: sqlite3.Connection, account_number: str | None, day: date) -> list[dict[str, Any]]:
    """Return the credits booked on a day in Vietnam, oldest first."""
    begin = datetime(day.year, day.month, day.day, tzinfo=VN)
    window = (begin.isoformat(), (begin + timedelta(days=1)).isoformat())
    rows = db.execute(
        "SELECT * FROM credit WHERE booked_at >= ? AND booked_at < ? AND (? IS NULL OR account_number = ?)"
        " ORDER BY number",
        (*window, account_number, account_number),
    ).fetchall()
    return [_shown(row) for row in rows]


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in row.keys() if name != "number"}  # noqa: SIM118 - a Row iterates over its values
