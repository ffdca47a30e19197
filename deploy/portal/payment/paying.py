"""A payer pays: a transaction is made, and the province is told as often and as badly as was ordered."""

import sqlite3
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from deploy.portal.faults import CALLBACK, Fault
from deploy.portal.parts import Portal
from deploy.portal.payment.callbacks import confirmation
from deploy.portal.payment.records import (
    Outcome,
    Payment,
    add_callback,
    callbacks_shown,
    find_payment,
    make_transaction,
)
from shared import clock


class PayOrder(BaseModel):
    """How a payer pays and how the platform tells of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome = "success"
    callbacks: int = Field(1, ge=0, le=50, description="CONFIRMs of this one transaction; 0: the province is not told.")
    parallel: bool = Field(default=False, description="All at once instead of one after the other.")
    callback_delay_s: float = Field(0, ge=0, le=86_400)
    amount_vnd: int | None = Field(None, ge=0, description="Whole đồng that were paid; null: what was asked.")
    bad_signature: bool = Field(default=False, description="CONFIRM with a wrong MaXacThuc.")


async def pay(portal: Portal, reference: str, order: PayOrder) -> dict[str, object] | None:
    """Make a transaction and send its callbacks; return it with the replies so far, None without such a payment.

    Callbacks that are due now are attempted once before this returns; retries and late ones go on behind.
    """
    payment = await portal.ledger.run(lambda db: find_payment(db, reference))
    if payment is None:
        return None
    befallen = [await portal.menu.draw(CALLBACK, [payment.dossier, reference]) for _ in range(order.callbacks)]
    now = clock.now()
    delays_s = [delay_s for fired in befallen for delay_s in _sendings(fired, order.callback_delay_s)]
    number, due = await portal.ledger.run(lambda db: _transact(db, portal, payment, order, now, delays_s))
    portal.postman.deliver_later([callback for callback, delay_s in due if delay_s])
    await portal.postman.deliver([callback for callback, delay_s in due if not delay_s], parallel=order.parallel)
    shown = await portal.ledger.run(lambda db: callbacks_shown(db, reference, number))
    return {"MaGiaoDich": number, "MaThamChieu": reference, "outcome": order.outcome, "callbacks": shown}


def _sendings(fired: list[Fault], delay_s: float) -> list[float]:
    """Return after how many seconds each copy of one callback goes out; a platform that is down sends none."""
    kinds = {fault.kind for fault in fired}
    if "down" in kinds:
        return []
    late_s = sum(fault.delay_s for fault in fired if fault.kind in {"delay", "late_callback"})
    return [delay_s + late_s] * (2 if "duplicate_callback" in kinds else 1)


def _transact(
    db: sqlite3.Connection, portal: Portal, payment: Payment, order: PayOrder, now: datetime, delays_s: list[float]
) -> tuple[str, list[tuple[int, float]]]:
    amount_vnd = payment.amount_vnd if order.amount_vnd is None else order.amount_vnd
    transaction = make_transaction(db, payment, order.outcome, amount_vnd, now)
    body = confirmation(payment, transaction, portal.settings, bad_signature=order.bad_signature)
    return transaction.id, [
        (add_callback(db, transaction, now + timedelta(seconds=delay_s), body), delay_s) for delay_s in delays_s
    ]
