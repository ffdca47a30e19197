"""The road to the services: what goes through unchanged, what is left out, and what is refused."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from gateway.errors import UpstreamAway, UpstreamTimeout
from gateway.upstream import ROUTES
from shared.errors import NotFound
from shared.guard.refusals import BodyTooLarge
from shared.problems import MEDIA_TYPE
from tests.gateway.backstage import Backstage, Heard
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem
from tests.support.gate import gate_before

KEPT = 5
"""Connections that the gateway keeps to a service before they die."""
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def answering(status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    """Return an answer of a service."""

    async def answer(_: Heard) -> Response:
        return Response(body, status, headers=headers)

    return answer


class TestRequest:
    """What a service hears."""

    @pytest.mark.parametrize("first", sorted(ROUTES))
    async def test_goes_to_the_owner_of_the_address(self, visitor: Visitor, backstage: Backstage, first: str) -> None:
        await visitor.get(f"/api/v1/{first}/x")
        (heard,) = backstage.heard
        assert (heard.service, heard.target) == (ROUTES[first], f"/{first}/x")

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def test_keeps_method_key_and_body(self, visitor: Visitor, backstage: Backstage, method: str) -> None:
        body = bytes(range(256)) * 40
        headers = {"content-type": "application/pdf"}
        await visitor.send(method, "/api/v1/documents", key="my-key", content=body, headers=headers)
        (heard,) = backstage.heard
        assert (heard.method, heard.body) == (method, body)
        assert (heard.header("idempotency-key"), heard.header("content-type")) == ("my-key", "application/pdf")
        assert heard.header("content-length") == str(len(body))
        assert heard.header("authorization") == f"Bearer {await visitor.token('one-stop')}"

    @pytest.mark.parametrize(
        "query",
        [
            "?q=%C4%91%E1%BA%A5t%20%C4%91ai&q=2",
            "?a=1+2&b=1%2B2&c=%26&d",
            "?cursor=YzE6MTI=",
            "?x=a/b?c",
            "?",
            "?'()*;:@!$,",
        ],
    )
    async def test_keeps_the_query_to_the_letter(self, visitor: Visitor, backstage: Backstage, query: str) -> None:
        await _raw(visitor, "GET", f"/api/v1/dossiers{query}")
        (heard,) = backstage.heard
        assert heard.target == f"/dossiers{query}".removesuffix("?")

    async def test_keeps_escapes_in_the_path(self, visitor: Visitor, backstage: Backstage) -> None:
        await visitor.get("/api/v1/verify/12%20%C4%90K-UBND")
        assert backstage.heard[0].target == "/verify/12%20%C4%90K-UBND"

    async def test_leaves_out_what_is_meant_for_the_next_hop_only(self, visitor: Visitor, backstage: Backstage) -> None:
        hop = {
            "Connection": "keep-alive, X-Secret-Hop",
            "X-Secret-Hop": "1",
            "Keep-Alive": "timeout=5",
            "TE": "trailers",
            "Upgrade": "websocket",
            "Proxy-Authorization": "Basic x",
            "Accept-Encoding": "br",
            "X-Kept": "yes",
        }
        await visitor.get("/api/v1/dossiers", headers=hop)
        (heard,) = backstage.heard
        names = {name for name, _ in heard.headers}
        assert heard.header("x-kept") == "yes"
        left = {"x-secret-hop", "keep-alive", "te", "upgrade", "proxy-authorization", "accept-encoding"}
        assert names & left == set()
        assert heard.header("host") != visitor.http.base_url.netloc.decode()

    async def test_adds_nothing_that_the_client_did_not_say(self, visitor: Visitor, backstage: Backstage) -> None:
        headers = {"Authorization": f"Bearer {await visitor.token('one-stop')}", "Idempotency-Key": "k"}
        request = httpx.Request("POST", visitor.http.base_url.join("/api/v1/payments"), headers=headers, content=b"x")
        await visitor.http.send(request)
        (heard,) = backstage.heard
        assert {name for name, _ in heard.headers} == {
            "authorization",
            "idempotency-key",
            "content-length",
            "host",
            "traceparent",
        }

    async def test_carries_the_trace_on(self, visitor: Visitor, backstage: Backstage) -> None:
        await visitor.get("/api/v1/dossiers", headers={"traceparent": TRACE})
        carried = backstage.heard[0].header("traceparent")
        assert carried
        assert carried.split("-")[1] == TRACE.split("-")[1]
        assert carried != TRACE

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/dossiers/../ops/waiting",
            "/api/v1/dossiers/%2e%2e/ops/waiting",
            "/api/v1/dossiers/%2E%2E%2Fops",
            "/api/v1/dossiers/..%2fops",
            "/api/v1/dossiers%2f..%2fops",
            "/api/v1/dossiers\\..\\ops",
            "/api/v1/dossiers/%5c..%5cops",
            "/api/v1/dossiers//ops",
            "/api/v1/procedures/../dossiers",
            "/api/v1/verify/%2e%2e/results",
            "/api/v1/%2e%2e/ops",
        ],
    )
    async def test_that_climbs_out_of_its_address_is_refused(
        self, visitor: Visitor, backstage: Backstage, path: str
    ) -> None:
        answer = await _raw(visitor, "GET", path)
        assert answer.status_code == NotFound.status
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert backstage.heard == []


async def _raw(visitor: Visitor, method: str, target: str) -> httpx.Response:
    """Send a target as it stands: every client library would tidy it up."""
    address = visitor.http.base_url
    reader, writer = await asyncio.open_connection(address.host, address.port)
    token = await visitor.token("one-stop")
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(head.encode())
    answered = await reader.read()
    writer.close()
    top, _, body = answered.partition(b"\r\n\r\n")
    status, *lines = top.decode("latin-1").split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


class TestBody:
    """A body has its limit, 100,000 bytes here."""

    async def test_at_the_limit_goes_through(self, visitor: Visitor, backstage: Backstage) -> None:
        answer = await visitor.post("/api/v1/documents", content=b"x" * 100_000)
        assert answer.status_code == 201
        assert len(backstage.heard[0].body) == 100_000

    async def test_beyond_it_is_refused(self, visitor: Visitor, backstage: Backstage) -> None:
        assert_problem(await visitor.post("/api/v1/documents", content=b"x" * 100_001), BodyTooLarge)
        assert backstage.heard == []

    async def test_beyond_it_is_refused_also_when_its_length_is_not_told(
        self, visitor: Visitor, backstage: Backstage
    ) -> None:
        async def chunks() -> Any:
            for _ in range(300):
                yield b"x" * 1000

        assert_problem(await visitor.post("/api/v1/documents", content=chunks()), BodyTooLarge)
        assert backstage.heard == []


class TestAnswer:
    """What the client gets back."""

    @pytest.mark.parametrize("status", [200, 201, 202, 400, 404, 409, 412, 422, 500, 503])
    async def test_is_the_services_own(self, visitor: Visitor, backstage: Backstage, status: int) -> None:
        backstage.answer = answering(status, b'{"a": 1}', {"content-type": MEDIA_TYPE, "etag": '"7"', "x-more": "ü"})
        answer = await visitor.post("/api/v1/dossiers")
        assert (answer.status_code, answer.content) == (status, b'{"a": 1}')
        assert (answer.headers["content-type"], answer.headers["etag"]) == (MEDIA_TYPE, '"7"')
        assert answer.headers.get_list("content-length") == ["8"]
        assert len(answer.headers.get_list("date")) == len(answer.headers.get_list("server")) == 1

    @pytest.mark.parametrize("status", [204, 304])
    async def test_without_a_body_has_none(self, visitor: Visitor, backstage: Backstage, status: int) -> None:
        """RFC 9110: 204 carries no Content-Length, 304 none but that of the answer it stands for."""
        backstage.answer = answering(status, headers={"etag": '"7"'})
        answer = await visitor.get("/api/v1/dossiers/x")
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (status, b"", '"7"')
        assert "content-length" not in answer.headers

    @pytest.mark.parametrize("location", ["/dossiers/H32.14-260407-0001", "{base}/dossiers/H32.14-260407-0001"])
    async def test_points_to_our_own_address(self, visitor: Visitor, backstage: Backstage, location: str) -> None:
        """A service's own address is nobody's business, and of no use outside."""
        base = visitor.app.state.upstream.urls["intake"]
        backstage.answer = answering(201, headers={"location": location.format(base=base)})
        answer = await visitor.post("/api/v1/dossiers")
        assert answer.headers["location"] == "/api/v1/dossiers/H32.14-260407-0001"

    async def test_points_elsewhere_where_the_service_does(self, visitor: Visitor, backstage: Backstage) -> None:
        backstage.answer = answering(201, headers={"location": "https://pay.example/x"})
        assert (await visitor.post("/api/v1/payments")).headers["location"] == "https://pay.example/x"

    async def test_leaves_out_what_was_meant_for_the_next_hop_only(
        self, visitor: Visitor, backstage: Backstage
    ) -> None:
        hop = {"keep-alive": "timeout=9", "connection": "x-hop", "x-hop": "1", "x-kept": "1"}
        backstage.answer = answering(headers=hop)
        headers = (await visitor.get("/api/v1/dossiers")).headers
        assert headers["x-kept"] == "1"
        assert not {"keep-alive", "x-hop"} & set(headers)


@contextmanager
def intake_at(visitor: Visitor, url: str) -> Iterator[None]:
    """Let the gateway look for intake elsewhere for a while."""
    urls: dict[str, str] = visitor.app.state.upstream.urls
    before, urls["intake"] = urls["intake"], url
    try:
        yield
    finally:
        urls["intake"] = before


@asynccontextmanager
async def saying(said: bytes) -> AsyncIterator[str]:
    """Serve somebody who says this to every request, and hangs up."""

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(enter, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def forgetting(how: str) -> AsyncIterator[str]:
    """Serve somebody who keeps every connection, and drops it when the second request comes in on it."""
    connections: list[asyncio.StreamWriter] = []

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        while len(connections) < KEPT:
            await asyncio.sleep(0.01)
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
        await reader.readuntil(b"\r\n\r\n")
        if how == "reset":
            never_wait = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, never_wait)
        writer.close()

    server = await asyncio.start_server(enter, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in connections:
            writer.close()


class TestTrouble:
    """The service behind is away, slow, or breaks off."""

    async def test_down_is_503(self, visitor: Visitor) -> None:
        with intake_at(visitor, "http://127.0.0.1:1"):
            answer = await visitor.get("/api/v1/dossiers")
        assert_problem(answer, UpstreamAway)
        assert answer.headers["retry-after"]

    async def test_slow_is_504(self, visitor: Visitor, backstage: Backstage) -> None:
        backstage.hold = asyncio.Event()
        assert_problem(await visitor.post("/api/v1/dossiers"), UpstreamTimeout)
        backstage.hold.set()

    @pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b"nonsense\r\n\r\n"])
    async def test_breaking_off_is_503(self, visitor: Visitor, said: bytes) -> None:
        async with saying(said) as url:
            with intake_at(visitor, url):
                assert_problem(await visitor.post("/api/v1/dossiers"), UpstreamAway)

    async def test_a_restarted_service_is_found_at_once(self, visitor: Visitor, backstage: Backstage) -> None:
        """Connections that were kept are dead after a restart; the next call goes out on a new one."""
        intake = visitor.app.state.upstream.urls["intake"]
        async with gate_before(intake.removesuffix("/intake")) as gate:
            with intake_at(visitor, f"{gate.url}/intake"):
                for _ in range(3):
                    assert (await visitor.post("/api/v1/dossiers")).status_code == 201
                    gate.shut()
                    await gate.open()
                    assert (await visitor.post("/api/v1/dossiers")).status_code == 201
        assert len(backstage.heard) == 6

    @pytest.mark.parametrize("how", ["closed", "reset"])
    async def test_many_dead_connections_are_none_to_a_call(self, visitor: Visitor, how: str) -> None:
        """Not one of those that were kept is alive; whichever the call takes, it arrives."""
        async with forgetting(how) as url:
            with intake_at(visitor, url):
                answers = await asyncio.gather(*(visitor.post("/api/v1/dossiers") for _ in range(KEPT)))
                assert {answer.status_code for answer in answers} == {201}
                assert (await visitor.post("/api/v1/dossiers")).status_code == 201

    async def test_of_one_service_is_no_trouble_of_another(self, visitor: Visitor, backstage: Backstage) -> None:
        """While a service hangs, calls of others go through."""
        hanging = asyncio.Event()

        async def hang_in_intake(heard: Heard) -> Response:
            if heard.service == "intake":
                await hanging.wait()
            return Response(b"{}")

        backstage.answer = hang_in_intake
        stuck = [asyncio.create_task(visitor.get("/api/v1/dossiers")) for _ in range(30)]
        answers = await asyncio.gather(*(visitor.get("/api/v1/tasks") for _ in range(30)))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.status_code for answer in await asyncio.gather(*stuck)} == {504}
        hanging.set()
