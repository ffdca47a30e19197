"""HTTP in: fees, payments, receipts, refunds, the ledger, and the providers' callbacks."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.payment.routes import (
    bank,
    callbacks,
    exemptions,
    fees,
    ledger,
    lookups,
    payments,
    receipt_check,
    receipts,
    refunds,
)

ROUTERS: Sequence[APIRouter] = (
    *callbacks.ROUTERS,
    *lookups.ROUTERS,
    *fees.ROUTERS,
    *payments.ROUTERS,
    *refunds.ROUTERS,
    *bank.ROUTERS,
    *exemptions.ROUTERS,
    *receipts.ROUTERS,
    *receipt_check.ROUTERS,
    *ledger.ROUTERS,
)

__all__ = ["ROUTERS"]
