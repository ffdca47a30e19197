"""Payment: what a dossier costs, the attempts to pay it, receipts, refunds.

Owns: fees, payments, receipts, refunds.
Publishes: payment.fee.*, payment.payment.*, payment.receipt.*, payment.refund.*.
Consumes: intake.dossier.accepted, rejected, withdrawn, retracted.
"""
