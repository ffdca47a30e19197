"""The chain: each record's hash covers the one before it, and the last record of each commit is signed.

Whoever may write the database can change a record, and with it every later hash; the signatures he cannot make, for
their key is not in the database. Records are numbered from 1 without gaps.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.jwk import OKPKey

GENESIS = bytes(32)
"""What stands before the first record."""


@dataclass(slots=True)
class Call:
    """One call through the door; no personal data: no body, no query string, no header."""

    at: datetime
    """When it came in."""
    client_id: str
    agency: str | None
    """The agency in whose name the client called."""
    service: str
    method: str
    path: str
    status: int
    duration_us: int
    request_bytes: int
    response_bytes: int
    trace_id: str
    """The correlation id: W3C trace id of the call and all that followed from it."""
    dossier_code: str | None = None
    request_sha256: bytes | None = None
    """Of the bodies of a call that changed something."""
    response_sha256: bytes | None = None


FIELDS = tuple(Call.__slots__)
PATH_MAX = 1_000
"""Characters of a path that are kept; a longer one ends with its own digest."""
_TRACE = re.compile(r"[0-9a-f]{32}")


def storable(call: Call) -> Call:
    """Return a call as the log can keep it: no character that PostgreSQL refuses, a path of bounded length."""
    path = call.path
    if len(path) > PATH_MAX:
        whole = hashlib.sha256(path.encode(errors="replace")).hexdigest()
        path = f"{path[: PATH_MAX - 66]}…#{whole}"
    if path.isascii() and path.isprintable() and path == call.path and _TRACE.fullmatch(call.trace_id):
        return call
    trace = call.trace_id if _TRACE.fullmatch(call.trace_id) else ""
    return replace(call, path=_clean(path), trace_id=trace)


def stand_in(call: Call) -> Call:
    """Return what is written of a call whose own values cannot be: time, place, outcome and sizes in plain ASCII."""
    return replace(
        call,
        client_id=_plain_text(call.client_id),
        service=_plain_text(call.service),
        method=_plain_text(call.method),
        path=_plain_text(call.path),
        agency=None if call.agency is None else _plain_text(call.agency),
        status=_within(call.status, 32_767),
        duration_us=_within(call.duration_us),
        request_bytes=_within(call.request_bytes),
        response_bytes=_within(call.response_bytes),
        trace_id=call.trace_id if _TRACE.fullmatch(call.trace_id) else "",
        dossier_code=None,
    )


def _within(number: int, most: int = 2**63 - 1) -> int:
    return min(max(int(number), 0), most)


def _clean(text: str) -> str:
    # A zero byte and half a surrogate pair can be asked for, but not kept.
    return text.replace("\0", "%00").encode(errors="replace").decode()


def _plain_text(text: object) -> str:
    return str(text).encode("ascii", "replace").decode().replace("\0", "?")[:200]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: the last record's number, hash and time of storing."""

    number: int
    hash: bytes
    stored_at: datetime


START = Head(0, GENESIS, datetime(2000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Record:
    """A call as it stands in the log."""

    number: int
    stored_at: datetime
    call: Call
    hash: bytes
    signature: bytes | None


def hash_of(before: bytes, number: int, stored_at: datetime, call: Call) -> bytes:
    """Return a record's hash: SHA-256 of the one before it and of the record's own values as compact JSON.

    Times are microseconds since 1970 (PostgreSQL keeps no more), digests hexadecimal.
    """
    asked, answered = call.request_sha256, call.response_sha256
    values = (
        number,
        microseconds(stored_at),
        microseconds(call.at),
        *_MIDDLE(call),
        None if asked is None else asked.hex(),
        None if answered is None else answered.hex(),
    )
    return hashlib.sha256(before + orjson.dumps(values)).digest()


_MIDDLE = attrgetter(*FIELDS[1:-2])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    # Not timestamp(): a float has too few digits for microseconds.
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def chained(head: Head, calls: Sequence[Call], now: datetime) -> list[tuple[int, bytes]]:
    """Return number and hash of each call written after a head at a moment."""
    links, before = [], head.hash
    for number, call in enumerate(calls, start=head.number + 1):
        before = hash_of(before, number, now, call)
        links.append((number, before))
    return links


class EvidenceKey:
    """The key (Ed25519) that signs heads of the chain; a verifier needs its public half alone."""

    def __init__(self, jwk: Mapping[str, Any]) -> None:
        key = OKPKey.import_key(dict(jwk)).raw_value
        self._private = key if isinstance(key, Ed25519PrivateKey) else None
        public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
        if not isinstance(public, Ed25519PublicKey):
            raise TypeError("The evidence key is not an Ed25519 key.")
        self._public = public

    @classmethod
    def read(cls, path: str) -> Self:
        """Return the key in a JWK file; a new one, for this process only, without a path."""
        return cls(json.loads(Path(path).read_text()) if path else OKPKey.generate_key("Ed25519").as_dict(private=True))

    def __reduce__(self) -> tuple[type[Self], tuple[Mapping[str, Any]]]:
        """Go to another process as the public half alone."""
        x = base64.urlsafe_b64encode(self._public.public_bytes_raw()).rstrip(b"=").decode()
        return type(self), ({"kty": "OKP", "crv": "Ed25519", "x": x},)

    def sign(self, number: int, digest: bytes) -> bytes:
        """Return the signature of a head (64 bytes); raises TypeError with the public half alone."""
        if self._private is None:
            raise TypeError("Only the private key signs.")
        return self._private.sign(head_message(number, digest))

    def sign_message(self, message: bytes) -> bytes:
        """Return the signature of any other message; raises TypeError with the public half alone."""
        if self._private is None:
            raise TypeError("Only the private key signs.")
        return self._private.sign(message)

    def holds(self, number: int, digest: bytes, signature: bytes) -> bool:
        """Tell whether this key signed that head."""
        return self.signed_message(head_message(number, digest), signature)

    def signed_message(self, message: bytes, signature: bytes) -> bool:
        """Tell whether this key signed a message."""
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def head_message(number: int, digest: bytes) -> bytes:
    """Return what is signed of a head, and what a time-stamping authority stamps the SHA-256 of."""
    return b"motcua transaction log v1 %d " % number + digest
