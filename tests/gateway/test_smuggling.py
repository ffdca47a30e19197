"""HTTP that can be read in two ways: at a service arrives exactly one clean request, or none."""

import pytest

from tests.gateway.backstage import Backstage
from tests.gateway.visitor import Visitor
from tests.support.wire import Said, exchange

HIDDEN = b"GET /api/v1/tasks/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"4\r\n{}  \r\n0\r\n\r\n"


POST = b"POST /api/v1/dossiers HTTP/1.1"
HOST = (b"Host: motcua.example",)
CLOSE = b"Connection: close"


async def say(
    visitor: Visitor, *lines: bytes, then: bytes = b"", first: bytes = POST, host: tuple[bytes, ...] = HOST
) -> list[Said]:
    """Send a head of these lines, with a right token, and what follows it."""
    token = await visitor.token("one-stop")
    own = [b"Authorization: Bearer " + token.encode(), b"Idempotency-Key: k"]
    head = b"\r\n".join([first, *host, *own, *lines])
    return await exchange(str(visitor.http.base_url), head + b"\r\n\r\n" + then)


TWO_ENDS = {
    "length and chunks": ((b"Content-Length: 6", b"Transfer-Encoding: chunked"), b"0\r\n\r\nG" + HIDDEN),
    "chunks and length": ((b"Transfer-Encoding: chunked", b"Content-Length: 4"), CHUNKED + HIDDEN),
    "two lengths": ((b"Content-Length: 2", b"Content-Length: 2"), b"{}"),
    "lengths that differ": ((b"Content-Length: 2", b"Content-Length: 40"), b"{}" + HIDDEN),
    "a list of lengths": ((b"Content-Length: 2, 2",), b"{}" + HIDDEN),
    "a signed length": ((b"Content-Length: +2",), b"{}" + HIDDEN),
    "a negative length": ((b"Content-Length: -1",), b"{}" + HIDDEN),
    "a hexadecimal length": ((b"Content-Length: 0x2",), b"{}" + HIDDEN),
    "a length with a space in it": ((b"Content-Length: 2 0",), b"{}" + HIDDEN),
    "a length beyond 64 bits": ((b"Content-Length: 18446744073709551618",), b"{}" + HIDDEN),
    "an empty length": ((b"Content-Length: ",), b"{}" + HIDDEN),
    "two codings": ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), CHUNKED + HIDDEN),
    "two codings that differ": ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), CHUNKED + HIDDEN),
    "a coding that is none": ((b"Transfer-Encoding: xchunked",), CHUNKED + HIDDEN),
    "a coding after chunks": ((b"Transfer-Encoding: chunked, identity",), CHUNKED + HIDDEN),
    "a coding with a tab before it": ((b"Transfer-Encoding:\x0bchunked",), CHUNKED + HIDDEN),
    "a space before the colon": ((b"Transfer-Encoding : chunked", b"Content-Length: 2"), b"{}" + HIDDEN),
    "a length with a space before the colon": ((b"Content-Length : 2",), b"{}" + HIDDEN),
    "a folded header": ((b"X-A: b\r\n c", b"Content-Length: 2"), b"{}"),
    "a folded coding": ((b"Transfer-Encoding:\r\n chunked",), CHUNKED + HIDDEN),
    "a line that begins with a space": ((b" Content-Length: 2",), b"{}" + HIDDEN),
    "a bare line feed": ((b"X-A: b\nTransfer-Encoding: chunked",), CHUNKED + HIDDEN),
    "a bare carriage return": ((b"X-A: b\rTransfer-Encoding: chunked", b"Content-Length: 2"), b"{}"),
    "a zero byte in a value": ((b"X-A: b\x00c", b"Content-Length: 2"), b"{}"),
    "a zero byte in a name": ((b"X-\x00A: b", b"Content-Length: 2"), b"{}"),
    "a control character in a value": ((b"X-A: b\x01c", b"Content-Length: 2"), b"{}"),
    "a header without a colon": ((b"X-A", b"Content-Length: 2"), b"{}"),
    "a header without a name": ((b": b", b"Content-Length: 2"), b"{}"),
    "a chunk of no size": ((b"Transfer-Encoding: chunked",), b"\r\n{}\r\n0\r\n\r\n"),
    "a chunk of a wrong size": ((b"Transfer-Encoding: chunked",), b"zz\r\n{}\r\n0\r\n\r\n" + HIDDEN),
    "a chunk with a signed size": ((b"Transfer-Encoding: chunked",), b"+2\r\n{}\r\n0\r\n\r\n" + HIDDEN),
    "a chunk with a 0x size": ((b"Transfer-Encoding: chunked",), b"0x2\r\n{}\r\n0\r\n\r\n" + HIDDEN),
    "a chunk that is longer than it says": ((b"Transfer-Encoding: chunked",), b"2\r\n{}{}\r\n0\r\n\r\n" + HIDDEN),
    "a chunk beyond 64 bits": ((b"Transfer-Encoding: chunked",), b"10000000000000002\r\n{}\r\n0\r\n\r\n" + HIDDEN),
    "a chunk ended by a bare line feed": ((b"Transfer-Encoding: chunked",), b"2\n{}\r\n0\r\n\r\n" + HIDDEN),
    "a line feed in a chunk's extension": ((b"Transfer-Encoding: chunked",), b"2;a\nb\r\n{}\r\n0\r\n\r\n" + HIDDEN),
    "two authorizations": ((b"Authorization: Bearer other", b"Content-Length: 2"), b"{}"),
    "two keys": ((b"Idempotency-Key: k2", b"Content-Length: 2"), b"{}"),
    "two types": ((b"Content-Type: a/b", b"Content-Type: application/json", b"Content-Length: 2"), b"{}"),
    "two hosts": ((b"Host: evil.example", b"Content-Length: 2"), b"{}"),
}


