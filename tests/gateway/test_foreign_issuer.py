"""An OpenID issuer instead of ours (npm oauth2-mock-server 9.3.0, a process): its tokens pass gateway and service."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from gateway.errors import ClientInactive, QuotaSpent, TokensElsewhere
from services.workflow.app import create_app as create_workflow
from services.workflow.settings import WorkflowSettings
from shared import migrations
from shared.errors import Forbidden, Unauthenticated
from tests.gateway.conftest import NO_BROKER, settings_of
from tests.gateway.hall import Hall
from tests.support.assertions import assert_problem
from tests.support.npm import installed
from tests.support.servers import Databases
from tests.support.serving import serving

PUBLIC_URL = "https://motcua.example"
AUDIENCE = "https://lgsp.example/api"
MAPPED = {
    "audience": AUDIENCE,
    "client_claim": "azp",
    "scope_claim": "realm_access.roles",
    "agency_claim": "https://lgsp.example/agency",
}
CALL = "/api/v1/officials"


class ForeignIssuer:
    """Gives tokens with any claims."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    async def token(self, client_id: str = "one-stop", *, scopes: str = "tasks:read", **claims: Any) -> str:
        """Return a token as Keycloak would make it."""
        usual = {"aud": AUDIENCE, "sub": "service-account-7", "azp": client_id}
        usual |= {"realm_access": {"roles": scopes.split()}, MAPPED["agency_claim"]: "H32"}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(usual | claims).encode() + b"\n")
        await self._process.stdout.readline()
        async with httpx.AsyncClient() as http:
            data = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
            return (await http.post(f"{self.url}/token", data=data)).json()["access_token"]


@pytest.fixture(scope="module")
async def foreign() -> AsyncIterator[ForeignIssuer]:
    scripts = await asyncio.to_thread(installed, Path(__file__).parent / "npm")
    process = await asyncio.create_subprocess_exec(
        "node", "issuer.mjs", cwd=scripts, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    url = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    yield ForeignIssuer(process, url)
    process.kill()
    await process.wait()


@pytest.fixture(scope="module")
async def door(
    foreign: ForeignIssuer, databases: Databases, open_house: Hall, gateway_files: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client at a gateway before a real service, both of which know the foreign issuer alone."""
    workflow_url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.workflow", workflow_url)
    trusted = {"issuer": foreign.url, "jwks_url": f"{foreign.url}/jwks", **MAPPED}
    workflow = create_workflow(
        WorkflowSettings.model_validate({"database_url": workflow_url, "amqp_url": NO_BROKER, **trusted})
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(workflow.router.lifespan_context(workflow))
        behind = await stack.enter_async_context(serving(workflow))
        settings = {"workflow_url": behind, "issuer_is_external": True, "public_url": PUBLIC_URL}
        app = create_app(
            settings_of(open_house.database.dsn, behind, gateway_files, **trusted, **settings, upstream_timeout_s=10)
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        url = await stack.enter_async_context(serving(app))
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
    await databases.drop_database(workflow_url.rpartition("/")[2])
    await open_house.clear()


async def call(door: httpx.AsyncClient, token: str, path: str = CALL) -> httpx.Response:
    return await door.get(path, headers={"Authorization": f"Bearer {token}"})


class TestToken:
    async def test_passes_gateway_and_service(self, door: httpx.AsyncClient, foreign: ForeignIssuer) -> None:
        answer = await call(door, await foreign.token())
        assert answer.status_code == 200, answer.text

    async def test_is_checked_for_its_scopes_by_the_service(
        self, door: httpx.AsyncClient, foreign: ForeignIssuer
    ) -> None:
        assert_problem(await call(door, await foreign.token(scopes="other")), Forbidden)

    @pytest.mark.parametrize(
        "claims", [{"aud": "https://elsewhere.example"}, {"iss": "https://x.example"}, {"azp": ""}]
    )
    async def test_with_wrong_claims_opens_nothing(
        self, door: httpx.AsyncClient, foreign: ForeignIssuer, claims: dict[str, Any]
    ) -> None:
        assert_problem(await call(door, await foreign.token(**claims)), Unauthenticated)

    async def test_of_a_client_that_is_not_registered_opens_nothing(
        self, door: httpx.AsyncClient, foreign: ForeignIssuer
    ) -> None:
        for client_id in ("stranger", "gone"):
            assert_problem(await call(door, await foreign.token(client_id)), ClientInactive)

    async def test_without_an_agency_gets_the_registered_one_at_the_door(
        self, door: httpx.AsyncClient, foreign: ForeignIssuer
    ) -> None:
        token = await foreign.token("registrar", scopes="clients:read", **{MAPPED["agency_claim"]: None})
        found = (await call(door, token, "/api/v1/clients")).json()
        assert {one["agency"][:3] for one in found["items"]} == {"H32"}

    async def test_is_held_to_the_registered_quota(
        self, door: httpx.AsyncClient, foreign: ForeignIssuer, house: Hall
    ) -> None:
        quota = "UPDATE client SET calls_per_minute = :most, version = version + 1 WHERE client_id = 'statistics'"
        await house.rows(f"{quota} RETURNING pg_notify('client_changed', '')", most=1)
        try:
            token = await foreign.token("statistics")
            for _ in range(100):
                answer = await call(door, token)
                if answer.status_code == 429:
                    break
            assert_problem(answer, QuotaSpent)
        finally:
            await house.rows(quota, most=None)


class TestOurOwn:
    async def test_endpoint_says_where_tokens_come_from(self, door: httpx.AsyncClient, foreign: ForeignIssuer) -> None:
        answer = await door.post("/oauth/token", data={"grant_type": "client_credentials"})
        problem = assert_problem(answer, TokensElsewhere)
        assert (problem["issuer"], problem["error"]) == (foreign.url, "invalid_request")

    async def test_metadata_point_there(self, door: httpx.AsyncClient, foreign: ForeignIssuer) -> None:
        found = (await door.get("/.well-known/oauth-authorization-server")).json()
        assert (found["issuer"], found["jwks_uri"]) == (foreign.url, f"{foreign.url}/jwks")
        assert "token_endpoint" not in found
        resource = (await door.get("/.well-known/oauth-protected-resource")).json()
        assert resource["authorization_servers"] == [foreign.url]
        assert resource["resource"] == PUBLIC_URL
        answer = await door.get("/.well-known/jwks.json")
        assert (answer.status_code, answer.headers["location"]) == (307, f"{foreign.url}/jwks")
