"""Tables of payment."""

from services.payment.models.bank import BankLine
from services.payment.models.desk import DeskShift
from services.payment.models.exemptions import Exemption
from services.payment.models.fees import (
    CallbackLog,
    Deposit,
    Dossier,
    Fee,
    Payment,
    PaymentBase,
    Refund,
)
from services.payment.models.ledger import LedgerAccount, LedgerEntry, TreasuryAccount
from services.payment.models.receipts import Issuer, IssuingDelegation, Receipt, ReceiptDocument, ReceiptSeries
from services.payment.models.reconciliation import Difference, Reconciliation, Statement, StatementLine

__all__ = [
    "BankLine",
    "CallbackLog",
    "Deposit",
    "DeskShift",
    "Difference",
    "Dossier",
    "Exemption",
    "Fee",
    "Issuer",
    "IssuingDelegation",
    "LedgerAccount",
    "LedgerEntry",
    "Payment",
    "PaymentBase",
    "Receipt",
    "ReceiptDocument",
    "ReceiptSeries",
    "Reconciliation",
    "Refund",
    "Statement",
    "StatementLine",
    "TreasuryAccount",
]
