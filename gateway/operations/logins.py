"""Who asks for a token: a secret, or an assertion signed with the client's key and good for once (RFC 7523)."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import InvalidClient, InvalidScope
from gateway.models import Client, ClientAssertion, ClientKey, ClientSecret
from gateway.operations.credentials import sha256_of
from shared import log

ASSERTION_ALGORITHMS = ["ES256", "ES384", "RS256", "PS256", "Ed25519", "EdDSA"]
ASSERTION_LIFE_MAX = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
JTI_MAX = 256
USED_TO = timedelta(minutes=1)
"""How exactly it is kept when a credential was used last."""
_CHECK = "Check client_id and client_secret."
_NOBODY = "0" * 64


async def authenticate_by_secret(session: AsyncSession, *, client_id: str, secret: str, now: datetime) -> Client:
    """Return the client whose secret this is; raises InvalidClient without saying what was wrong."""
    client = await queries.find_client(session, client_id)
    given = sha256_of(secret)
    live = await queries.list_live_secrets(session, client_id, now)
    # Every secret is compared, and one for unknown clients too.
    found = [one for one in live if hmac.compare_digest(given, one.sha256)]
    hmac.compare_digest(given, _NOBODY)
    if client is None or not found or not _holds(client, now):
        raise InvalidClient(_CHECK, error=InvalidClient.code)
    _note_use(found[0], now)
    return client


def _holds(client: Client, now: datetime) -> bool:
    begun = client.valid_from is None or client.valid_from <= now
    return client.active and begun and (client.valid_until is None or now < client.valid_until)


def _note_use(credential: ClientSecret | ClientKey, now: datetime) -> None:
    if credential.last_used_at is None or credential.last_used_at <= now - USED_TO:
        credential.last_used_at = now


async def authenticate_by_assertion(
    session: AsyncSession, *, assertion: str, client_id: str, audiences: Sequence[str], now: datetime
) -> Client:
    """Return the client that signed an assertion; it is used up with the session's commit.

    client_id is empty, or must be the assertion's. Raises InvalidClient, which says what is wrong once the signature
    is known to be the client's own.
    """
    asked = _unverified(assertion)
    if client_id and client_id != asked:
        raise _wrong("client_id is another than the assertion's sub.")
    client = await queries.find_client(session, asked)
    keys = await queries.list_live_keys(session, asked, now)
    verified = _verify(assertion, keys)
    if client is None or verified is None or not _holds(client, now):
        raise _wrong("The assertion is not signed with a key that this client has now.")
    key, claims = verified
    expires_at = _check(claims, asked, audiences, now)
    digest = hashlib.sha256(claims["jti"].encode()).digest()
    values = {"client_id": asked, "jti_sha256": digest, "expires_at": expires_at + LEEWAY}
    used = insert(ClientAssertion).values(**values).on_conflict_do_nothing().returning(ClientAssertion.client_id)
    if (await session.execute(used)).one_or_none() is None:
        raise _wrong("The assertion was used before: sign a new one with another jti for every request.")
    _note_use(key, now)
    return client


def _unverified(assertion: str) -> str:
    """Return who an assertion says it is of."""
    try:
        claims = jws.extract_compact(assertion.encode()).payload
        subject = _claims(claims).get("sub")
    except (JoseError, ValueError, TypeError) as problem:
        raise _wrong("The assertion is no signed JWT.") from problem
    if not isinstance(subject, str) or "\0" in subject:
        raise _wrong("The assertion has no sub.")
    return subject


def _claims(payload: bytes) -> dict[str, Any]:
    found = json.loads(payload)
    if not isinstance(found, dict):
        raise TypeError("no claims")
    return found


def _verify(assertion: str, keys: Sequence[ClientKey]) -> tuple[ClientKey, dict[str, Any]] | None:
    for key in keys:
        try:
            token = jwt.decode(assertion, import_key(key.jwk), algorithms=ASSERTION_ALGORITHMS)
        except (JoseError, ValueError, TypeError):
            continue
        return key, token.claims
    return None


def _check(claims: dict[str, Any], client_id: str, audiences: Sequence[str], now: datetime) -> datetime:
    """Return when an assertion ends. Raises InvalidClient (RFC 7523 §3)."""
    if claims.get("iss") != client_id:
        raise _wrong("iss and sub are both the client_id.")
    named = claims.get("aud")
    if not set([named] if isinstance(named, str) else named if isinstance(named, list) else ()) & set(audiences):
        raise _wrong(f"aud is the issuer or the token endpoint: {' or '.join(audiences)}.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_MAX:
        raise _wrong(f"jti is needed, 1 to {JTI_MAX} characters.")
    expires_at, begins = _moment(claims, "exp"), _moment(claims, "nbf")
    if expires_at is None or not now - LEEWAY < expires_at <= now + ASSERTION_LIFE_MAX + LEEWAY:
        raise _wrong("exp is needed; it lies in the future, at most ten minutes ahead.")
    if begins is not None and begins > now + LEEWAY:
        raise _wrong("nbf lies in the future.")
    return expires_at


def _moment(claims: dict[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(f"{name} is a number of seconds since 1970.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError) as problem:
        raise _wrong(f"{name} is no moment.") from problem


def _wrong(detail: str) -> InvalidClient:
    return InvalidClient(detail, error=InvalidClient.code)


def granted_scopes(client: Client, asked: str | None) -> list[str]:
    """Return the scopes of a token: all of the client's, or those asked for; raises InvalidScope."""
    if not asked:
        return sorted(client.scopes)
    missing = sorted(set(asked.split()) - set(client.scopes))
    if missing:
        told = [log.masked(one) for one in missing]
        raise InvalidScope(f"Not granted to this client: {' '.join(told)}.", error=InvalidScope.code, missing=told)
    return sorted(set(asked.split()))
