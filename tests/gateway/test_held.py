"""An answer to a change waits for its record: in memory if it is small, else in a file; reads stream."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from gateway.operations.evidence import Evidence, Witness, keep_months
from gateway.routes.held import MEMORY_BYTES, PIECE_BYTES, Held
from gateway.routes.logged import Logged
from tests.gateway.backstage import Backstage, Heard
from tests.gateway.hall import Hall
from tests.gateway.ledger import KEY
from tests.gateway.visitor import Visitor
from tests.support.bus import running
from tests.support.serving import serving

PIECE = bytes(range(256)) * 256
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def bodies(count: int) -> list[Message]:
    more = [{"type": "http.response.body", "body": PIECE, "more_body": True} for _ in range(count)]
    return [START, *more, {"type": "http.response.body", "body": b"end"}]


class TestHeld:
    @pytest.mark.parametrize("count", [0, 1, MEMORY_BYTES // len(PIECE), MEMORY_BYTES // len(PIECE) + 1, 100])
    async def test_comes_out_as_it_went_in(self, count: int) -> None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        with Held() as held:
            for message in bodies(count):
                held.keep(message)
            await held.release(send)
        expected = PIECE * count + b"end"
        assert sent[0] == START
        assert b"".join(message.get("body", b"") for message in sent) == expected
        assert held.digest() == hashlib.sha256(expected).digest()
        assert [message.get("more_body", False) for message in sent[1:]][-1:] == [False]
        assert all(message.get("more_body") for message in sent[1:-1])

    async def test_takes_no_more_memory_however_long_it_is(self) -> None:
        async def send(message: Message) -> None:
            assert len(message.get("body", b"")) <= PIECE_BYTES

        tracemalloc.start()
        with Held() as held:
            for _ in range(1024):
                held.keep({"type": "http.response.body", "body": bytes(PIECE_BYTES), "more_body": True})
            await held.release(send)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 2 * MEMORY_BYTES

    def test_leaves_no_file_behind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with Held() as held:
            for message in bodies(100):
                held.keep(message)
            assert list(tmp_path.iterdir()) == []


class TestAnswer:
    async def test_of_megabytes_arrives_whole_with_its_digest_logged(
        self, visitor: Visitor, house: Hall, backstage: Backstage
    ) -> None:
        document = PIECE * 64

        async def large(_: Heard) -> Response:
            return Response(document, 201)

        backstage.answer = large
        answer = await visitor.post("/api/v1/dossiers")
        assert answer.content == document
        (row,) = await house.rows("SELECT * FROM transaction_log WHERE service = 'intake'")
        assert (row["response_bytes"], row["response_sha256"]) == (len(document), hashlib.sha256(document).digest())

    async def test_to_a_read_streams(self, hall: Hall) -> None:
        """The first piece arrives while the second does not exist yet."""
        go_on = asyncio.Event()

        async def slowly(_: Request) -> StreamingResponse:
            async def pieces() -> AsyncIterator[bytes]:
                yield b"first"
                await go_on.wait()
                yield b"second"

            return StreamingResponse(pieces())

        await keep_months(hall.database)
        app = Starlette(routes=[Route("/api/v1/x", slowly)], middleware=[Middleware(Logged)])
        evidence = app.state.evidence = Evidence(hall.database, KEY, Witness(""))
        async with (
            running(evidence.run()),
            serving(app) as url,
            httpx.AsyncClient(timeout=30) as http,
            http.stream("GET", f"{url}/api/v1/x") as answer,
        ):
            pieces = answer.aiter_raw()
            assert await anext(pieces) == b"first"
            go_on.set()
            assert await anext(pieces) == b"second"
        (row,) = await hall.rows("SELECT response_bytes FROM transaction_log")
        assert row["response_bytes"] == len(b"firstsecond")
