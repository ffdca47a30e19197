"""Assembles the mocked bank: its API for the province, its control room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated

import httpx
import orjson
from fastapi import APIRouter, FastAPI, Header, HTTPException, Query, Request, Response

from deploy.bank import statements, transfers
from deploy.bank.settings import BankSettings
from deploy.bank.statements import Format
from deploy.bank.transfers import SIGNATURE, TransferOrder
from deploy.mocks import control
from deploy.mocks.control import befallen, house_of, opened
from deploy.mocks.memory import Memory
from deploy.mocks.postman import Letter, Postman
from shared import clock
from shared.clock import VN

PUSH_PATH = "/api/v1/payments/callbacks/vietqr"
router = APIRouter(tags=["bank"])


def create_app(settings: BankSettings | None = None) -> FastAPI:
    """Return the mock; nothing is opened before its lifespan begins."""
    known = settings or BankSettings()  # type: ignore[call-arg]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = known
        memory = Memory(known.bank_folder, transfers.SCHEMA)

        def postman(client: httpx.AsyncClient) -> Postman:
            async def send(letter: Letter) -> httpx.Response:
                headers = {"Content-Type": "application/json", SIGNATURE: letter.signature}
                return await client.post(PUSH_PATH, content=letter.body.encode(), headers=headers)

            return Postman(memory, send, _takes)

        async with opened(app, memory, postman, known.gateway_url):
            yield

    app = FastAPI(title="Ngân hàng (mô phỏng)", version="1", lifespan=lifespan)
    for one in (router, control.router):
        app.include_router(one)
    return app


def _takes(answer: httpx.Response) -> bool:
    try:
        return answer.json().get("code") == "00"
    except ValueError:
        return False


@router.post("/inquiry")
async def inquire(request: Request, signature: Annotated[str, Header(alias=SIGNATURE)] = "") -> Response:
    """Return the credits of an account whose words hold a text; both sides sign."""
    settings: BankSettings = request.app.state.settings
    body, secret = await request.body(), settings.bank_secret.get_secret_value()
    if transfers.sign(body, secret) != signature:
        raise HTTPException(401)
    asked = orjson.loads(body)
    if asked.get("client") != settings.bank_client:
        raise HTTPException(401)

    async def work() -> Response:
        with house_of(request).memory.transaction() as db:
            found = transfers.credits_with(db, asked["account_number"], asked["content"])
        answer = orjson.dumps({"transactions": found})
        return Response(answer, media_type="application/json", headers={SIGNATURE: transfers.sign(answer, secret)})

    return await befallen(request, asked["content"], work)


@router.get("/statement")
async def statement(
    request: Request,
    kind: Annotated[Format, Query(alias="format")] = "csv",
    day: Annotated[date | None, Query(alias="date")] = None,
    account_number: str | None = None,
) -> Response:
    """Return a day's statement (today's without one) as a person downloads it."""
    day = day or clock.now().astimezone(VN).date()
    with house_of(request).memory.transaction() as db:
        found = transfers.credits_of_day(db, account_number, day)
    return Response(statements.write(found, kind, day), media_type=statements.MEDIA[kind])


@router.post("/_control/transfers")
async def transfer(request: Request, order: TransferOrder) -> dict[str, object]:
    """Let a payer transfer, and the bank tell of it as ordered."""
    return await transfers.transfer(house_of(request), request.app.state.settings, order)
