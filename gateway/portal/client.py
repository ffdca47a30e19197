"""HTTP to the portal, in whichever dialect: bounded in time and size, and unclear unless it answers in JSON."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from gateway.portal.port import PortalUnclear

CONNECT_TIMEOUT_S = 5
ANSWER_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Told:
    """What came back: the status and a JSON object."""

    status: int
    body: dict[str, Any]


def open_http(timeout_s: float) -> aiohttp.ClientSession:
    """Return the connections to the portal: each call has timeout_s in all, CONNECT_TIMEOUT_S of it to connect."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def ask(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: dict[str, str],
    body: bytes | None = None,
    query: dict[str, str] | None = None,
) -> Told:
    """Send a call and return its answer. Raises PortalUnclear for none, one too long, and one that is no JSON object.

    A redirect is an answer as any other: nobody sends us elsewhere.
    """
    named = url.rpartition("/")[2]
    try:
        async with http.request(method, url, data=body, headers=headers, params=query, allow_redirects=False) as answer:
            status, content = answer.status, await bounded(answer)
    except (aiohttp.ClientError, TimeoutError, OSError) as problem:
        raise PortalUnclear(f"{type(problem).__name__} at {named}") from problem
    try:
        found = orjson.loads(content)
    except ValueError as problem:
        raise PortalUnclear(f"HTTP {status} without JSON at {named}") from problem
    if not isinstance(found, dict):
        raise PortalUnclear(f"HTTP {status} without an object at {named}")
    return Told(status, found)


async def bounded(answer: aiohttp.ClientResponse, most: int = ANSWER_BYTES_MAX) -> bytes:
    """Return an answer's content. Raises PortalUnclear for more than `most` bytes."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > most:
            raise PortalUnclear(f"an answer of more than {most} bytes")
    return bytes(content)
