"""What stands before every process: each limit refused with its name, on a real server."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.errors import DomainError
from shared.guard import BodyTooLarge, Guard, Room, room_for_files, rooms_of
from shared.guard.refusals import AddressTooLong, BodyTooComplex, HeadTooLarge, MalformedRequest, RequestTooSlow
from shared.guard.shape import check_shape
from shared.http import roomy
from shared.problems import MethodNotAllowed
from shared.settings import Limits
from tests.support.assertions import assert_problem, eventually
from tests.support.serving import serving
from tests.support.wire import exchange

LIMITS = Limits(
    head_bytes_max=4096,
    headers_max=20,
    path_bytes_max=256,
    query_bytes_max=256,
    parameters_max=10,
    json_bytes_max=4096,
    json_depth_max=10,
    json_items_max=100,
    body_bytes_max=50_000,
    head_s=0.4,
    body_grace_s=0.4,
    bytes_per_s_min=20_000,
    connections_max=30,
)
LONG_ANSWER = 64 * 1024 * 1024
PART = b"x" * 65536


class House:
    """Behind the guard: says how much came in, or goes on talking."""

    def __init__(self) -> None:
        self.talking = 0
        self.heard: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if scope["path"] == "/talk":
            await StreamingResponse(self._talk(), headers={"cache-control": "public"})(scope, receive, send)
            return
        body = await request.body()
        self.heard.append(len(body))
        await Response(orjson.dumps({"length": len(body)}))(scope, receive, send)

    async def _talk(self) -> AsyncIterator[bytes]:
        self.talking += 1
        try:
            for _ in range(LONG_ANSWER // len(PART)):
                yield PART
        finally:
            self.talking -= 1


@asynccontextmanager
async def guarded(limits: Limits = LIMITS) -> AsyncIterator[tuple[House, str]]:
    house = House()
    rooms = [*room_for_files("PUT /files/{name}"), Room(frozenset({"POST"}), re.compile("/large"), 20_000, whole=True)]
    guard = Guard(house, limits, rooms=rooms, vital=re.compile("/health"))
    async with serving(guard, limits=limits) as url:
        yield house, url


@pytest.fixture(scope="module")
async def open_house() -> AsyncIterator[tuple[House, str]]:
    async with guarded() as opened:
        yield opened


@pytest.fixture
async def house(open_house: tuple[House, str]) -> House:
    open_house[0].heard.clear()
    return open_house[0]


@pytest.fixture
async def http(open_house: tuple[House, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=open_house[1], timeout=30) as client:
        yield client


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


TOO_MUCH: dict[str, tuple[type[DomainError], str, dict[str, Any]]] = {
    "a long path": (AddressTooLong, "/" + "a" * 300, {}),
    "a long query": (AddressTooLong, "/?" + "a" * 300, {}),
    "many parameters": (AddressTooLong, "/?" + "&".join("abcdefghijk"), {}),
    "many headers": (HeadTooLarge, "/", {"headers": {f"x-{n}": "1" for n in range(30)}}),
    "large headers": (HeadTooLarge, "/", {"headers": {f"x-{n}": "1" * 1000 for n in range(5)}}),
    "a large body": (BodyTooLarge, "/", {"content": b" " * 5000}),
    "a large body of another type": (BodyTooLarge, "/", {"content": b" " * 5000, "headers": {"content-type": "a/b"}}),
    "a large file": (BodyTooLarge, "/files/a", {"content": b" " * 60_000}),
    "a larger room": (BodyTooLarge, "/large", {"content": b" " * 21_000}),
    "deep JSON": (BodyTooComplex, "/", {"content": nested(11)}),
    "deep lists": (BodyTooComplex, "/", {"content": b"[" * 4000}),
    "many items": (BodyTooComplex, "/", {"content": b"[" + b"1," * 200 + b"1]"}),
    "many members": (BodyTooComplex, "/", {"content": orjson.dumps({str(n): n for n in range(102)})}),
    "a method nobody has": (MethodNotAllowed, "/", {"method": "PURGE"}),
}


class TestTooMuch:
    """Refused with the limit's name, and nobody behind the guard hears of it."""

    @pytest.mark.parametrize("name", TOO_MUCH)
    async def test_is_refused(self, http: httpx.AsyncClient, house: House, name: str) -> None:
        error, path, given = TOO_MUCH[name]
        more = dict(given)
        method = "PUT" if path.startswith("/files") else "POST"
        answer = await http.request(more.pop("method", method), path, **more)
        document = assert_problem(answer, error)
        assert ("allow" in answer.headers) == (error is MethodNotAllowed)
        assert error is MethodNotAllowed or document.get("limit") or document["most"]
        assert house.heard == []

    @pytest.mark.parametrize(("path", "size"), [("/", 5000), ("/files/a", 60_000)])
    async def test_is_refused_when_it_comes_in_parts(
        self, http: httpx.AsyncClient, house: House, path: str, size: int
    ) -> None:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(size // 1000):
                yield b" " * 1000

        answer = await http.request("PUT", path, content=parts())
        assert_problem(answer, BodyTooLarge)
        assert house.heard == []

    @pytest.mark.parametrize(
        ("path", "content"),
        [
            ("/", nested(10)),
            ("/", b'{"a": "' + b"[{," * 1000 + b'"}'),
            ("/", b'{"a": "\\"' + b"[{," * 1000 + b'"}'),
            ("/files/a", b"[" * 40_000),
            ("/large", b"[" + b"1," * 450 + b"1]" + b" " * 18_000),
            ("/", b""),
        ],
    )
    async def test_is_not_what_only_looks_like_it(self, http: httpx.AsyncClient, path: str, content: bytes) -> None:
        answer = await http.put(path, content=content) if "files" in path else await http.post(path, content=content)
        assert answer.json() == {"length": len(content)}

    async def test_is_answered_although_the_sender_goes_on_sending(self, open_house: tuple[House, str]) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
        (answer,) = await exchange(open_house[1], head, *[b" " * 90_000] * 20)
        assert (answer.status, answer.code) == (413, BodyTooLarge.code)

    async def test_keeps_the_connection_for_the_next(self, http: httpx.AsyncClient) -> None:
        """A body that was refused does not become the next request."""
        for _ in range(3):
            assert_problem(await http.post("/", content=b"GET / HTTP/1.1\r\n\r\n" * 400), BodyTooLarge)
            assert (await http.post("/", content=b"{}")).json() == {"length": 2}


class TestShape:
    @pytest.mark.parametrize("start", [b'"', b'\\"', b'["', b'{"a":"\\', b'"\\"\\'])
    def test_is_found_in_one_pass_whatever_is_sent(self, start: bytes) -> None:
        """Text that never ends, and quotes that pair with nothing, cost no more than their length."""
        for filling in (b'"', b'\\"', b"\\", b'"\\', b"a"):
            with suppress(BodyTooComplex):
                check_shape(start + filling * 500_000 + b"[" * 100, depth_max=10, items_max=10_000_000)


SLOW_HEADS = {
    "no head at all": (b"GET / HT",),
    "half a head": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",),
    "blank lines": (b"\r\n\r\n",),
    "half a second head": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /"),
}


class TestTooSlow:
    """Nobody holds a connection by doing nothing."""

    @pytest.mark.parametrize("name", SLOW_HEADS)
    async def test_head_is_refused(self, open_house: tuple[House, str], name: str) -> None:
        answers = await exchange(open_house[1], *SLOW_HEADS[name])
        assert [answer.code for answer in answers][-1] == RequestTooSlow.code
        assert answers[-1].header("connection") == "close"

    async def test_silence_is_ended_without_a_word(self, open_house: tuple[House, str]) -> None:
        assert await exchange(open_house[1]) == []

    @pytest.mark.parametrize("path", ["/", "/files/a"])
    async def test_body_is_refused(self, open_house: tuple[House, str], house: House, path: str) -> None:
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode()
        (answer,) = await exchange(open_house[1], head, b"half")
        assert (answer.status, answer.code) == (408, RequestTooSlow.code)
        assert house.heard == []

    async def test_body_that_keeps_its_pace_is_taken(self, http: httpx.AsyncClient) -> None:
        """It takes longer than the grace, at more than the slowest rate."""

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(12):
                yield b" " * 3000
                await asyncio.sleep(0.08)

        assert (await http.put("/files/a", content=parts())).json() == {"length": 36_000}

    async def test_taking_of_an_answer_ends_it(self, open_house: tuple[House, str], house: House) -> None:
        address = urlsplit(open_house[1])
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
        writer.write(b"GET /talk HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.read(10)

        async def silent() -> bool:
            return house.talking == 0

        await eventually(silent, within_s=20)
        writer.close()

    async def test_taking_of_an_answer_at_a_good_pace_goes_on(self, http: httpx.AsyncClient) -> None:
        taken = 0
        async with http.stream("GET", "/talk") as answer:
            async for part in answer.aiter_bytes(1024 * 1024):
                taken += len(part)
                await asyncio.sleep(0.01)
        assert taken == LONG_ANSWER


class TestEndless:
    """Nothing that comes in before a request is whole grows without end."""

    async def test_header_is_refused(self, open_house: tuple[House, str]) -> None:
        (answer,) = await exchange(open_house[1], b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", *[b"a" * 1000] * 20)
        assert (answer.status, answer.code) == (431, HeadTooLarge.code)

    async def test_address_is_refused(self, open_house: tuple[House, str]) -> None:
        (answer,) = await exchange(open_house[1], b"GET /", *[b"a" * 1000] * 20)
        assert (answer.status, answer.code) == (431, HeadTooLarge.code)

    @pytest.mark.parametrize(
        "filling", [b"1;a=" + b"b" * 9000, b"0\r\nX-Late: " + b"a" * 9000], ids=["chunk", "trailer"]
    )
    async def test_framing_is_refused(self, open_house: tuple[House, str], house: House, filling: bytes) -> None:
        head = b"PUT /files/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        (answer,) = await exchange(open_house[1], head, filling, *[b"a" * 100_000] * 6)
        assert (answer.status, answer.code) == (400, MalformedRequest.code)
        assert house.heard == []

    async def test_connections_are_refused(self, open_house: tuple[House, str]) -> None:
        address = urlsplit(open_house[1])
        held = [await asyncio.open_connection(address.hostname, address.port) for _ in range(40)]
        heard = [await reader.read() for reader, _ in held]
        for _, writer in held:
            writer.close()
        refused = [text for text in heard if b"503" in text[:12]]
        assert 9 <= len(refused) <= 40
        assert all(b"overloaded" in text and b"retry-after" in text for text in refused)


class TestAnswers:
    async def test_say_how_they_are_to_be_taken(self, http: httpx.AsyncClient) -> None:
        bare, personal = await http.get("/"), await http.get("/", headers={"authorization": "Bearer x"})
        assert bare.headers["x-content-type-options"] == personal.headers["x-content-type-options"] == "nosniff"
        assert "cache-control" not in bare.headers
        assert personal.headers["cache-control"] == "no-store"

    async def test_say_not_what_they_are_made_with(self, http: httpx.AsyncClient) -> None:
        assert (await http.get("/")).headers["server"] == "motcua"

    async def test_let_no_other_site_read_them(self, http: httpx.AsyncClient) -> None:
        headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        for answer in (await http.options("/", headers=headers), await http.get("/", headers=headers)):
            assert not [name for name in answer.headers if name.startswith("access-control")]


class TestRooms:
    """Taken from the routes themselves."""

    def test_are_those_of_files_and_of_large_bodies(self) -> None:
        router = APIRouter(prefix="/a")
        file = {"requestBody": {"content": {"application/pdf": {}}}}
        router.add_api_route("/{name}", _nothing, methods=["POST"], openapi_extra=file)
        router.add_api_route("/large", roomy(7)(_something), methods=["PUT"])
        router.add_api_route("/usual", _nothing, methods=["POST"])
        first, second = rooms_of([router])
        assert (first.file, first.bytes_max, first.holds("POST", "/a/x")) == (True, None, True)
        assert (second.file, second.bytes_max, second.holds("PUT", "/a/large")) == (False, 7, True)
        assert not first.holds("PUT", "/a/x")
        assert not first.holds("POST", "/a/x/y")


async def _nothing() -> None: ...


async def _something() -> None: ...
