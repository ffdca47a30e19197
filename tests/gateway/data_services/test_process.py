"""The gateway as a process: flat memory however much flows through, and a kill -9 in the middle of a re-run."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.db import Database
from shared.ids import new_id
from tests.gateway.conftest import SECRET
from tests.gateway.data_services.desk import ADMIN, CODE, ENTRY
from tests.gateway.data_services.ministry import Call, Ministry, contract
from tests.gateway.data_services.served import open_to_all
from tests.gateway.hall import Hall
from tests.gateway.process import GatewayProcess
from tests.support.assertions import eventually
from tests.support.servers import Databases
from tests.support.serving import serving

AT = "/api/v1/data-services"
MIB = 1024 * 1024
STREAMED_MIB = 200
GROWTH_MAX = 30 * MIB


class Client:
    """Calls a gateway that may be away for a moment."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def send(self, method: str, path: str, *, who: str, key: str = "", **more: Any) -> httpx.Response:
        """Make a call."""
        asked = {"grant_type": "client_credentials", "client_id": who, "client_secret": SECRET}
        token = (await self.http.post("/oauth/token", data=asked)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(new_id())}
        return await self.http.request(method, path, headers=headers, **more)

    async def offer(self, url: str, **policy: Any) -> None:
        """Register the service, and wait until it can be called."""
        assert (await self.send("PUT", f"{AT}/{CODE}", who=ADMIN, json=ENTRY)).status_code == 201
        entry = {"stage": "active", "base_url": url, "contract": contract("GET /big", "POST /things!", "GET /things")}
        answer = await self.send("PUT", f"{AT}/{CODE}/-/versions/v1", who=ADMIN, json={**entry, "policy": policy})
        assert answer.status_code == 201, answer.text

        async def there() -> bool:
            return (await self.send("GET", f"{AT}/{CODE}/things", who="one-stop")).status_code == 200

        await eventually(there)


@pytest.fixture
async def ministry() -> AsyncIterator[tuple[Ministry, str]]:
    ministry = Ministry()
    async with serving(ministry) as url:
        yield ministry, url


@pytest.fixture
async def process(
    databases: Databases, gateway_template: str, gateway_files: dict[str, str], tmp_path: Path
) -> AsyncIterator[tuple[GatewayProcess, Client, Hall]]:
    url = await databases.create_database(template=gateway_template)
    database = Database(url, service="gateway")
    with open_to_all(tmp_path, url, gateway_files) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=120) as http:
            yield gateway, Client(http), Hall(database)
    await database.close()
    await databases.drop_database(url.rpartition("/")[2])


async def mebibytes(count: int) -> AsyncIterator[bytes]:
    """Yield so many."""
    for _ in range(count * 16):
        yield b"x" * 65_536


async def swallow_or_pour(scope: Scope, receive: Receive, send: Send) -> None:
    """Take any body and count it; pour out 200 MiB when asked to."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    big = scope["path"] == "/big"
    answer = StreamingResponse(mebibytes(STREAMED_MIB)) if big else Response(str(size))
    await answer(scope, receive, send)


class TestMemory:
    async def test_stays_flat_while_200_mib_flow_each_way(
        self, process: tuple[GatewayProcess, Client, Hall], ministry: tuple[Ministry, str]
    ) -> None:
        gateway, client, _ = process
        ministry[0].asgi = swallow_or_pour
        big = 4096 * MIB
        await client.offer(
            ministry[1], limits={"request_bytes_max": big, "response_bytes_max": big}, total_timeout_s=300
        )
        before = gateway.memory_bytes("VmHWM")
        up = await client.send("POST", f"{AT}/{CODE}/things", who="one-stop", content=mebibytes(STREAMED_MIB))
        assert int(up.text) == STREAMED_MIB * MIB
        down = await self._poured(client)
        assert down == STREAMED_MIB * MIB
        assert gateway.memory_bytes("VmHWM") - before < GROWTH_MAX

    async def _poured(self, client: Client) -> int:
        asked = {"grant_type": "client_credentials", "client_id": "one-stop", "client_secret": SECRET}
        token = (await client.http.post("/oauth/token", data=asked)).json()["access_token"]
        size = 0
        async with client.http.stream(
            "GET", f"{AT}/{CODE}/big", headers={"Authorization": f"Bearer {token}"}
        ) as answer:
            async for chunk in answer.aiter_raw():
                size += len(chunk)
        return size


class TestKill:
    async def test_in_the_middle_of_a_rerun_repeats_at_most_one_call_and_no_effect(
        self, process: tuple[GatewayProcess, Client, Hall], ministry: tuple[Ministry, str]
    ) -> None:
        gateway, client, hall = process
        there, url = ministry
        await client.offer(url, retries={"attempts_max": 1}, breaker={"calls_min": 1000})
        keys = [f"k{number}" for number in range(6)]
        await self._fail(client, there, hall, keys)
        reached = asyncio.Event()

        async def hang_at_the_third(call: Call) -> Response:
            """Carry the third change out, and never say so."""
            key = call.one("idempotency-key") or ""
            if len(there.deliveries) == 3 and not reached.is_set():
                there.effects[key], there.bodies[key] = 1, call.body
                reached.set()
                await asyncio.Event().wait()
            return Response(status_code=201)

        there.answer = hang_at_the_third
        order = {"service": CODE, "reason": "Bộ đã sửa xong", "calls_per_second": 20}
        answer = await client.send("POST", f"{AT}/reruns", who=ADMIN, json=order)
        assert answer.status_code == 201, answer.text
        await asyncio.wait_for(reached.wait(), 30)
        gateway.kill()
        gateway.start()
        await eventually(lambda: self._done(hall))
        assert there.effects == dict.fromkeys(keys, 1)
        assert sorted(there.deliveries.values()) == [1, 1, 1, 1, 1, 2]
        outcomes = await hall.rows("SELECT outcome FROM data_service_rerun_call")
        assert [row["outcome"] for row in outcomes] == ["succeeded"] * 6

    async def _fail(self, client: Client, there: Ministry, hall: Hall, keys: list[str]) -> None:
        there.script = [Response(status_code=500) for _ in keys]
        for key in keys:
            await client.send("POST", f"{AT}/{CODE}/things", who="one-stop", key=key, json={"so": key})

        async def kept() -> bool:
            return await hall.count("data_service_call") == len(keys)

        await eventually(kept)
        there.deliveries.clear()

    async def _done(self, hall: Hall) -> bool:
        return [row["stage"] for row in await hall.rows("SELECT stage FROM data_service_rerun")] == ["done"]
