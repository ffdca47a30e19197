"""What the service hears, what the client gets, and how it ends when something breaks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from gateway.errors import (
    InMaintenance,
    UpstreamAway,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from shared.guard.refusals import BodyTooLarge
from tests.gateway.data_services.desk import ADMIN, CODE, Desk
from tests.gateway.data_services.ministry import Call, contract
from tests.gateway.test_proxy import saying
from tests.support.assertions import assert_problem, eventually

ONCE = {"retries": {"attempts_max": 1}}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def answering(response: Response) -> Any:
    """Return a ministry that always answers so."""

    async def answer(_: Call) -> Response:
        return response

    return answer


async def pieces(count: int, size: int = 100_000) -> AsyncIterator[bytes]:
    """Yield so many pieces."""
    for number in range(count):
        yield bytes([number % 256]) * size


class TestRequest:
    async def test_goes_on_without_what_was_meant_for_us(self, desk: Desk) -> None:
        await desk.offer()
        sent = {
            "cookie": "a=b", "x-forwarded-for": "10.0.0.1", "forwarded": "for=10.0.0.1", "x-real-ip": "10.0.0.1",
            "connection": "x-hop", "x-hop": "1", "te": "trailers", "x-kept": "yes", "via": "1.1 other",
            "x-correlation-id": "ma-ho-so:42", "traceparent": TRACE, "tracestate": "a=1,b=2", "baggage": "x=1",
        }  # fmt: skip
        answer = await desk.call(headers=sent)
        (call,) = desk.ministry.calls
        names = {name for name, _ in call.headers}
        assert not names & {"authorization", "cookie", "x-forwarded-for", "x-real-ip", "x-hop", "te"}
        assert (call.one("forwarded"), call.one("via")) == ("for=_one-stop", "1.1 other, 1.1 motcua")
        assert (call.one("x-kept"), call.one("baggage")) == ("yes", "x=1")
        assert call.one("x-correlation-id") == answer.headers["x-correlation-id"] == "ma-ho-so:42"
        assert (call.one("traceparent") or "")[:35] == TRACE[:35]
        assert call.one("tracestate") == "a=1,b=2"
        assert answer.headers["via"] == "1.1 motcua"

    @pytest.mark.parametrize("odd", ["", "a b", "x" * 101, "<script>", "ü"])
    async def test_has_the_traces_id_where_the_client_gives_none_that_can_be_taken(self, desk: Desk, odd: str) -> None:
        await desk.offer()
        answer = await desk.call(headers={"x-correlation-id": odd.encode(), "traceparent": TRACE})  # type: ignore[dict-item]
        assert desk.ministry.calls[0].one("x-correlation-id") == answer.headers["x-correlation-id"] == TRACE[3:35]

    async def test_keeps_path_and_query_to_the_letter(self, desk: Desk) -> None:
        await desk.offer()
        target = "/things/12%20%C4%90K?q=%C4%91%E1%BA%A5t%20x&a=1+2&b=%2B%26&d"
        await desk.call(path=target)
        assert desk.ministry.calls[0].target == target

    async def test_of_any_size_is_passed_on_as_it_comes(self, desk: Desk) -> None:
        await desk.offer()
        answer = await desk.call("POST", "/orders", content=pieces(40))
        assert answer.status_code == 201
        (call,) = desk.ministry.calls
        assert call.body == b"".join([one async for one in pieces(40)])
        assert call.chunks > 3
        assert call.one("transfer-encoding") == "chunked"

    @pytest.mark.parametrize("told", [True, False])
    async def test_beyond_its_limit_is_refused(self, desk: Desk, *, told: bool) -> None:
        await desk.offer(policy={"limits": {"request_bytes_max": 500_000}})
        content = b"x" * 500_001 if told else pieces(6)
        assert_problem(await desk.call("POST", "/orders", content=content), BodyTooLarge)
        assert not [call for call in desk.ministry.calls if call.whole]

    async def test_that_ends_early_never_looks_whole(self, desk: Desk) -> None:
        await desk.offer()
        address = desk.visitor.http.base_url
        _, writer = await asyncio.open_connection(address.host, address.port)
        head = (
            f"POST /api/v1/data-services/{CODE}/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            f"Authorization: Bearer {await desk.visitor.token('one-stop')}\r\n\r\n"
        )
        writer.write(head.encode() + (b"186a0\r\n" + b"x" * 100_000 + b"\r\n") * 4)
        await writer.drain()
        writer.close()

        async def arrived() -> bool:
            return bool(desk.ministry.calls)

        await eventually(arrived)
        assert not desk.ministry.calls[0].whole


class TestAnswer:
    async def test_of_any_size_is_passed_on_as_it_comes(self, desk: Desk) -> None:
        await desk.offer()
        desk.ministry.answer = answering(StreamingResponse(pieces(40), headers={"x-more": "1"}))
        answer = await desk.call()
        assert answer.content == b"".join([one async for one in pieces(40)])
        assert answer.headers["x-more"] == "1"

    async def test_beyond_its_limit_is_refused(self, desk: Desk) -> None:
        await desk.offer(policy={"limits": {"response_bytes_max": 500_000}})
        desk.ministry.answer = answering(Response(b"x" * 500_001))
        assert_problem(await desk.call(), UpstreamTooLarge)

    async def test_that_grows_beyond_its_limit_breaks_off(self, desk: Desk) -> None:
        await desk.offer(policy={"limits": {"response_bytes_max": 2_000_000}})
        desk.ministry.answer = answering(StreamingResponse(pieces(40)))
        with pytest.raises(httpx.RemoteProtocolError):
            await desk.call()

    @pytest.mark.parametrize("status", [200, 201, 204, 301, 400, 404, 409, 422, 500, 503])
    async def test_is_the_services_own(self, desk: Desk, status: int) -> None:
        await desk.offer(policy=ONCE)
        headers = {"location": f"{desk.ministry_url}/things/1", "x-a": "1"}
        desk.ministry.answer = answering(Response(b"" if status == 204 else b"{}", status, headers=headers))
        answer = await desk.call("POST", "/orders", json={})
        assert answer.status_code == status
        assert answer.headers["location"] == f"/api/v1/data-services/{CODE}/v1/things/1"

    async def test_to_head_has_the_length_and_no_body(self, desk: Desk) -> None:
        await desk.offer()
        desk.ministry.answer = answering(Response(b"12345"))
        answer = await desk.call("HEAD")
        assert (answer.headers["content-length"], answer.content) == ("5", b"")


class TestTrouble:
    async def test_with_a_service_that_is_away_is_503(self, desk: Desk) -> None:
        await desk.offer(base_url="http://127.0.0.1:1", policy=ONCE)
        answer = await desk.call()
        found = assert_problem(answer, UpstreamAway)
        assert (found["service"], found["reason"]) == (f"{CODE}/v1", "refused")
        assert answer.headers["retry-after"]

    async def test_with_a_slow_service_is_504(self, desk: Desk) -> None:
        await desk.offer(policy={**ONCE, "total_timeout_s": 0.3})
        desk.ministry.hold = asyncio.Event()
        answer = await desk.call()
        assert assert_problem(answer, UpstreamTimeout)["service"] == f"{CODE}/v1"
        assert answer.headers["retry-after"]

    @pytest.mark.parametrize(
        ("said", "error"),
        [
            (b"", UpstreamAway),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", UpstreamInvalid),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", UpstreamInvalid),
            (b"nonsense\r\n\r\n", UpstreamInvalid),
        ],
        ids=["nothing", "half", "half in chunks", "nonsense"],
    )
    async def test_with_an_answer_that_breaks_off_is_told(self, desk: Desk, said: bytes, error: Any) -> None:
        async with saying(said) as url:
            await desk.offer(base_url=url, policy=ONCE)
            for method, path in (("GET", "/things"), ("POST", "/orders")):
                assert_problem(await desk.call(method, path), error)

    @pytest.mark.parametrize("chunked", [True, False])
    async def test_in_the_middle_of_a_long_answer_never_makes_it_look_whole(self, desk: Desk, *, chunked: bool) -> None:
        head = b"Transfer-Encoding: chunked\r\n\r\n80000\r\n" if chunked else b"Content-Length: 9999999\r\n\r\n"
        async with saying(b"HTTP/1.1 200 OK\r\n" + head + b"x" * 0x80000 + b"\r\n" * chunked) as url:
            await desk.offer(base_url=url, policy={**ONCE, "cache": {"enabled": False}})
            with pytest.raises(httpx.RemoteProtocolError):
                await desk.call()

    async def test_with_an_answer_of_a_type_that_the_contract_does_not_have_is_told(self, desk: Desk) -> None:
        promised: Any = contract("GET /things")
        promised["paths"]["/things"]["get"]["responses"]["200"]["content"] = {"application/json": {}}
        await desk.offer(contract=promised, policy=ONCE)
        desk.ministry.answer = answering(Response("<html>bảo trì</html>", media_type="text/html"))
        assert_problem(await desk.call(), UpstreamInvalid)
        desk.ministry.answer = answering(JSONResponse({}))
        assert (await desk.call()).status_code == 200

    async def test_with_the_client_ends_the_call_to_the_service(self, desk: Desk) -> None:
        await desk.offer()
        desk.ministry.hold = asyncio.Event()
        call = asyncio.create_task(desk.call("POST", "/orders", json={}))

        async def arrived() -> bool:
            return bool(desk.ministry.calls)

        await eventually(arrived)
        call.cancel()
        await asyncio.wait_for(desk.ministry.left.wait(), 30)
        line = desk.parts.lines.find(f"{CODE}/v1")
        assert line

        async def nobody() -> bool:
            return line.crowd.everybody == 0

        await eventually(nobody)


class TestMaintenance:
    async def test_is_told_with_its_end(self, desk: Desk) -> None:
        await desk.offer()
        window = {
            "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
            "reason_vi": "Nâng cấp hệ thống", "reason_en": "System upgrade",
        }  # fmt: skip
        at = f"/api/v1/data-services/{CODE}/-/windows"
        made = await desk.visitor.post(at, who=ADMIN, json=window)
        assert made.status_code == 201, made.text

        async def closed() -> Any:
            answer = await desk.call()
            return answer if answer.status_code == 503 else None

        answer = await eventually(closed)
        found = assert_problem(answer, InMaintenance)
        assert (found["detail"], found["detail_vi"]) == ("System upgrade", "Nâng cấp hệ thống")
        assert int(answer.headers["retry-after"]) > 10**9
        await desk.visitor.send("DELETE", f"{at}/{made.json()['id']}", who=ADMIN)

        async def opened() -> bool:
            return (await desk.call()).status_code == 200

        await eventually(opened)
