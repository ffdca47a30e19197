"""Tables of payment."""

from services.payment.models.fees import CallbackLog, Deposit, Fee, Payment, PaymentBase, Receipt, ReceiptSeries, Refund

__all__ = ["CallbackLog", "Deposit", "Fee", "Payment", "PaymentBase", "Receipt", "ReceiptSeries", "Refund"]
