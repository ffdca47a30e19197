"""oauth4webapi (npm, 3.8.8) finds our metadata, gets tokens in every way we offer, checks them and calls with them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shared.tokens import AUDIENCE
from tests.gateway.conftest import OpenGateway
from tests.gateway.registrar import Registrar
from tests.gateway.visitor import Visitor
from tests.support.npm import installed
from tests.support.served import free_port

RUN_S = 60


@pytest.fixture(scope="module")
async def scripts() -> Path:
    """Return a folder with the scripts and the packages they import."""
    return await asyncio.to_thread(installed, Path(__file__).parent / "npm")


@pytest.fixture
async def issuing(open_gateway: OpenGateway, tmp_path: Path) -> AsyncIterator[Visitor]:
    """Lend a gateway that is its own issuer at its own address."""
    port = free_port(tmp_path)
    async with open_gateway(port=port, issuer=f"http://127.0.0.1:{port}") as visitor:
        yield visitor


async def run(scripts: Path, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let the client do things one after the other."""
    process = await asyncio.create_subprocess_exec(
        "node", "client.mjs", cwd=scripts, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    lines = "\n".join(json.dumps(one) for one in asked).encode()
    out, _ = await asyncio.wait_for(process.communicate(lines), RUN_S)
    return [json.loads(line) for line in out.splitlines()]


def asking(issuing: Visitor, client_id: str, method: str, **more: Any) -> dict[str, Any]:
    issuer = str(issuing.http.base_url).rstrip("/")
    call = f"{issuer}/api/v1/dossiers"
    return {"issuer": issuer, "call": call, "audience": AUDIENCE, "client_id": client_id, "method": method, **more}


async def test_gets_and_uses_tokens_in_every_way(issuing: Visitor, scripts: Path) -> None:
    registrar = Registrar(issuing)
    client_id = (await registrar.client(scopes=["dossiers:read", "sync:read"]))["client_id"]
    secret = await registrar.secret(client_id)
    keys = [ECKey.generate_key("P-256"), RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519")]
    for key in keys:
        jwk = key.as_dict(private=False)
        assert (await registrar.post(f"/{client_id}/keys", json={"jwk": jwk})).status_code == 201
    asked = [asking(issuing, client_id, f"client_secret_{way}", secret=secret) for way in ("basic", "post")]
    asked += [asking(issuing, client_id, "private_key_jwt", jwk=key.as_dict(private=True)) for key in keys]
    for found in await run(scripts, [*asked, asked[0] | {"scope": "sync:read"}]):
        assert found.get("status") == 200, found
        assert found["claims"]["client_id"] == client_id
        assert found["claims"]["agency"] == "H32"
        assert found["servers"] == [asked[0]["issuer"]]
        scope = found["token"]["scope"]
        assert scope in {"dossiers:read sync:read", "sync:read"}


async def test_understands_why_it_gets_none(issuing: Visitor, scripts: Path) -> None:
    registrar = Registrar(issuing)
    client_id = (await registrar.client())["client_id"]
    secret, key = await registrar.secret(client_id), ECKey.generate_key("P-256")
    await registrar.post(f"/{client_id}/keys", json={"jwk": key.as_dict(private=False)})
    signed = asking(issuing, client_id, "private_key_jwt", jwk=key.as_dict(private=True), assertion={"jti": "once"})
    found = await run(
        scripts,
        [
            asking(issuing, client_id, "client_secret_post", secret=secret, scope="ops:act"),
            asking(issuing, client_id, "client_secret_basic", secret="wrong"),
            signed,
            signed,
        ],
    )
    assert found[0]["error"] == "invalid_scope"
    assert found[1]["challenge"] == "basic"
    assert found[2]["status"] == 200
    assert (found[3]["status"], found[3]["challenge"]) == (401, "basic")
