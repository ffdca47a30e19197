"""The mocked offices: every service of the definitions in one process, with effects per key and a control room."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.ministries import definitions
from deploy.ministries.answers import Dice, answer, as_xml
from deploy.ministries.faults import Fault, Menu, misbehaved
from deploy.mocks.memory import Memory
from gateway.data_services.contract import Contract, Operation

TOKEN_LIFETIME_S = 600
CLIENT = "motcua-h32"
PLACEHOLDER = "http://ministries"
SCHEMA = """
CREATE TABLE IF NOT EXISTS effect (
    service TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
    deliveries INTEGER NOT NULL, correlation_id TEXT NOT NULL, PRIMARY KEY (service, key));
"""


class Office:
    """One version of one service."""

    def __init__(self, slug: str, version: Mapping[str, Any]) -> None:
        self.slug = slug
        self.contract = Contract(version["contract"])
        self.cache_control: str | None = version["contract"].get("x-cache-control")
        self.credentials: Mapping[str, Any] = version.get("credentials") or {}

    def admits(self, request: Request, secret: str) -> bool:
        """Tell whether a caller may come in."""
        if self.credentials.get("kind") == "header":
            return request.headers.get(self.credentials["name"]) == secret
        if self.credentials.get("kind") == "client_credentials":
            return request.headers.get("authorization") == f"Bearer {token_for(secret)}"
        return True

    def operation(self, operation: Operation) -> Mapping[str, Any]:
        """Return an operation as the contract writes it."""
        return self.contract.document["paths"][operation.path][operation.method.lower()]


def token_for(secret: str) -> str:
    """Return the token that the offices give to whoever knows their secret."""
    return hashlib.sha256(f"token {secret}".encode()).hexdigest()


def create_app(folder: Path, secret: str) -> Starlette:
    """Return the mock; nothing is opened before its lifespan begins."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        state = app.state
        state.memory, state.menu, state.secret, state.heard = Memory(folder, SCHEMA), Menu(), secret, {}
        state.offices = dict(_offices())
        try:
            yield
        finally:
            state.memory.close()

    return Starlette(
        routes=[
            Route("/health/live", _health),
            Route("/health/ready", _health),
            Route("/oauth/token", _token, methods=["POST"]),
            Route("/_control/faults", _faults, methods=["GET", "POST", "DELETE"]),
            Route("/_control/faults/{number:int}", _end_fault, methods=["DELETE"]),
            Route("/_control/effects", _effects),
            Route("/_control/reset", _reset, methods=["POST"]),
            Route("/{slug}/{path:path}", _call, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
        ],
        lifespan=lifespan,
    )


def _offices() -> Any:  # noqa: ANN401 - pairs
    for definition in definitions.read(values={"ministries": PLACEHOLDER, "secret": ""}):
        for version in definition.versions.values():
            slug = urlsplit(version["base_url"]).path.strip("/")
            yield slug, Office(slug, version)


async def _health(request: Request) -> Response:
    with request.app.state.memory.transaction():
        return JSONResponse({"status": "ready"})


async def _token(request: Request) -> Response:
    secret = request.app.state.secret
    form = await request.form()
    login = request.headers.get("authorization", "")
    expected = "Basic " + base64.b64encode(f"{CLIENT}:{secret}".encode()).decode()
    if login != expected or form.get("grant_type") != "client_credentials":
        return JSONResponse({"error": "invalid_client"}, 401)
    return JSONResponse({"access_token": token_for(secret), "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S})


async def _call(request: Request) -> Response:
    state = request.app.state
    office: Office | None = state.offices.get(request.path_params["slug"])
    if office is None:
        return JSONResponse({"loi": "Không có dịch vụ"}, 404)
    state.heard[office.slug] = state.heard.get(office.slug, 0) + 1
    fault = state.menu.draw(office.slug, request.method)
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.delay_s)
    elif fault is not None and fault.kind != "late_effect":
        return misbehaved(fault)
    if not office.admits(request, state.secret):
        return JSONResponse({"loi": "Chưa xác thực"}, 401)
    there = office.contract.find(f"/{request.path_params['path']}")
    operation = there.get("GET" if request.method == "HEAD" else request.method)
    if operation is None:
        return JSONResponse({"loi": "Không có thao tác"}, 404)
    response = await _answer(request, office, operation)
    if fault is not None:
        # The change was carried out, and nobody hears of it in time.
        await asyncio.sleep(fault.delay_s)
    return response


async def _answer(request: Request, office: Office, operation: Operation) -> Response:
    body = await request.body()
    try:
        sent = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return JSONResponse({"loi": "Nội dung không phải JSON"}, 400)
    key = request.headers.get("idempotency-key", "") if operation.safe_to_repeat else ""
    if operation.safe_to_repeat and not key:
        return JSONResponse({"loi": "Thiếu Idempotency-Key"}, 400)
    known = {**(sent if isinstance(sent, dict) else {}), **_in_path(operation.path, request.url.path, office.slug)}
    found = _made(office, operation, known, request.url.query)
    if key:
        return _carried_out(request, office, key, body, found)
    status, content = found
    return _cached(request, office, operation, status, content)


def _made(office: Office, operation: Operation, known: Mapping[str, Any], query: str) -> tuple[int, Any]:
    """Return status and content of an answer, true to the contract."""
    written = office.operation(operation)
    status, response = next(iter(written["responses"].items()))
    schema = next(iter(response["content"].values()))["schema"]
    # Personal numbers that come to nothing are not made up: the question's own are repeated, others drawn.
    dice = Dice(office.slug, operation.name, sorted(known.items(), key=str), query)
    content = answer(schema, known, dice)
    if isinstance(content, dict) and "danhSach" in content:
        content["tongSo"] = len(content["danhSach"])
    return int(status), content


def _in_path(template: str, path: str, slug: str) -> dict[str, str]:
    parts = path.removeprefix(f"/{slug}").split("/")
    return {
        name.strip("{}"): unquote(part) for name, part in zip(template.split("/"), parts, strict=True) if "{" in name
    }


def _carried_out(request: Request, office: Office, key: str, body: bytes, found: tuple[int, Any]) -> Response:
    """Carry a change out once per key; the same again gets the first answer, another body 409."""
    fingerprint = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).hexdigest()
    correlation = request.headers.get("x-correlation-id", "")
    with request.app.state.memory.transaction() as db:
        row = db.execute("SELECT * FROM effect WHERE service = ? AND key = ?", (office.slug, key)).fetchone()
        if row is not None and row["fingerprint"] != fingerprint:
            return JSONResponse({"loi": "Khóa đã dùng cho yêu cầu khác"}, 409)
        if row is None:
            status, content = found[0], orjson.dumps(found[1])
            values = (office.slug, key, fingerprint, status, content, 1, correlation)
            db.execute("INSERT INTO effect VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        else:
            status, content = row["status"], row["body"]
            again = "UPDATE effect SET deliveries = deliveries + 1 WHERE service = ? AND key = ?"
            db.execute(again, (office.slug, key))
    return Response(content, status, media_type="application/json")


def _cached(request: Request, office: Office, operation: Operation, status: int, content: Any) -> Response:  # noqa: ANN401
    if office.operation(operation).get("x-mock-xml"):
        body, kind = as_xml(content), "application/xml"
    else:
        body, kind = orjson.dumps(content), "application/json"
    if not office.cache_control:
        return Response(body, status, media_type=kind)
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"etag": etag, "cache-control": office.cache_control}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, status, media_type=kind, headers=headers)


# The control room.


async def _faults(request: Request) -> Response:
    menu: Menu = request.app.state.menu
    if request.method == "POST":
        return JSONResponse(menu.order(Fault.model_validate_json(await request.body())), 201)
    if request.method == "DELETE":
        return JSONResponse({"ended": menu.cancel()})
    return JSONResponse({"faults": menu.standing()})


async def _end_fault(request: Request) -> Response:
    ended = request.app.state.menu.cancel(request.path_params["number"])
    return JSONResponse({"ended": ended}, 200 if ended else 404)


async def _effects(request: Request) -> Response:
    """Return every change that was carried out, how often it was delivered, and the calls heard by service."""
    with request.app.state.memory.transaction() as db:
        rows = db.execute("SELECT service, key, deliveries, correlation_id FROM effect ORDER BY rowid").fetchall()
    return JSONResponse({"effects": [dict(row) for row in rows], "heard": request.app.state.heard})


async def _reset(request: Request) -> Response:
    request.app.state.memory.forget_everything()
    request.app.state.menu.cancel()
    request.app.state.heard.clear()
    return JSONResponse({"reset": True})
