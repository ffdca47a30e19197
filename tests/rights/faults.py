"""Tokens that must open nothing: each is wrong in one way."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from shared import clock
from tests.support.tokens import Issuer


def bad_authorizations(issuer: Issuer, scopes: Iterable[str]) -> Mapping[str, str | None]:
    """Return Authorization headers by what is wrong with them; all of them claim every scope."""
    scopes = list(scopes)
    good = issuer.token(scopes)
    stranger = Issuer()
    soon = int((clock.now() + timedelta(minutes=10)).timestamp())
    unknown = ECKey.generate_key("P-256", {"kid": "unknown", "use": "sig", "alg": "ES256"})
    tokens = {
        "expired": issuer.token(scopes, lives=timedelta(minutes=-10)),
        "not yet valid": issuer.token(scopes, nbf=soon),
        "wrong issuer": issuer.token(scopes, iss="https://evil.example"),
        "wrong audience": issuer.token(scopes, aud="another"),
        "no audience": issuer.token(scopes, aud=None),
        "no subject": issuer.token(scopes, sub=None),
        "no end": issuer.token(scopes, exp=None),
        "other key": stranger.token(scopes),
        "unknown key": _signed(unknown, "unknown", issuer, scopes),
        "alg none": _by_hand({"alg": "none"}, _claims(good), b""),
        "alg none, old signature": ".".join([_part({"alg": "none"}), *good.split(".")[1:]]),
        "HS256 with the public key": _with_public_key(issuer, good),
        "tampered": _tampered(good),
        "without signature": f"{good.rpartition('.')[0]}.",
        "an id token": issuer.token(scopes, nonce="n", at_hash="h"),
        "a refresh token": issuer.token(scopes, typ="Refresh"),
        "another kind of token": _typed(issuer, good, "logout+jwt"),
        "a critical extension": _typed(issuer, good, "at+jwt", crit=["exp"], exp=1),
        "nonsense": "a.b.c",
    }
    return {
        "no token": None,
        "no scheme": good,
        "another scheme": f"Basic {good}",
        "an empty token": "Bearer ",
        **{name: f"Bearer {token}" for name, token in tokens.items()},
    }


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _claims(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def _by_hand(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> str:
    return f"{_part(header)}.{_part(claims)}.{_part(signature)}"


def _with_public_key(issuer: Issuer, good: str) -> str:
    """Sign with what everybody can read, as a shared secret."""
    public = issuer.key.as_pem(private=False)
    signed = f"{_part({'alg': 'HS256', 'kid': 'test'})}.{_part(_claims(good))}"
    return f"{signed}.{_part(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"


def _tampered(good: str) -> str:
    head, _, signature = good.split(".")
    return f"{head}.{_part({**_claims(good), 'agency': 'H33'})}.{signature}"


def _signed(key: ECKey, kid: str, issuer: Issuer, scopes: list[str]) -> str:
    return jwt.encode({"alg": "ES256", "kid": kid}, _claims(issuer.token(scopes)), key, algorithms=["ES256"])


def _typed(issuer: Issuer, good: str, kind: str, **header: Any) -> str:
    head = {"alg": "ES256", "kid": "test", "typ": kind, **header}
    signed = f"{_part(head)}.{_part(_claims(good))}"
    algorithm = JWSRegistry.algorithms["ES256"]
    return f"{signed}.{_part(algorithm.sign(signed.encode(), issuer.key))}"
