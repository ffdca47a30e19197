"""The transaction log: every call through the door, durable before a change is answered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from gateway.errors import EvidenceMissing, UpstreamTimeout
from gateway.operations.evidence import Call, Evidence
from shared import clock
from tests.gateway.backstage import Backstage, Heard
from tests.gateway.conftest import SECRET, OpenGateway, settings_of
from tests.gateway.hall import Hall
from tests.gateway.process import GatewayProcess
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem, eventually
from tests.support.gate import Gate, gate_before

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CODE = "H32.14-260407-0001"


async def calls(house: Hall, about: str = "/api/v1/") -> list[Any]:
    rows = await house.rows("SELECT * FROM transaction_log ORDER BY number")
    return [row for row in rows if row["path"].startswith(about)]


class TestEntry:
    """What is written of a call."""

    async def test_says_who_what_when_and_how_it_ended(
        self, visitor: Visitor, house: Hall, backstage: Backstage
    ) -> None:
        async def created(_: Heard) -> Response:
            return Response(b"12345", 201, headers={"location": f"/dossiers/{CODE}"})

        backstage.answer = created
        await visitor.post("/api/v1/dossiers?x=secret", content=b"123", headers={"traceparent": TRACE})
        (call,) = await calls(house)
        assert (call["client_id"], call["service"], call["method"]) == ("one-stop", "intake", "POST")
        assert (call["path"], call["status"], call["dossier_code"]) == ("/api/v1/dossiers", 201, CODE)
        assert (call["request_bytes"], call["response_bytes"]) == (3, 5)
        assert call["trace_id"].hex == TRACE.split("-")[1]
        assert 0 < call["duration_us"] < 30_000_000

    @pytest.mark.usefixtures("backstage")
    async def test_holds_neither_body_nor_query_nor_headers(self, visitor: Visitor, house: Hall) -> None:
        await visitor.post("/api/v1/dossiers?owner=056090000001", content="Nguyễn Bí Mật".encode(), key="key-of-mine")
        written = str(await house.rows("SELECT * FROM transaction_log"))
        for secret in ("056090000001", "Bí Mật", "key-of-mine", "Bearer"):
            assert secret not in written

    @pytest.mark.usefixtures("backstage")
    async def test_is_there_for_every_kind_of_call(self, visitor: Visitor, house: Hall) -> None:
        """Also for those that were refused at the door, and for those that only read."""
        await visitor.get(f"/api/v1/dossiers/{CODE}")
        await visitor.http.get("/api/v1/procedures")
        await visitor.http.get("/api/v1/dossiers")
        await visitor.get("/api/v1/nowhere")
        await visitor.get("/api/v1/sync/changes", who="statistics")
        await visitor.post("/api/v1/portal/lookup", who="national-portal", json={"mahoso": CODE})

        async def all_there() -> bool:
            return len(await calls(house)) == 6

        await eventually(all_there)
        found = [(call["client_id"], call["service"], call["status"]) for call in await calls(house)]
        assert sorted(found) == [
            ("anonymous", "intake", 200),
            ("anonymous", "intake", 401),
            ("national-portal", "gateway", 200),
            ("one-stop", "gateway", 404),
            ("one-stop", "intake", 200),
            ("statistics", "gateway", 200),
        ]

    async def test_tells_of_a_change_whose_outcome_is_unknown(
        self, visitor: Visitor, house: Hall, backstage: Backstage
    ) -> None:
        backstage.hold = asyncio.Event()
        assert_problem(await visitor.post("/api/v1/dossiers"), UpstreamTimeout)
        backstage.hold.set()
        (call,) = await calls(house)
        assert (call["service"], call["status"]) == ("intake", 504)

    @pytest.mark.usefixtures("backstage")
    async def test_of_an_odd_address_costs_nobody_elses(self, visitor: Visitor, house: Hall) -> None:
        """A zero byte in a path cannot be written as it stands: it must not spoil the batch it shares."""
        await asyncio.gather(
            *(visitor.http.get("/api/v1/dossiers/a%00b") for _ in range(5)),
            *(visitor.http.get("/api/v1/x/%ff%fe") for _ in range(5)),
        )
        answers = await asyncio.gather(
            *(visitor.post("/api/v1/dossiers") for _ in range(10)),
            *(visitor.http.get("/api/v1/dossiers/%00") for _ in range(10)),
        )
        assert [answer.status_code for answer in answers[:10]] == [201] * 10

        async def all_there() -> bool:
            return len(await calls(house)) == 30

        await eventually(all_there)

    async def test_of_many_changes_is_written_together(self, visitor: Visitor, house: Hall) -> None:
        evidence: Evidence = visitor.app.state.evidence
        entry = Call(clock.now(), "c", None, "intake", "POST", "/api/v1/x", 201, 1, 1, 1, "t")
        await asyncio.gather(*(evidence.store(entry) for _ in range(200)))
        (row,) = await house.rows("SELECT count(*) AS n, count(DISTINCT xmin::text) AS commits FROM transaction_log")
        assert row["n"] == 200
        assert row["commits"] <= 2


@pytest.fixture
async def gate(gateway_url: str) -> AsyncIterator[Gate]:
    async with gate_before(gateway_url) as gate:
        yield gate


@pytest.fixture
async def gated(gate: Gate, open_gateway: OpenGateway) -> AsyncIterator[Visitor]:
    """Lend a client of a gateway that reaches its database through the gate."""
    async with open_gateway(database_url=gate.url) as visitor:
        yield visitor


class TestDurable:
    """A change is answered when its entry cannot be lost any more."""

    async def test_is_there_when_the_gateway_is_killed_right_after_the_answer(
        self,
        gateway_url: str,
        open_backstage: tuple[Backstage, str],
        gateway_files: dict[str, str],
        house: Hall,
        tmp_path: Path,
    ) -> None:
        open_backstage[0].forget()
        with GatewayProcess(tmp_path, settings_of(gateway_url, open_backstage[1], gateway_files)) as process:
            async with httpx.AsyncClient(base_url=process.url, timeout=60) as http:
                visitor = Visitor(FastAPI(), http, SECRET)
                await visitor.token("one-stop")
                for turn in range(3):
                    answer = await visitor.post("/api/v1/dossiers")
                    if turn == 2:
                        process.kill()
                    assert answer.status_code == 201
        assert len(await calls(house)) == 3

    async def test_that_cannot_be_written_leaves_the_change_unanswered(
        self, gated: Visitor, gate: Gate, house: Hall, backstage: Backstage
    ) -> None:
        """The service has done it; the same call with its key gives the answer once the log is back."""
        await gated.token("one-stop")
        gate.shut()
        answer = await gated.post("/api/v1/dossiers", key="k")
        document = assert_problem(answer, EvidenceMissing)
        assert document["code"] == "evidence_not_stored"
        await gate.open()

        async def taken() -> bool:
            return (await gated.post("/api/v1/dossiers", key="k")).status_code == 201

        await eventually(taken, within_s=20)
        assert [heard.header("idempotency-key") for heard in backstage.heard] == ["k", "k"]
        statuses = [call["status"] for call in await calls(house) if call["service"] == "intake"]
        assert statuses == [503, 201]

    async def test_of_reading_survives_an_outage(self, gated: Visitor, gate: Gate, house: Hall) -> None:
        """Reading goes on without the log; what was read is written when it is back."""
        await gated.token("one-stop")
        gate.shut()
        answers = await asyncio.gather(*(gated.get("/api/v1/dossiers") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        await _tries_used_up(gated)
        await gate.open()

        async def all_there() -> bool:
            return len([call for call in await calls(house) if call["method"] == "GET"]) == 20

        await eventually(all_there, within_s=20)

    async def test_is_written_before_the_gateway_ends(self, open_gateway: OpenGateway, house: Hall) -> None:
        """Reading does not wait for its entry, but the gateway does before it goes."""
        async with open_gateway() as visitor:
            await visitor.token("one-stop")
            await asyncio.gather(*(visitor.get("/api/v1/dossiers") for _ in range(20)))
        assert len(await calls(house)) == 20


async def _tries_used_up(visitor: Visitor) -> None:
    """Wait until a change has been given up on: so was everything before it."""
    assert (await visitor.post("/api/v1/dossiers")).status_code == 503