class TestTwoMeanings:
    """Refused before anybody acts on either of them."""

    @pytest.mark.parametrize("name", TWO_ENDS)
    async def test_are_refused(self, visitor: Visitor, backstage: Backstage, name: str) -> None:
        lines, then = TWO_ENDS[name]
        answers = await say(visitor, *lines, then=then)
        assert [(answer.status, answer.code) for answer in answers] == [(400, "malformed_request")]
        assert answers[0].header("connection") == "close"
        assert backstage.heard == []


class TestTargets:
    """What stands where the address should."""

    @pytest.mark.parametrize(
        "first",
        [
            b"CONNECT motcua.example:443 HTTP/1.1",
            b"GET motcua.example:443 HTTP/1.1",
            b"OPTIONS * HTTP/1.1",
            b"GET http://motcua.example HTTP/1.1",
            b"GET /api/v1/dossiers/a b HTTP/1.1",
            b"GET\t/api/v1/dossiers HTTP/1.1",
            b"GET /api/v1/dossiers",
            b"GET /api/v1/dossiers HTTP/0.9",
            b"GET /api/v1/dossiers HTTP/1.2",
            b"GET /api/v1/dossiers HTTP/3.0",
            b"GET /api/v1/dossiers http/1.1",
            b"GET /api/v1/dossiers HTTPS/1.1",
            b"GET \\api\\v1\\dossiers HTTP/1.1",
            b"GET /api/v1/dossiers/\xc3\xa9 HTTP/1.1",
            b"GET /api/v1/dossiers/\x00 HTTP/1.1",
            b"PRI * HTTP/2.0",
            b"TRACE /api/v1/dossiers HTTP/1.1",
            b"PROPFIND /api/v1/dossiers HTTP/1.1",
            b"GETS /api/v1/dossiers HTTP/1.1",
            b"get /api/v1/dossiers HTTP/1.1",
        ],
    )
    async def test_that_are_none_get_no_further(self, visitor: Visitor, backstage: Backstage, first: bytes) -> None:
        (answer,) = await say(visitor, CLOSE, first=first)
        assert answer.status in {400, 404, 405}
        assert answer.code
        assert backstage.heard == []

    @pytest.mark.parametrize(
        "first",
        [
            b"GET http://evil.example/api/v1/dossiers/x HTTP/1.1",
            b"GET http://evil.example:1/api/v1/dossiers/x#here HTTP/1.1",
            b"GET /api/v1/dossiers/x#/../../../ops HTTP/1.1",
            b"GET  /api/v1/dossiers/x HTTP/1.1",
            b"GET /api/v1/dossiers/x  HTTP/1.1",
        ],
    )
    async def test_of_another_form_mean_the_path_in_them(
        self, visitor: Visitor, backstage: Backstage, first: bytes
    ) -> None:
        (answer,) = await say(visitor, CLOSE, first=first)
        assert answer.status == 200
        assert [heard.target for heard in backstage.heard] == ["/dossiers/x"]
        assert "evil" not in str(backstage.heard[0].headers)

    @pytest.mark.parametrize(
        "host",
        [(), (b"Host:",), (b"Host: a b",), (b"Host: a,b",), (b"Host: a@b",), (b"Host: http://a",), (b"Host: a/../b",)],
        ids=str,
    )
    async def test_without_one_clear_host_are_refused(
        self, visitor: Visitor, backstage: Backstage, host: tuple[bytes, ...]
    ) -> None:
        (answer,) = await say(visitor, CLOSE, first=b"GET /api/v1/dossiers HTTP/1.1", host=host)
        assert (answer.status, answer.code) == (400, "malformed_request")
        assert backstage.heard == []

    async def test_do_not_let_the_host_decide(self, visitor: Visitor, backstage: Backstage) -> None:
        """Nor is it passed on, nor does an answer lead there."""
        for path in (b"/api/v1/dossiers", b"/"):
            (answer,) = await say(visitor, CLOSE, first=b"GET " + path + b" HTTP/1.1", host=(b"Host: evil.example",))
            assert "evil" not in str(answer.headers)
        assert "evil" not in str(backstage.heard[0].headers)


