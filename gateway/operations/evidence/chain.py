"""The chain: each record's hash covers the one before it, and the last record of each commit is signed.

Whoever may write the database can change a record, and with it every later hash; the signatures he cannot make, for
their key is not in the database. Records are numbered from 1 without gaps.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
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
    values = [_plain(value) for value in (number, stored_at, *astuple(call))]
    return hashlib.sha256(before + orjson.dumps(values)).digest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        # Not timestamp(): a float has too few digits for microseconds.
        since = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return value.hex() if isinstance(value, bytes) else value


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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

    def sign(self, number: int, digest: bytes) -> bytes:
        """Return the signature of a head (64 bytes); raises TypeError with the public half alone."""
        if self._private is None:
            raise TypeError("Only the private key signs.")
        return self._private.sign(_signed(number, digest))

    def holds(self, number: int, digest: bytes, signature: bytes) -> bool:
        """Tell whether this key signed that head."""
        try:
            self._public.verify(signature, _signed(number, digest))
        except InvalidSignature:
            return False
        return True


def _signed(number: int, digest: bytes) -> bytes:
    return b"motcua transaction log v1 %d " % number + digest
