"""Alembic's entry for payment's database."""

from services.payment.models import PaymentBase
from shared.migrations import run_env

run_env(PaymentBase.metadata)
