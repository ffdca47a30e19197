"""A partner's webhook receiver, as we would call it: every check is one delivery, or one that is none of ours.

Source: Standard Webhooks specification 1.0 (signature scheme v1, HMAC-SHA256 over id.timestamp.body).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

import httpx

from deploy.integrators.conformance.findings import Finding
from shared import clock

TIMEOUT_S = 15
"""What a receiver has to answer in."""
STALE = timedelta(minutes=10)
PREFIX = "whsec_"
TAKEN = range(200, 300)
REFUSALS = range(400, 500)


def sign(secret: str, message_id: str, at: datetime, body: bytes) -> str:
    """Return the signature of a delivery; raises ValueError for a secret that is none."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = b"%b.%d.%b" % (message_id.encode(), int(at.timestamp()), body)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check_receiver(url: str, secret: str, *, http: httpx.Client) -> Iterator[Finding]:
    """Deliver to a receiver what it must take and what it must refuse; raises ValueError for an unusable secret."""
    now, message_id = clock.now(), f"msg_{uuid4().hex}"
    body = _body(now)
    good = _headers(message_id, now, sign(secret, message_id, now, body))
    other = sign(PREFIX + base64.b64encode(b"another secret of 32 bytes......").decode(), message_id, now, body)
    old = now - STALE
    yield _taken(http, url, "takes", "a signed delivery is answered 2xx in time", good, body)
    yield _taken(http, url, "takes_again", "the same webhook-id again is answered 2xx", good, body)
    both = {**good, "webhook-signature": f"{other} {good['webhook-signature']}"}
    yield _taken(http, url, "rotation", "one of several signatures is enough", both, body)
    unknown = {**good, "webhook-signature": f"v9,AAAA {good['webhook-signature']}"}
    yield _taken(http, url, "versions", "a signature of an unknown version is passed over", unknown, body)
    changed = body.replace(b'"portal_status":1', b'"portal_status":9')
    yield _refused(http, url, "tampered", "a body that was changed is refused (4xx)", good, changed)
    yield _refused(
        http, url, "other_secret", "another secret's signature is refused", {**good, "webhook-signature": other}, body
    )
    stale = _headers(message_id, old, sign(secret, message_id, old, body))
    yield _refused(http, url, "stale", "a delivery of ten minutes ago is refused (replay)", stale, body)
    moved = {**good, "webhook-id": f"msg_{uuid4().hex}"}
    yield _refused(http, url, "other_id", "a signature under another webhook-id is refused", moved, body)
    bare = {name: value for name, value in good.items() if name != "webhook-signature"}
    yield _refused(http, url, "unsigned", "a delivery without a signature is refused", bare, body)


def _body(at: datetime) -> bytes:
    data = {"dossier_code": "H32.14.61-260101-0001", "agency_code": "H32.14.61", "procedure_code": "1.004873"}
    event = {"type": "intake.dossier.submitted.v1", "timestamp": at.isoformat(), "data": data | {"portal_status": 1}}
    return json.dumps(event, separators=(",", ":")).encode()


def _headers(message_id: str, at: datetime, signature: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def _deliver(http: httpx.Client, url: str, headers: Mapping[str, str], body: bytes) -> int | str:
    try:
        return http.post(url, headers=dict(headers), content=body, timeout=TIMEOUT_S).status_code
    except httpx.HTTPError as problem:
        return type(problem).__name__


def _taken(http: httpx.Client, url: str, name: str, promise: str, headers: Mapping[str, str], body: bytes) -> Finding:
    answer = _deliver(http, url, headers, body)
    good = answer in TAKEN if isinstance(answer, int) else False
    return Finding(name, "passed" if good else "failed", promise, f"answered {answer}")


def _refused(http: httpx.Client, url: str, name: str, promise: str, headers: Mapping[str, str], body: bytes) -> Finding:
    answer = _deliver(http, url, headers, body)
    good = answer in REFUSALS if isinstance(answer, int) else False
    return Finding(name, "passed" if good else "failed", promise, f"answered {answer}")
