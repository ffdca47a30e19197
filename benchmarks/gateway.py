"""A gateway of the benchmarks' own: its services and one data service are an upstream that answers at once."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

import asyncpg
import httpx

from benchmarks.programs import serving
from benchmarks.scratch import Scratch
from deploy.local import ports
from deploy.local.accounts import ensure_databases, guard_log, login_to, login_url, owner_of
from deploy.local.clients import ensure_evidence_key, ensure_signing_key
from shared import migrations

SERVICE = "BENCH"
NAME = "bench_gateway"
PASSWORD = "bench"
CLIENT, ADMIN = "poller", "admin"
CALLS_A_DAY = 1_000_000_000
"""A quota that is counted and never spent."""
KNOWN_S = 20
_OPERATION = {"responses": {"200": {"description": "ok"}}}


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where it is, its process, a token of a client with rights and quota, its database."""

    url: str
    pid: int
    authorization: str
    database_url: str

    async def records(self) -> int:
        """Return how many calls are in its log, once all that is under way is."""
        connection = await asyncpg.connect(self.database_url)
        try:
            seen = -1
            while (found := await connection.fetchval("SELECT coalesce(max(number), 0) FROM transaction_head")) != seen:
                seen = found
                await asyncio.sleep(1)
            return seen
        finally:
            await connection.close()


@asynccontextmanager
async def gateway_before(scratch: Scratch, upstream: str, folder: Path) -> AsyncIterator[Gateway]:
    """Run a gateway as it is deployed: own role, durable log, keys, quotas."""
    admin = await scratch.database(NAME)
    scratch.roles += [NAME, owner_of(NAME)]
    await ensure_databases(admin, {NAME: PASSWORD}, guarded={NAME})
    await asyncio.to_thread(migrations.upgrade, "gateway", login_to(admin, NAME), role=owner_of(NAME))
    await guard_log(admin, NAME)
    ensure_signing_key(folder / "signing.json")
    ensure_evidence_key(folder / "evidence.json")
    (folder / "clients.json").write_text(json.dumps(_clients()))
    port = ports.choose(folder / "gateway-ports.json", ["gateway"])["gateway"]
    url = f"http://127.0.0.1:{port}"
    environment = {
        "MOTCUA_DATABASE_URL": login_url(admin, NAME, PASSWORD, NAME),
        "MOTCUA_AMQP_URL": scratch.amqp_url,
        "MOTCUA_ISSUER": url,
        "MOTCUA_JWKS_URL": f"{url}/.well-known/jwks.json",
        "MOTCUA_SIGNING_KEY_FILE": str(folder / "signing.json"),
        "MOTCUA_EVIDENCE_KEY_FILE": str(folder / "evidence.json"),
        "MOTCUA_EVIDENCE_FOLDER": str(folder / "witness"),
        "MOTCUA_CLIENTS_FILE": str(folder / "clients.json"),
        "MOTCUA_PORTAL_ENABLED": "false",
        "MOTCUA_DATA_SERVICE_HOSTS": "127.0.0.1",
        "MOTCUA_DATA_SERVICE_KEYS": base64.b64encode(token_bytes(32)).decode(),
        "MOTCUA_LOG_LEVEL": "ERROR",
        **{f"MOTCUA_{name}_URL": upstream for name in ("INTAKE", "WORKFLOW", "PAYMENT", "RESULTS")},
    }
    command = ["deploy.cli", "serve", "gateway", "--port", str(port)]
    async with serving(command, environment, f"{url}/health/live", url) as running:
        authorization = await _registered(url, upstream)
        yield Gateway(url, running.pid, authorization, login_to(admin, NAME))


def _clients() -> list[dict[str, object]]:
    secret = hashlib.sha256(PASSWORD.encode()).hexdigest()
    usual = {"agency": "H32", "secret_sha256": secret}
    return [
        {
            **usual,
            "client_id": CLIENT,
            "name": "Hệ thống đo tốc độ",
            "scopes": ["dossiers:read", "dossiers:submit"],
            "calls_per_day": CALLS_A_DAY,
            "grants": [{"service": SERVICE}],
        },
        {**usual, "client_id": ADMIN, "name": "Quản trị", "scopes": ["services:read", "services:write"]},
    ]


async def _token(http: httpx.AsyncClient, client: str) -> str:
    answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(client, PASSWORD))
    return f"Bearer {answer.raise_for_status().json()['access_token']}"


async def _registered(url: str, upstream: str) -> str:
    """Register the data service, wait until it can be called; return an Authorization for its client."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        headers = {"Authorization": await _token(http, ADMIN)}
        entry = {"agency": "H32", "provider": "Đo tốc độ", "name_vi": "Đo tốc độ", "name_en": "Benchmark"}
        version = {
            "stage": "active",
            "base_url": upstream,
            "contract": {
                "openapi": "3.1.0",
                "info": {"title": "Bench", "version": "1"},
                "paths": {
                    "/fresh/{id}": {"get": _OPERATION, "post": _OPERATION},
                    "/kept/{id}": {"get": _OPERATION},
                },
            },
            "policy": {"limits": {"calls_at_once_max": 1000, "client_calls_at_once_max": 1000}},
        }
        for path, body in ((SERVICE, entry), (f"{SERVICE}/-/versions/v1", version)):
            key = {"Idempotency-Key": f"bench-{path}"}
            answer = await http.put(f"/api/v1/data-services/{path}", json=body, headers={**headers, **key})
            if answer.is_error:
                raise RuntimeError(f"{path}: {answer.text}")
        authorization = await _token(http, CLIENT)
        async with asyncio.timeout(KNOWN_S):
            while True:
                answer = await http.get(
                    f"/api/v1/data-services/{SERVICE}/fresh/1", headers={"Authorization": authorization}
                )
                if answer.is_success:
                    return authorization
                await asyncio.sleep(0.2)
