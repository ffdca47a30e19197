"""One trace from the HTTP request over the outbox and the bus to the handler."""

import pytest
from opentelemetry.trace import SpanKind

from shared.telemetry import current_traceparent, span, traceparent_in
from tests.support.assertions import eventually
from tests.support.bus import Side, declare, running
from tests.support.toyapp import client_of, create_toy_app

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


async def test_trace_of_a_request_reaches_the_handler(toy: Side, ear: Side, amqp_url: str) -> None:
    await declare(ear, amqp_url)
    app = create_toy_app(toy.database.dsn, amqp_url=amqp_url)
    async with (
        app.router.lifespan_context(app),
        client_of(app) as client,
        running(ear.consumer(amqp_url).run()),
    ):
        await client.post("/counters/a/grow", headers={"traceparent": PARENT})
        await client.post("/counters/b/grow-together", headers={"traceparent": PARENT})
        await client.post("/counters/c/grow")
        await eventually(lambda: _has_seen(ear, 3))
    traces = {row["code"]: row["trace"] for row in await ear.rows("SELECT code, trace FROM seen")}
    assert [traces[code].split("-")[1] for code in "ab"] == [TRACE_ID] * 2
    assert len({traces["a"], traces["b"], PARENT}) == 3
    assert traceparent_in(traces["c"])
    assert TRACE_ID not in traces["c"]


async def _has_seen(side: Side, count: int) -> bool:
    return await side.count("seen") == count


def test_span_is_a_child_in_its_parents_trace() -> None:
    with span("a", SpanKind.SERVER, PARENT) as own:
        assert current_traceparent() == own
        assert own.split("-")[1] == TRACE_ID
        assert own != PARENT
        with span("b", SpanKind.INTERNAL, own) as inner:
            assert inner.split("-")[1] == TRACE_ID
        assert current_traceparent() == own
    assert current_traceparent() is None


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        "x",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-b7ad6b7169203331-01",
        f"{PARENT}-more",
        f"00-{TRACE_ID}-b7ad6b7169203331-" + "9" * 4000,
    ],
)
def test_span_of_an_odd_parent_starts_a_trace(odd: str | None) -> None:
    with span("a", SpanKind.SERVER, odd) as own:
        assert traceparent_in(own) == own
        assert own.split("-")[1] != TRACE_ID


def test_span_ends_its_context_also_when_the_work_fails() -> None:
    def fail() -> None:
        with span("a", SpanKind.SERVER, PARENT):
            raise KeyError("work")

    with pytest.raises(KeyError):
        fail()
    assert current_traceparent() is None
