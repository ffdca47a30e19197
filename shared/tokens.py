"""Access tokens: JWTs signed by the issuer (the gateway, or an external one), verified by every service."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
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
ACCESS_TOKEN_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
"""What a header may call itself: RFC 9068 §2.1, and issuers that name no kind."""
NOT_OF_ACCESS_TOKENS = frozenset({"nonce", "at_hash", "c_hash"})
"""Claims of id tokens (OpenID Connect Core §2, §3.3.2.11): those say who somebody is, and open nothing."""

_log = log.get(__name__)


class _UnknownKey(Unauthenticated):
    """A valid access token is needed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Which claims of a token say what; a name with dots also stands for a claim within others."""

    audience: str = AUDIENCE
    client: str = "sub"
    scope: str = "scope"
    agency: str = "agency"

    def read(self, claims: Mapping[str, Any]) -> Caller:
        """Return who a token's claims stand for; raises ValueError when they name no client."""
        client_id = _claim(claims, self.client)
        if not client_id or not isinstance(client_id, str):
            raise ValueError(f"no claim {self.client}")
        agency = _claim(claims, self.agency)
        bound = claims.get("cnf")
        return Caller(
            client_id,
            str(agency) if agency else None,
            frozenset(_words(_claim(claims, self.scope))),
            tuple(_words(claims.get("inherited"))),
            str(bound.get("x5t#S256", "")) if isinstance(bound, dict) else None,
        )


def _claim(claims: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _words(value: object) -> list[str]:
    return value.split() if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []


OURS = Claims()


class TokenVerifier:
    """Verifies tokens against the issuer's published keys; a verified token is remembered until it expires."""

    def __init__(
        self,
        *,
        issuer: str,
        jwks_url: str,
        http: httpx.AsyncClient,
        claims: Claims = OURS,
        refresh_s: float = KEYS_REFRESH_S,
    ) -> None:
        self.jwks_url = jwks_url
        self.http = http
        self.refresh_s = refresh_s
        self._keys: KeySet | None = None
        self._fresh_until = self._silent_until = self._no_search_until = float("-inf")
        self._fetching = asyncio.Lock()
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self._reads = claims
        self._claims = JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": claims.audience},
            exp={"essential": True},
        )

    def use_keys(self, keys: KeySet) -> None:
        """Take the issuer's keys from hand instead of fetching them (the issuer itself does)."""
        self._take(keys)
        self._fresh_until = self._no_search_until = float("inf")

    def _take(self, keys: KeySet) -> None:
        """Take keys over; tokens verified with a key that is gone have to be verified again."""
        gone = {key.kid for key in self._keys.keys} - {key.kid for key in keys.keys} if self._keys else set()
        if gone:
            self._known.clear()
        self._keys = keys

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
        try:
            caller, expires_at = self._read(token, await self._current_keys())
        except _UnknownKey:
            caller, expires_at = self._read(token, await self._searched_keys())
        self._known[token] = (caller, expires_at)
        if len(self._known) > CACHED_TOKENS_MAX:
            self._known.popitem(last=False)
        return caller

    def _read(self, token: str, keys: KeySet) -> tuple[Caller, float]:
        try:
            read = jwt.decode(token, keys, algorithms=ALGORITHMS)
            claims = read.claims
            self._claims.validate(claims)
            _check_kind(read)
            return self._reads.read(claims), float(claims["exp"])
        except InvalidKeyIdError as problem:
            raise _UnknownKey("The token cannot be accepted: it names a key that is not the issuer's.") from problem
        except (JoseError, ValueError) as problem:
            raise Unauthenticated(f"The token cannot be accepted: {type(problem).__name__}.") from problem

    async def _current_keys(self) -> KeySet:
        if self._keys is not None and clock.monotonic() < self._fresh_until:
            return self._keys
        async with self._fetching:
            if clock.monotonic() >= max(self._fresh_until, self._silent_until):
                await self._fetch_keys()
        if self._keys is None:
            raise Unavailable("The token issuer's keys cannot be fetched now.")
        return self._keys

    async def _searched_keys(self) -> KeySet:
        """Return the issuer's keys, fetched anew for a key not seen yet; not for every stranger's token, though."""
        async with self._fetching:
            if clock.monotonic() >= self._no_search_until:
                self._no_search_until = clock.monotonic() + KEYS_RETRY_S
                await self._fetch_keys()
        return await self._current_keys()

    async def _fetch_keys(self) -> None:
        """Fetch the keys; when that fails the known ones go on serving, and nobody asks for a while."""
        try:
            answer = await self.http.get(self.jwks_url, timeout=5)
            answer.raise_for_status()
            self._take(KeySet.import_key_set(answer.json()))
            self._fresh_until = clock.monotonic() + self.refresh_s
        except (httpx.HTTPError, JoseError, ValueError, TypeError, LookupError) as problem:
            # The last three: JSON of another shape.
            _log.warning("tokens.keys_unavailable", reason=type(problem).__name__)
            self._silent_until = clock.monotonic() + KEYS_RETRY_S


def _check_kind(token: jwt.Token) -> None:
    """Raise Unauthenticated for a token of the same issuer that is for something else than access."""
    kind = str(token.header.get("typ", "")).lower()
    # Keycloak writes Bearer, ID or Refresh into a claim of that name.
    use = str(token.claims.get("typ", "bearer")).lower()
    if kind not in ACCESS_TOKEN_TYPES or use != "bearer" or NOT_OF_ACCESS_TOKENS & token.claims.keys():
        raise Unauthenticated("The token cannot be accepted: it is no access token.")
