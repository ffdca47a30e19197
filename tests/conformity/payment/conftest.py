"""The service on servers of its own: what is done to it here would be in the way of its other tests."""

from tests.payment.conftest import app, bank, database_url, door, gateway, platform, seals, till, vnpay

__all__ = ["app", "bank", "database_url", "door", "gateway", "platform", "seals", "till", "vnpay"]
