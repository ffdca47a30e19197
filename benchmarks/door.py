"""Calls through the door: a submission beside a bare endpoint, a proxied read beside a bare proxy."""

import asyncio
from collections.abc import Mapping
from statistics import median
from typing import Any

import httpx

from benchmarks import wrk
from benchmarks.figures import Figure
from benchmarks.programs import program
from benchmarks.scratch import Scratch

RUNS, SECONDS, CONNECTIONS = 3, 5, 32
PROCEDURE = "1.008926"


async def measure(scratch: Scratch) -> list[Figure]:
    """Return the figures of the door, medians of three runs."""
    stack = scratch.stack
    gateway = stack["gateway_url"]
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as client:
        authorization = await bearer(client, stack["clients"]["citizen-portal"])
        body = await dossier_body(client)
    environment = {
        "BARE_DATABASE_URL": await scratch.database("bench_bare"),
        "UPSTREAM": stack["services"]["intake"]["url"],
    }
    async with (
        program("benchmarks.bare:app", environment) as bare,
        program("benchmarks.bare_proxy:app", environment) as proxy,
    ):
        ours, ceiling, read, passed = [], [], [], []
        for _ in range(RUNS):
            load = {"authorization": authorization, "connections": CONNECTIONS, "seconds": SECONDS}
            ceiling.append(await wrk.post(f"{bare.url}/dossiers", body, **load))
            ours.append(await wrk.post(f"{gateway}/api/v1/dossiers", body, **load))
            path = f"/procedures/{PROCEDURE}"
            passed.append(await wrk.get(f"{proxy.url}{path}", **load))
            read.append(await wrk.get(f"{gateway}/api/v1{path}", **load))
            await _settled(stack)
    refused = sum(load.refused for load in (*ours, *read))
    return [
        Figure(
            "submission through the gateway",
            _per_second(ours),
            "calls/s",
            _per_second(ceiling),
            "bare FastAPI + 1 insert",
            0.4,
        ),
        Figure("… p50 at 32 connections", median(load.p50_ms for load in ours), "ms"),
        Figure("… p99 at 32 connections", median(load.p99_ms for load in ours), "ms"),
        Figure(
            "read through the gateway", _per_second(read), "calls/s", _per_second(passed), "bare aiohttp proxy", 0.4
        ),
        Figure("… refused or failed", refused, "calls", at_least=0, smaller_is_better=True),
    ]


def _per_second(loads: list[wrk.Load]) -> float:
    return median(load.per_second for load in loads)


async def bearer(client: httpx.AsyncClient, credentials: Mapping[str, Any]) -> str:
    """Return an Authorization header's value for a demo client."""
    login = (credentials["client_id"], credentials["client_secret"])
    answer = await client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=login)
    answer.raise_for_status()
    return f"Bearer {answer.json()['access_token']}"


async def dossier_body(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return a submission of a procedure with one step and no fee."""
    procedure = (await client.get(f"/api/v1/procedures/{PROCEDURE}")).raise_for_status().json()
    return {
        "procedure_code": PROCEDURE,
        "agency_code": procedure["agencies"][0],
        "channel": "direct",
        "applicant": {
            "kind": "citizen",
            "name": "Nguyễn Thị An",
            "id_kind": "cccd",
            "id_number": "056190001234",
            "phone": "0905123456",
        },
        "summary": "Hồ sơ đo tốc độ",
        "documents": [
            {"component_code": component["code"], "name": component["name"][:100], "paper": True}
            for component in procedure["components"]
            if component["required"]
        ],
        "return_method": "counter",
    }


async def _settled(stack: Mapping[str, Any]) -> None:
    """Wait until what the load caused has been handled, so that it does not disturb the next figure."""
    async with httpx.AsyncClient(base_url=stack["gateway_url"], timeout=30) as client:
        authorization = await bearer(client, stack["clients"]["ops"])
        while True:
            overview = (await client.get("/api/v1/ops/overview", headers={"Authorization": authorization})).json()
            if not overview["portal"]["open"] and not any(one["outbox_rows"] for one in overview["services"].values()):
                return
            await asyncio.sleep(0.5)
