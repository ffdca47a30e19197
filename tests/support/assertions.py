"""What tests claim often: that something comes about in time, that a refusal reads as it should."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

import httpx
import orjson

from shared.errors import DomainError
from shared.problems import MEDIA_TYPE

Found = TypeVar("Found")
POLL_S = 0.01


async def eventually(
    check: Callable[[], Awaitable[Found]], *, within_s: float = 30, what: Callable[[], Any] | None = None
) -> Found:
    """Return what a check finds as soon as it finds something true; fail at the deadline, saying `what`."""
    deadline = monotonic() + within_s
    while True:
        found = await check()
        if found:
            return found
        assert monotonic() < deadline, f"not within {within_s} s: {what() if what else found!r}"
        await asyncio.sleep(POLL_S)


def assert_problem(answer: httpx.Response, error: type[DomainError], *, status: int | None = None) -> dict[str, Any]:
    """Check that an answer is the problem document of a refusal, with both titles; return the document."""
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    document = orjson.loads(answer.content)
    assert answer.status_code == document["status"] == (status or error.status), document
    assert document["code"] == error.code
    assert document["type"] == f"urn:motcua:problem:{error.code}"
    assert document["title"] == error.title()
    assert document["title_vi"] == error.title_vi
    return document
