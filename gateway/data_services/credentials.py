"""How we identify ourselves to data services: a fixed header, or a token by client credentials, fetched when needed."""

import asyncio
from collections.abc import Sequence

import aiohttp
import orjson

from gateway.data_services.policy import ClientCredentials, StaticHeader
from gateway.data_services.reading import read_some
from gateway.data_services.snapshot import Version
from gateway.data_services.trouble import Kind, Trouble
from shared import clock

TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=3)
FORM = "application/x-www-form-urlencoded"
OK = 200
MARGIN_S = 30
TOKEN_BYTES_MAX = 64 * 1024
DEFAULT_LIFETIME_S = 300


class Credentialed:
    """Adds a version's credentials to headers; tokens are kept until shortly before they expire."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._tokens: dict[str, tuple[ClientCredentials, str, float]] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    async def headers(self, version: Version, headers: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Return headers with the version's credentials; a client's header of that name gives way. Raises Trouble."""
        credentials = version.credentials
        if credentials is None:
            return headers
        if isinstance(credentials, StaticHeader):
            name, value = credentials.name, credentials.value
        else:
            name, value = "authorization", f"Bearer {await self._token(version, credentials)}"
        return [*(one for one in headers if one[0].lower() != name), (name, value)]

    def forget(self, version: Version) -> None:
        """Forget a token that the service did not take."""
        self._tokens.pop(version.full_name, None)

    async def _token(self, version: Version, credentials: ClientCredentials) -> str:
        known = self._known(version, credentials)
        if known:
            return known
        async with self._fetching.setdefault(version.full_name, asyncio.Lock()):
            return self._known(version, credentials) or await self._fetch(version, credentials)

    def _known(self, version: Version, credentials: ClientCredentials) -> str | None:
        """Return a token that was got with these credentials: after a change, or for a namesake, it would not do."""
        got_with, token, until = self._tokens.get(version.full_name, (None, "", 0.0))
        return token if got_with == credentials and clock.monotonic() < until else None

    async def _fetch(self, version: Version, credentials: ClientCredentials) -> str:
        asked = {"grant_type": "client_credentials", **({"scope": credentials.scope} if credentials.scope else {})}
        login = aiohttp.encode_basic_auth(credentials.client_id, credentials.client_secret)
        try:
            async with self._session.post(
                credentials.token_url,
                data=asked,
                headers={"Authorization": login, "Accept": "application/json", "Content-Type": FORM},
                allow_redirects=False,
                timeout=TIMEOUT,
            ) as answer:
                body, _ = await read_some(answer, TOKEN_BYTES_MAX)
                found = _read(answer.status, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise Trouble(Kind.CREDENTIALS, "no token: its address does not answer") from problem
        token, lifetime_s = found
        until = clock.monotonic() + max(1.0, lifetime_s - MARGIN_S)
        self._tokens[version.full_name] = (credentials, token, until)
        return token


def _read(status: int, body: bytes) -> tuple[str, float]:
    try:
        document = orjson.loads(body) if status == OK else {}
        return str(document["access_token"]), float(document.get("expires_in", DEFAULT_LIFETIME_S))
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as problem:
        raise Trouble(Kind.CREDENTIALS, f"no token: status {status}") from problem
