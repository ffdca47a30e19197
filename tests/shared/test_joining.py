"""An answer's head goes with its body, and does not wait for one that takes its time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from tests.support.serving import serving


class Slow:
    """Answers with a head at once, and with a body when it is let."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()
        self.breaks = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        status = int(scope["path"].removeprefix("/"))
        length = b"0" if status == 304 else b"4"
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", length)]})
        await self.may_go_on.wait()
        if self.breaks:
            raise RuntimeError("nothing comes any more")
        await send({"type": "http.response.body", "body": b"" if status == 304 else b"body"})


@asynccontextmanager
async def asked(app: Slow, status: int) -> AsyncIterator[asyncio.StreamReader]:
    async with serving(app) as url, asyncio.timeout(20):
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % status)
        yield reader
        writer.close()


class TestHead:
    @pytest.mark.parametrize("status", [200, 404])
    async def test_comes_with_the_body(self, status: int) -> None:
        app = Slow()
        app.may_go_on.set()
        async with asked(app, status) as reader:
            whole = await reader.read(65_536)
        assert whole.startswith(b"HTTP/1.1 %d " % status)
        assert whole.endswith(b"\r\n\r\nbody")

    async def test_comes_where_there_is_no_body(self) -> None:
        app = Slow()
        app.may_go_on.set()
        async with asked(app, 304) as reader:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 304 ")

    async def test_does_not_wait_for_a_body_that_takes_its_time(self) -> None:
        app = Slow()
        async with asked(app, 200) as reader:
            assert b"content-length: 4" in await reader.readuntil(b"\r\n\r\n")
            app.may_go_on.set()
            assert await reader.readexactly(4) == b"body"

    async def test_of_an_answer_that_breaks_off_is_followed_by_the_end(self) -> None:
        app = Slow()
        app.breaks = True
        app.may_go_on.set()
        async with asked(app, 200) as reader:
            assert (await reader.read()).endswith(b"\r\n\r\n")
