"""HTTP in: fees, payments, receipts, refunds, and the platform's callback."""

from services.payment.routes.fees import ROUTERS

__all__ = ["ROUTERS"]
