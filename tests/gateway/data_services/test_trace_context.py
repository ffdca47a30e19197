"""W3C trace context through a data service: what the service hears for what the client sent."""

import asyncio

import pytest

from tests.gateway.data_services.desk import CODE, Desk

TRACE, SPAN = "12345678901234567890123456789012", "1234567890123456"
VALID = f"00-{TRACE}-{SPAN}-01"
KEY_OF_ALL = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@a-z0-9_-*/"
VALUE_OF_ALL = "".join(map(chr, [*range(0x20, 0x2C), *range(0x2D, 0x3D), *range(0x3E, 0x7F)]))
MEMBERS = [f"bar{number:02}={number:02}" for number in range(1, 34)]


async def heard(desk: Desk, *headers: tuple[str, str]) -> tuple[str, str]:
    """Send headers as they stand; return the trace's id and the state that the service hears."""
    await desk.offer()
    address = desk.visitor.http.base_url
    reader, writer = await asyncio.open_connection(address.host, address.port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = (
        f"GET /api/v1/data-services/{CODE}/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}"
        f"Authorization: Bearer {await desk.visitor.token('one-stop')}\r\n\r\n"
    )
    writer.write(head.encode("latin-1"))
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
    (call,) = desk.ministry.calls
    (parent,) = call.all("traceparent")
    version, trace_id, span_id, flags = parent.split("-")
    assert (version, len(trace_id), len(span_id), len(flags)) == ("00", 32, 16, 2)
    assert span_id != SPAN
    states = call.all("tracestate")
    assert len(states) <= 1
    return trace_id, states[0] if states else ""


class TestTraceparent:
    @pytest.mark.parametrize(
        "sent",
        [
            ("traceparent", VALID),
            ("TraceParent", VALID),
            ("TRACEPARENT", VALID),
            ("traceparent", f"\t {VALID} \t"),
            ("traceparent", f"cc-{TRACE}-{SPAN}-01"),
            ("traceparent", f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"),
        ],
        ids=str,
    )
    async def test_is_carried_on(self, desk: Desk, sent: tuple[str, str]) -> None:
        assert (await heard(desk, sent))[0] == TRACE

    @pytest.mark.parametrize(
        "odd",
        [
            f"{VALID}.",
            f"{VALID}-more",
            f"cc-{TRACE}-{SPAN}-01.more",
            f"ff-{TRACE}-{SPAN}-01",
            f".0-{TRACE}-{SPAN}-01",
            f"000-{TRACE}-{SPAN}-01",
            f"0-{TRACE}-{SPAN}-01",
            f"00-{'0' * 32}-{SPAN}-01",
            f"00-.{TRACE[1:]}-{SPAN}-01",
            f"00-{TRACE}3-{SPAN}-01",
            f"00-{TRACE[1:]}-{SPAN}-01",
            f"00-{TRACE}-{'0' * 16}-01",
            f"00-{TRACE}-{SPAN}7-01",
            f"00-{TRACE}-{SPAN}-.0",
            f"00-{TRACE}-{SPAN}-001",
            f"00-{TRACE}-{SPAN}-1",
            "",
        ],
    )
    async def test_that_is_none_begins_a_new_trace_without_a_state(self, desk: Desk, odd: str) -> None:
        trace_id, state = await heard(desk, ("traceparent", odd), ("tracestate", "foo=1"))
        assert TRACE not in trace_id
        assert (trace_id == "0" * 32, state) == (False, "")

    async def test_that_comes_twice_begins_a_new_trace(self, desk: Desk) -> None:
        assert (await heard(desk, ("traceparent", VALID), ("traceparent", VALID)))[0] != TRACE

    async def test_that_is_missing_begins_a_new_trace(self, desk: Desk) -> None:
        trace_id, state = await heard(desk, ("trace-parent", VALID), ("tracestate", "foo=1"))
        assert (trace_id == TRACE, state) == (False, "")

    @pytest.mark.parametrize(("sent", "expected"), [("01", "01"), ("00", "00"), ("ff", "03"), ("02", "02")])
    async def test_keeps_the_flags_that_are_known(self, desk: Desk, sent: str, expected: str) -> None:
        await heard(desk, ("traceparent", f"00-{TRACE}-{SPAN}-{sent}"))
        assert (desk.ministry.calls[0].one("traceparent") or "")[-2:] == expected


class TestTracestate:
    @pytest.mark.parametrize(
        ("sent", "expected"),
        [
            (["foo=1,bar=2"], "foo=1,bar=2"),
            (["foo=1", ""], "foo=1"),
            (["", "foo=1"], "foo=1"),
            (["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3"),
            (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
            (["\t foo=1 \t"], "foo=1"),
            (["foo=1,foo=2"], "foo=1"),
            (["foo=1", "foo=1"], "foo=1"),
            ([f"{KEY_OF_ALL}={VALUE_OF_ALL}"], f"{KEY_OF_ALL}={VALUE_OF_ALL}"),
            (["foo@=1,bar=2"], "foo@=1,bar=2"),
            (["foo@bar@baz=1,bar=2"], "foo@bar@baz=1,bar=2"),
            ([",".join(MEMBERS[:32])], ",".join(MEMBERS[:32])),
            ([f"{'z' * 256}=1"], f"{'z' * 256}=1"),
            ([f"foo={'x' * 256}"], f"foo={'x' * 256}"),
        ],
    )
    async def test_is_carried_on_in_order_as_one(self, desk: Desk, sent: list[str], expected: str) -> None:
        headers = [("tracestate", one) for one in sent]
        assert (await heard(desk, ("traceparent", VALID), *headers)) == (TRACE, expected)

    @pytest.mark.parametrize(
        "sent",
        [
            [""],
            ["foo =1"],
            ["FOO=1"],
            ["foo.bar=1"],
            ["@foo=1,bar=2"],
            ["foo=1,bar"],
            ["foo=bar=baz"],
            ["foo=,bar=3"],
            [f"{'z' * 257}=1"],
            [f"foo={'x' * 257}"],
            [",".join(MEMBERS[:20]), ",".join(MEMBERS[20:])],
        ],
    )
    async def test_that_is_none_is_dropped_as_a_whole(self, desk: Desk, sent: list[str]) -> None:
        headers = [("tracestate", one) for one in sent]
        assert (await heard(desk, ("traceparent", VALID), *headers)) == (TRACE, "")
