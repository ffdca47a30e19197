"""Conformance both ways: what is right passes, and every thing that is wrong is found."""

import asyncio
import base64
import json
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from typer.testing import CliRunner

from deploy.integrators.conformance.command import SCRIPT, app
from deploy.integrators.conformance.webhooks import STALE, sign
from shared import clock
from tests.integrators.conftest import PYTHON, run
from tests.support.serving import serving

pytestmark = pytest.mark.timeout(300)
SECRET = "whsec_" + base64.b64encode(b"a secret of the receiver, 32 byte").decode()


class Receiver:
    """A partner's receiver; each virtue can be left out."""

    def __init__(self, *lacking: str) -> None:
        self.lacking = lacking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await Response(status_code=204 if self._takes(request, await request.body()) else 401)(scope, receive, send)

    def _takes(self, request: Request, body: bytes) -> bool:
        headers = request.headers
        given = headers.get("webhook-signature", "").split()
        at = int(headers["webhook-timestamp"])
        if "age" not in self.lacking and abs(clock.now().timestamp() - at) > STALE.total_seconds() / 2:
            return False
        if "signature" in self.lacking:
            return True
        moment = clock.now().fromtimestamp(at, tz=clock.VN)
        right = sign(SECRET, headers["webhook-id"], moment, body)
        return right == given[0] if "several" in self.lacking and given else right in given


async def findings_of(command: list[str], tmp_path: Path) -> dict[str, str]:
    """Return the outcome of each check of a command."""
    report = tmp_path / "report.json"
    await asyncio.to_thread(lambda: CliRunner().invoke(app, [*command, "--report", str(report)]))
    return {one["name"]: one["outcome"] for one in json.loads(report.read_text())}


class TestWebhook:
    @pytest.mark.parametrize(
        ("lacking", "found"),
        [
            ((), set()),
            (("age",), {"stale"}),
            (("several",), {"rotation", "versions"}),
            (("signature",), {"tampered", "other_secret", "other_id", "unsigned"}),
        ],
        ids=["a good receiver", "no look at the age", "first signature only", "no look at the signature"],
    )
    async def test_finds_what_a_receiver_lacks(self, tmp_path: Path, lacking: tuple[str, ...], found: set[str]) -> None:
        async with serving(Receiver(*lacking)) as url:
            outcomes = await findings_of(["webhook", url, "--secret", SECRET], tmp_path)
        assert {name for name, outcome in outcomes.items() if outcome == "failed"} == found

    def test_says_when_the_secret_is_none(self) -> None:
        told = CliRunner().invoke(app, ["webhook", "http://127.0.0.1:1", "--secret", "whsec_?"])
        assert told.exit_code == 2
        assert "secret" in told.output


CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/citizens/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "example": "7", "schema": {"type": "string"}}
            ],
            "get": {
                "operationId": "citizen",
                "responses": {
                    "200": {
                        "description": "x",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Citizen"}}},
                    }
                },
            },
        },
        "/notes": {
            "post": {
                "operationId": "note",
                "x-safe-to-repeat": True,
                "requestBody": {"content": {"application/json": {"example": {"text": "x"}}}},
                "responses": {"201": {"description": "x"}},
            }
        },
    },
    "components": {
        "schemas": {"Citizen": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}}
    },
}


class Office:
    """A partner's service; one thing may be wrong with it."""

    def __init__(self, wrong: str = "") -> None:
        self.wrong = wrong
        self.notes: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope, receive))(scope, receive, send)

    def _answer(self, request: Request) -> ASGIApp:
        if request.url.path == "/notes" and request.method == "POST":
            key = request.headers["idempotency-key"] + (str(len(self.notes)) if self.wrong == "repeats" else "")
            return JSONResponse({"number": self.notes.setdefault(key, len(self.notes))}, 201)
        if request.url.path != "/citizens/7":
            return Response(status_code=200 if self.wrong == "no 404" else 404)
        return self._citizen(request)

    def _citizen(self, request: Request) -> Response:
        if self.wrong == "status" or (self.wrong == "chokes on traces" and "traceparent" in request.headers):
            return Response(status_code=418)
        if self.wrong == "type":
            return Response("<x/>", media_type="text/xml")
        if request.headers.get("if-none-match") == '"1"' and self.wrong != "no 304":
            return Response(status_code=304)
        body = {} if self.wrong == "content" else {"id": "7"}
        return JSONResponse(body, headers={} if self.wrong == "no tag" else {"etag": '"1"'})