class TestConnection:
    """More than one request on it, or another protocol."""

    async def test_answers_in_order_what_came_at_once(self, visitor: Visitor, backstage: Backstage) -> None:
        token = (await visitor.token("one-stop")).encode()
        asked = [
            b"GET /api/v1/dossiers/%d HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n" % (n, token)
            for n in range(5)
        ]
        answers = await exchange(str(visitor.http.base_url), b"\r\n".join(asked) + CLOSE + b"\r\n\r\n")
        assert [answer.status for answer in answers] == [200] * 5
        assert [heard.target for heard in backstage.heard] == [f"/dossiers/{n}" for n in range(5)]

    async def test_answers_what_was_clear_before_it_refuses(self, visitor: Visitor, backstage: Backstage) -> None:
        """The refusal of a second request is never taken for the answer to the first."""
        answers = await say(visitor, b"Content-Length: 2", then=b"{}GET /nonsense\x00\r\n\r\n" + HIDDEN)
        assert [answer.status for answer in answers] == [201]
        assert len(backstage.heard) == 1

    async def test_takes_what_follows_a_body_for_a_request_of_its_own(
        self, visitor: Visitor, backstage: Backstage
    ) -> None:
        """Without a token, as it stands, it is nobody's."""
        hidden = HIDDEN.replace(b"Host: x", b"Host: x\r\n" + CLOSE)
        answers = await say(visitor, b"Content-Length: 2", then=b"{}" + hidden)
        assert [answer.status for answer in answers] == [201, 401]
        assert len(backstage.heard) == 1

    @pytest.mark.parametrize(
        "lines",
        [
            (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
            (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13"),
            (b"Connection: upgrade", b"Upgrade: anything"),
        ],
        ids=["h2c", "websocket", "anything"],
    )
    async def test_stays_with_http_1_1(self, visitor: Visitor, backstage: Backstage, lines: tuple[bytes, ...]) -> None:
        """What follows would be of the other protocol: it is not read."""
        answers = await say(visitor, *lines, first=b"GET /api/v1/dossiers HTTP/1.1", then=HIDDEN)
        assert [answer.status for answer in answers] == [200]
        (heard,) = backstage.heard
        assert not {"upgrade", "http2-settings", "connection"} & {name for name, _ in heard.headers}


class TestHeaders:
    """What comes from outside is not ours."""

    async def test_after_the_body_are_none(self, visitor: Visitor, backstage: Backstage) -> None:
        then = b"2\r\n{}\r\n0\r\nX-Late: 1\r\nAuthorization: Bearer late\r\nIdempotency-Key: late\r\n\r\n"
        (answer,) = await say(visitor, b"Transfer-Encoding: chunked", b"Trailer: X-Late", CLOSE, then=then)
        assert answer.status == 201
        (heard,) = backstage.heard
        assert (heard.body, heard.header("content-length")) == (b"{}", "2")
        assert "late" not in str(heard.headers).lower()

    async def test_of_chunks_say_nothing(self, visitor: Visitor, backstage: Backstage) -> None:
        then = b'1;a=b\r\n{\r\n1;c="d"\r\n}\r\n0\r\n\r\n'
        (answer,) = await say(visitor, b"Transfer-Encoding: chunked", CLOSE, then=then)
        assert (answer.status, backstage.heard[0].body) == (201, b"{}")

    @pytest.mark.parametrize(
        "name",
        [
            "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Client-Cert", "Client-Cert-Chain",
            "X-Client-Id", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Remote-User", "X-User",
            "X-Auth-Request-User", "X-Motcua-Agency", "X-SSL-Client-S-DN", "Proxy", "Proxy-Connection", "Remote-User",
            "Idempotency_Key", "Content_Length", "X_Forwarded_For", "Authorization_",
        ],
    )  # fmt: skip
    async def test_by_which_proxies_speak_to_those_behind_them_are_left_out(
        self, visitor: Visitor, backstage: Backstage, name: str
    ) -> None:
        (answer,) = await say(visitor, f"{name}: 77".encode(), CLOSE, first=b"GET /api/v1/dossiers HTTP/1.1")
        assert answer.status == 200
        assert "77" not in [value for _, value in backstage.heard[0].headers]

    async def test_that_name_a_trace_twice_begin_a_new_one(self, visitor: Visitor, backstage: Backstage) -> None:
        """W3C trace context §3.2."""
        traces = [f"traceparent: 00-{digit * 32}-{digit * 16}-01".encode() for digit in "12"]
        await say(visitor, *traces, b"tracestate: a=b", CLOSE, first=b"GET /api/v1/dossiers HTTP/1.1")
        (heard,) = backstage.heard
        carried = [value for name, value in heard.headers if name == "traceparent"]
        assert len(carried) == 1
        assert carried[0].split("-")[1] not in {"1" * 32, "2" * 32}
        assert heard.header("tracestate") is None


class TestPaths:
    """Two spellings of an address are not two doors."""

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/procedures/..;/dossiers", "/api/v1/procedures;/../dossiers", "/api/v1/procedures/;x=1",
            "/api/v1/procedures/%3b", "/api/v1/procedures/%252e%252e/dossiers", "/api/v1/procedures/%25%32%65",
            "/api/v1/procedures/%c0%ae%c0%ae/dossiers", "/api/v1/procedures/%e0%80%ae", "/api/v1/procedures/%ff",
            "/api/v1/procedures/.%2e/dossiers", "/api/v1/procedures/./dossiers", "/api/v1/procedures/.",
            "/api/v1/procedures/%00", "/api/v1/procedures/%0d%0aX-A:%20b", "/api/v1/procedures/%09",
            "/api/v1/procedures/%7f", "/api/v1//procedures", "//api/v1/procedures", "/api//v1/procedures",
            "/api/v1/./procedures",
            "/api/v1/%2fprocedures", "/api/v1%2fprocedures", "/%2fapi/v1/procedures", "/api/v1/procedures%2f..",
            "/API/V1/procedures", "/api/v1/Procedures", "/api/v1/PROCEDURES/x", "/api/v1procedures",
            "/api/v2/procedures", "/api/v1/proc%65dures/x",
            "/%61pi/v1/procedures", "/api/v1/procedures\\x", "/api/v1/procedures/%5cx",
        ],
    )  # fmt: skip
    async def test_are_refused(self, visitor: Visitor, backstage: Backstage, path: str) -> None:
        (answer,) = await say(visitor, CLOSE, first=f"GET {path} HTTP/1.1".encode())
        assert answer.status in {400, 404}
        assert answer.code
        assert backstage.heard == []

    @pytest.mark.parametrize(
        "path", ["/verify/a%20b", "/verify/%C4%90", "/verify/a+b", "/verify/a%2Bb", "/verify/a:b@c"]
    )
    async def test_are_passed_on_to_the_letter(self, visitor: Visitor, backstage: Backstage, path: str) -> None:
        await say(visitor, CLOSE, first=f"GET /api/v1{path}?q=%41&q=%2e%2E HTTP/1.1".encode())
        assert [heard.target for heard in backstage.heard] == [f"{path}?q=%41&q=%2e%2E"]
