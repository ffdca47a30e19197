"""The verbs of payment, by what they act on: fees, attempts to pay, money that came, refunds."""
