"""CONFIRM: the platform tells the province how a payment ended, until the province answers "00"."""

import asyncio
import sqlite3
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from deploy.portal.ledger import Ledger, stamp
from deploy.portal.outbound import Province, Reply
from deploy.portal.payment import hashes
from deploy.portal.payment.records import BANK, Payment, Transaction, compact
from deploy.portal.settings import PortalSettings
from shared import clock

FAILED = "99"


def confirmation(
    payment: Payment, transaction: Transaction, settings: PortalSettings, *, bad_signature: bool = False
) -> bytes:
    """Return the CONFIRM of a transaction; bad_signature: with a MaXacThuc that cannot be right."""
    message: dict[str, object] = {
        "LoaiBanTin": "CONFIRM",
        "MaLoi": "00" if transaction.outcome == "success" else FAILED,
        "MaDoiTac": settings.platform_partner,
        "MaThamChieu": payment.reference,
        "SoTien": str(transaction.amount_vnd),
        "MaTienTe": "VND",
        "MaGiaoDich": transaction.id,
        "MaNganHang": BANK,
        "ThoiGianGD": compact(transaction.made_at),
        "ThongTinGiaoDich": str(payment.init["ThongTinGiaoDich"]),
    }
    secret = settings.platform_secret.get_secret_value()
    message["MaXacThuc"] = hashes.authentication_code(
        message, hashes.CONFIRM, f"{secret}{'?' if bad_signature else ''}"
    )
    return orjson.dumps(message)


@dataclass(frozen=True, slots=True)
class Letter:
    """A callback as it is to be sent."""

    id: int
    due_at: datetime
    body: bytes
    attempts: int


class Postman:
    """Delivers callbacks; what is not confirmed when the portal stops goes out after its next start."""

    def __init__(self, ledger: Ledger, province: Province, settings: PortalSettings) -> None:
        self._ledger = ledger
        self._province = province
        self._settings = settings
        self._rounds: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Take up every callback that still waits for its confirmation."""
        rows = await self._ledger.run(
            lambda db: db.execute(
                "select id from callback where confirmed_at is null and attempts < ?",
                (self._settings.portal_attempts_max,),
            ).fetchall()
        )
        for row in rows:
            self._later(self._when_due(row["id"]))

    async def deliver(self, callbacks: Sequence[int], *, parallel: bool) -> None:
        """Send callbacks for the first time, at once or one after the other; retries go on behind."""
        if parallel:
            await asyncio.gather(*(self._attempt(callback) for callback in callbacks))
        else:
            for callback in callbacks:
                await self._attempt(callback)

    def deliver_later(self, callbacks: Sequence[int]) -> None:
        """Send callbacks when they are due."""
        for callback in callbacks:
            self._later(self._when_due(callback))

    async def stop(self) -> None:
        """Deliver nothing more of what was given until now."""
        rounds = tuple(self._rounds)
        for task in rounds:
            task.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._rounds.add(task)
        task.add_done_callback(self._rounds.discard)

    async def _when_due(self, callback: int) -> None:
        letter = await self._letter(callback)
        if letter:
            await asyncio.sleep(max(0.0, (letter.due_at - clock.now()).total_seconds()))
            await self._attempt(callback)

    async def _attempt(self, callback: int) -> None:
        letter = await self._letter(callback)
        if letter is None:
            return
        reply = await self._province.confirm(letter.body)
        confirmed = _is_confirmed(reply)
        hash_ok = _hash_ok(reply, self._settings.platform_secret.get_secret_value())
        await self._ledger.run(lambda db: _keep_reply(db, letter, reply, confirmed=confirmed, hash_ok=hash_ok))
        if not confirmed and letter.attempts + 1 < self._settings.portal_attempts_max:
            self._later(self._again(letter))

    async def _again(self, letter: Letter) -> None:
        wait_s = self._settings.portal_retry_first_s * 2**letter.attempts
        await asyncio.sleep(min(wait_s, self._settings.portal_retry_last_s))
        await self._attempt(letter.id)

    async def _letter(self, callback: int) -> Letter | None:
        row = await self._ledger.run(
            lambda db: db.execute(
                "select id, due_at, body, attempts from callback where id = ?", (callback,)
            ).fetchone()
        )
        if row is None:
            return None
        return Letter(row["id"], datetime.fromisoformat(row["due_at"]), row["body"].encode(), row["attempts"])


def _read(reply: Reply) -> dict[str, object]:
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_confirmed(reply: Reply) -> bool:
    return reply.status is not None and str(_read(reply).get("MaLoi")) == "00"


def _hash_ok(reply: Reply, secret: str) -> bool:
    return hashes.is_authentic(_read(reply), hashes.REPLY, secret)


def _keep_reply(db: sqlite3.Connection, letter: Letter, reply: Reply, *, confirmed: bool, hash_ok: bool) -> None:
    now = stamp()
    db.execute(
        "insert into callback_reply (callback, replied_at, http_status, body, hash_ok) values (?, ?, ?, ?, ?)",
        (letter.id, now, reply.status, reply.body, int(hash_ok)),
    )
    db.execute(
        "update callback set attempts = attempts + 1, confirmed_at = coalesce(confirmed_at, ?) where id = ?",
        (now if confirmed else None, letter.id),
    )
