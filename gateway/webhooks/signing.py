"""Secrets and signatures of the Standard Webhooks specification (symmetric, `v1`)."""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.blobs.sealer import Sealer

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    """Return a new secret as it is told to the receiver."""
    return PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def sealed(sealer: Sealer, subscription_id: UUID, secret: str) -> bytes:
    """Return a secret as it is kept."""
    return sealer.seal(secret.encode(), _purpose(subscription_id))


def opened(sealer: Sealer, subscription_id: UUID, secret: bytes) -> str:
    """Return a kept secret. Raises Unopenable."""
    return sealer.open(secret, _purpose(subscription_id)).decode()


def _purpose(subscription_id: UUID) -> str:
    return f"webhook {subscription_id}"


def headers(message_id: UUID, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of one attempt; each secret gives a signature, so that a receiver may know either."""
    timestamp = str(int(at.timestamp()))
    signed = b"%b.%b.%b" % (str(message_id).encode(), timestamp.encode(), body)
    return {
        "content-type": "application/json",
        "user-agent": "motcua-webhooks/1",
        "webhook-id": str(message_id),
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
