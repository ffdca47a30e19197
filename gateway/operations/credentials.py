"""How a client proves who it is: secrets and public keys, several at a time, so that one replaces another in peace."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from sqlalchemy.exc import IntegrityError

from gateway import queries
from gateway.errors import CredentialsFull, CredentialUnknown
from gateway.models import Client, ClientKey, ClientSecret
from gateway.operations.clients import require_no_more_than_held, tell_change
from gateway.operations.rights import Rights
from shared.errors import FieldError, InvalidRequest
from shared.ids import new_id
from shared.work import Work

SECRET_BYTES = 32
LIVE_MAX = 5
"""Secrets of one client that hold at a time; and keys."""
OVERLAP_DAYS, OVERLAP_DAYS_MAX = 14, 90
RSA_BITS_MIN = 2048
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that must never be sent (RFC 7518 §6)."""
MEMBERS = ("kty", "crv", "x", "y", "n", "e")
CURVES = frozenset({"P-256", "P-384", "Ed25519"})

Credential = TypeVar("Credential", ClientSecret, ClientKey)


def sha256_of(secret: str) -> str:
    """Return what is kept of a secret; it has 256 random bits, so one fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def add_secret(
    work: Work,
    held: Rights,
    *,
    client_id: str,
    expires_at: datetime | None = None,
    overlap: timedelta | None = None,
) -> tuple[ClientSecret, str]:
    """Make a secret and return it, this once; with an overlap the earlier ones end after it.

    Raises ClientUnknown, Escalation, CredentialsFull, InvalidRequest.
    """
    await _lock_to_add(work, held, client_id, expires_at)
    live = list(await queries.list_live_secrets(work.session, client_id, work.now))
    _make_room(live, overlap)
    ended = _end_after(work, live, overlap)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    added = ClientSecret(sha256=sha256_of(secret), **_made(work, client_id, expires_at))
    work.session.add(added)
    await tell_change(
        work, client_id, "secret_added" if overlap is None else "secret_rotated", _told(added, ended, overlap)
    )
    return added, secret


async def add_key(
    work: Work,
    held: Rights,
    *,
    client_id: str,
    jwk: Mapping[str, Any],
    expires_at: datetime | None = None,
    overlap: timedelta | None = None,
) -> ClientKey:
    """Take a public key; with an overlap the earlier ones end after it.

    Raises ClientUnknown, Escalation, CredentialsFull, InvalidRequest.
    """
    await _lock_to_add(work, held, client_id, expires_at)
    public, thumbprint = read_public_key(jwk)
    live = list(await queries.list_live_keys(work.session, client_id, work.now))
    _make_room(live, overlap)
    ended = _end_after(work, live, overlap)
    added = ClientKey(thumbprint=thumbprint, jwk=public, **_made(work, client_id, expires_at))
    work.session.add(added)
    try:
        await work.session.flush()
    except IntegrityError as problem:
        raise _wrong(
            "jwk", "This key is, or was, registered: make a new one.", "Khóa này đã được đăng ký."
        ) from problem
    detail = {**_told(added, ended, overlap), "thumbprint": thumbprint}
    await tell_change(work, client_id, "key_added" if overlap is None else "key_rotated", detail)
    return added


async def revoke_secret(work: Work, *, client_id: str, secret_id: UUID) -> ClientSecret:
    """End a secret at once. Raises ClientUnknown, CredentialUnknown."""
    return await _revoke(work, client_id, ClientSecret, secret_id, "secret_revoked")


async def revoke_key(work: Work, *, client_id: str, key_id: UUID) -> ClientKey:
    """End a key at once. Raises ClientUnknown, CredentialUnknown."""
    return await _revoke(work, client_id, ClientKey, key_id, "key_revoked")


async def _revoke(work: Work, client_id: str, kind: type[Credential], credential_id: UUID, action: str) -> Credential:
    await queries.lock_client(work.session, work.caller, client_id)
    found = await work.session.get(kind, credential_id)
    if found is None or found.client_id != client_id:
        raise CredentialUnknown("This client has none of that id.")
    if found.revoked_at is None:
        found.revoked_at, found.revoked_by = work.now, work.caller.client_id
        await tell_change(work, client_id, action, {"id": str(credential_id)})
    return found


async def _lock_to_add(work: Work, held: Rights, client_id: str, expires_at: datetime | None) -> Client:
    client = await queries.lock_client(work.session, work.caller, client_id)
    await require_no_more_than_held(work, held, client)
    if expires_at is not None and expires_at <= work.now:
        raise _wrong("expires_at", "It must lie in the future.", "Phải là một thời điểm trong tương lai.")
    return client


def _made(work: Work, client_id: str, expires_at: datetime | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "client_id": client_id,
        "created_at": work.now,
        "created_by": work.caller.client_id,
        "expires_at": expires_at,
    }


def _make_room(live: list[Any], overlap: timedelta | None) -> None:
    """Raise CredentialsFull when there are as many as are allowed; a rotation that ends all of them at once fits."""
    if len(live) >= LIVE_MAX and overlap != timedelta():
        raise CredentialsFull(f"At most {LIVE_MAX} hold at a time: revoke one first.")


def _end_after(work: Work, live: list[Any], overlap: timedelta | None) -> list[str]:
    """Let credentials end after an overlap, those that would have ended sooner as they were to; return their ids."""
    if overlap is None:
        return []
    end = work.now + overlap
    ended = [one for one in live if one.expires_at is None or one.expires_at > end]
    for one in ended:
        one.expires_at = end
    return [str(one.id) for one in ended]


def _told(added: ClientSecret | ClientKey, ended: list[str], overlap: timedelta | None) -> dict[str, Any]:
    expires = added.expires_at.isoformat() if added.expires_at else None
    rotation = {} if overlap is None else {"ended": ended, "overlap_s": int(overlap.total_seconds())}
    return {"id": str(added.id), "expires_at": expires, **rotation}


def read_public_key(jwk: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return a public key as it is kept, and its thumbprint (RFC 7638).

    Taken are P-256, P-384, Ed25519 and RSA of 2048 bits or more. Raises InvalidRequest, also for a private key: that
    one is worth nothing any more once it was sent.
    """
    if PRIVATE & jwk.keys():
        message = "This is a private key: it must never leave its owner. Make a new one and send its public half."
        raise _wrong("jwk", message, "Đây là khóa bí mật, không bao giờ được gửi đi. Hãy tạo khóa mới.")
    try:
        given: dict[str, str | list[str]] = {name: jwk[name] for name in MEMBERS if isinstance(jwk.get(name), str)}
        key = import_key(given)
    except (JoseError, ValueError, TypeError, LookupError) as problem:
        raise _wrong("jwk", "It is no JSON Web Key (RFC 7517).", "Không phải khóa JWK hợp lệ.") from problem
    if not _is_strong(key):
        message = "Use an EC key on P-256 or P-384, an Ed25519 key, or RSA with 2048 bits or more."
        raise _wrong("jwk", message, "Hãy dùng khóa EC P-256/P-384, Ed25519 hoặc RSA từ 2048 bit.")
    thumbprint = key.thumbprint()
    return {**given, "kid": str(jwk.get("kid") or thumbprint)}, thumbprint


def _is_strong(key: object) -> bool:
    if isinstance(key, RSAKey):
        return key.public_key.key_size >= RSA_BITS_MIN
    return isinstance(key, ECKey | OKPKey) and key.curve_name in CURVES


def _wrong(name: str, message: str, message_vi: str) -> InvalidRequest:
    return InvalidRequest(errors=[FieldError(name, message, message_vi)])
