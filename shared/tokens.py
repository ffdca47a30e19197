"""Access tokens: JWTs signed by the issuer (the gateway, or an external one), verified by every service."""

import asyncio
from collections import OrderedDict

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from shared import clock, log
from shared.caller import Caller
from shared.errors import Unauthenticated, Unavailable

AUDIENCE = "motcua"
ALGORITHMS = ["ES256", "RS256"]
CACHED_TOKENS_MAX = 10_000
KEYS_REFRESH_S = 300
KEYS_RETRY_S = 5
LEEWAY_S = 30

_log = log.get(__name__)


class TokenVerifier:
    """Verifies tokens against the issuer's published keys; a verified token is remembered until it expires."""

    def __init__(self, *, issuer: str, jwks_url: str, http: httpx.AsyncClient) -> None:
        self.jwks_url = jwks_url
        self.http = http
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._fetching = asyncio.Lock()
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self._claims = JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    def use_keys(self, keys: KeySet) -> None:
        """Take the issuer's keys from hand instead of fetching them (the issuer itself does)."""
        self._keys, self._keys_at = keys, float("inf")

    async def verify(self, authorization: str | None) -> Caller:
        """Return who an Authorization header stands for.

        Raises Unauthenticated when it is missing, malformed, expired, of another issuer or not signed by it;
        Unavailable when the issuer's keys cannot be fetched.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Send 'Authorization: Bearer <token>' with a token from /oauth/token.")
        known = self._known.get(token)
        if known and known[1] > clock.now().timestamp():
            return known[0]
        caller, expires_at = self._read(token, await self._current_keys())
        self._known[token] = (caller, expires_at)
        if len(self._known) > CACHED_TOKENS_MAX:
            self._known.popitem(last=False)
        return caller

    def _read(self, token: str, keys: KeySet) -> tuple[Caller, float]:
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            self._claims.validate(claims)
        except (JoseError, ValueError) as problem:
            raise Unauthenticated(f"The token cannot be accepted: {type(problem).__name__}.") from problem
        agency = claims.get("agency")
        scopes = frozenset(str(claims.get("scope", "")).split())
        caller = Caller(str(claims["sub"]), str(agency) if agency else None, scopes)
        return caller, float(claims["exp"])

    async def _current_keys(self) -> KeySet:
        age = clock.monotonic() - self._keys_at
        if self._keys is not None and age < KEYS_REFRESH_S:
            return self._keys
        async with self._fetching:
            if self._keys is not None and clock.monotonic() - self._keys_at < KEYS_REFRESH_S:
                return self._keys
            return await self._fetch_keys()

    async def _fetch_keys(self) -> KeySet:
        try:
            answer = await self.http.get(self.jwks_url, timeout=5)
            answer.raise_for_status()
            self._keys, self._keys_at = KeySet.import_key_set(answer.json()), clock.monotonic()
        except (httpx.HTTPError, ValueError, JoseError) as problem:
            _log.warning("tokens.keys_unavailable", reason=type(problem).__name__)
            if self._keys is None:
                raise Unavailable("The token issuer's keys cannot be fetched now.") from problem
            self._keys_at = clock.monotonic() - KEYS_REFRESH_S + KEYS_RETRY_S
        return self._keys
