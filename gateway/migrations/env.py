"""Alembic's entry for the gateway."""

from gateway.models import GatewayBase
from shared.migrations import run_env

run_env(GatewayBase.metadata)