@pytest.fixture
def contract_file(tmp_path: Path) -> Path:
    file = tmp_path / "contract.json"
    file.write_text(json.dumps(CONTRACT))
    return file


class TestService:
    @pytest.mark.parametrize(
        ("wrong", "found"),
        [
            ("", {}),
            ("status", {"citizen": "failed", "citizen.polling": "advised"}),
            ("type", {"citizen": "failed", "citizen.polling": "advised"}),
            ("content", {"citizen": "failed"}),
            ("no tag", {"citizen.polling": "advised"}),
            ("no 304", {"citizen.polling": "failed"}),
            ("no 404", {"unknown_address": "failed"}),
            ("chokes on traces", {"citizen.trace": "failed"}),
            ("repeats", {"note.repeat": "failed"}),
        ],
        ids=lambda value: value or "nothing wrong" if isinstance(value, str) else "",
    )
    async def test_finds_what_is_wrong(
        self, tmp_path: Path, contract_file: Path, wrong: str, found: dict[str, str]
    ) -> None:
        async with serving(Office(wrong)) as url:
            outcomes = await findings_of(["service", url, str(contract_file)], tmp_path)
        paces = {name for name in outcomes if name.endswith(".pace")}
        assert {n: o for n, o in outcomes.items() if o != "passed" and n not in paces} == found

    async def test_that_is_away_fails(self, tmp_path: Path, contract_file: Path) -> None:
        outcomes = await findings_of(["service", "http://127.0.0.1:1", str(contract_file)], tmp_path)
        assert outcomes["citizen"] == "failed"


class Meddler:
    """Stands before a door and breaks one promise."""

    def __init__(self, door: str, promise: str) -> None:
        self.door, self.promise = door, promise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
        body = await request.body()
        if self.promise == "keys" and request.url.path == "/api/v1/dossiers" and request.method == "POST":
            headers["idempotency-key"] = f"{headers.get('idempotency-key', '')}{hash(body) % 1000}"
        if self.promise == "trace":
            headers.pop("traceparent", None)
        if self.promise == "contract":
            headers.pop("if-none-match", None)
        async with httpx.AsyncClient(base_url=self.door, timeout=60) as http:
            found = await http.request(
                request.method, request.url.path, params=request.query_params, headers=headers, content=body
            )
        kept = {
            n: v for n, v in found.headers.items() if n not in {"content-length", "content-encoding", "date", "server"}
        }
        if self.promise == "token" and request.url.path == "/oauth/token":
            kept.pop("cache-control", None)
        await Response(found.content, found.status_code, headers=kept)(scope, receive, send)


class TestDoor:
    def test_keeps_every_promise(self, partner: dict[str, str]) -> None:
        told = run([PYTHON, "-m", "deploy.cli", "conformance", "door"], partner)
        assert ", 0 failed" in told
        assert told.count("skipped") <= 1

    @pytest.mark.parametrize("promise", ["token", "contract", "keys", "trace"])
    async def test_that_breaks_a_promise_is_found(self, partner: dict[str, str], promise: str, tmp_path: Path) -> None:
        async with serving(Meddler(partner["GATEWAY"], promise)) as url:
            report = tmp_path / "report.json"
            command = [PYTHON, str(SCRIPT), "--url", url, "--client-id", partner["CLIENT_ID"], "--json", str(report)]
            environment = {**partner, "MOTCUA_CLIENT_SECRET": partner["CLIENT_SECRET"]}
            await asyncio.to_thread(lambda: run([*command, "--only", promise], environment, code=1))
        outcomes = {one["name"]: one["outcome"] for one in json.loads(report.read_text())}
        assert outcomes[promise] == "failed"

    def test_gives_the_script_and_the_events(self, partner: dict[str, str]) -> None:
        script = httpx.get(f"{partner['GATEWAY']}/api/v1/conformance.py", timeout=30)
        assert script.content == SCRIPT.read_bytes()
        events = httpx.get(f"{partner['GATEWAY']}/api/v1/asyncapi.json", timeout=30)
        assert events.json()["asyncapi"] == "3.0.0"
        again = httpx.get(events.url, headers={"If-None-Match": events.headers["etag"]}, timeout=30)
        assert again.status_code == 304
