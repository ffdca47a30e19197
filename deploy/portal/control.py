"""The control room: the fault menu, questions about what was told, submissions and payments. No part of any wire."""

import sqlite3
from collections.abc import AsyncIterator
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from deploy.portal import asked
from deploy.portal.exchange import json_response
from deploy.portal.faults import FaultSpec
from deploy.portal.ledger import forget_everything
from deploy.portal.losing import Loss, lose
from deploy.portal.parts import portal_of
from deploy.portal.payment.asking import pay_debt
from deploy.portal.payment.paying import PayOrder, pay
from deploy.portal.payment.records import find_payment, payment_shown, payments_shown
from deploy.portal.submission import Submission, find_file, submissions, submit

PAGE_OF_STATUSES = 2_000

router = APIRouter(prefix="/_control", tags=["control room"])
files = APIRouter(tags=["portal"])

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=10_000)]


@router.post("/faults", status_code=201)
async def order_fault(request: Request, spec: FaultSpec) -> Response:
    """Let a fault happen from now on."""
    return json_response((await portal_of(request).menu.order(spec)).shown(), 201)


@router.get("/faults")
async def list_faults(request: Request) -> Response:
    """Return every fault that stands and how often it fired."""
    return json_response({"faults": [fault.shown() for fault in portal_of(request).menu.standing()]})


@router.delete("/faults")
async def end_faults(request: Request) -> Response:
    """End every fault."""
    return json_response({"ended": await portal_of(request).menu.cancel(None)})


@router.delete("/faults/{fault_id}")
async def end_fault(request: Request, fault_id: int) -> Response:
    """End one fault."""
    ended = await portal_of(request).menu.cancel(fault_id)
    return json_response({"ended": ended}, 200 if ended else 404)


@router.get("/received")
async def list_received(request: Request, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 1000) -> Response:
    """Return every call and row in the order in which it came."""
    return json_response(await portal_of(request).ledger.ask(lambda db: asked.received(db, after, limit)))


@router.get("/dossiers")
async def list_dossiers(request: Request, after: str = "", limit: Limit = 1000) -> Response:
    """Return dossiers by code with their current status."""
    return json_response(await portal_of(request).ledger.ask(lambda db: asked.dossiers(db, after, limit)))


@router.get("/dossiers/{code}")
async def get_dossier(request: Request, code: str) -> Response:
    """Return everything that was told of one dossier."""
    return json_response(_found(await portal_of(request).ledger.ask(lambda db: asked.dossier(db, code))))


@router.get("/statuses")
async def stream_statuses(request: Request) -> StreamingResponse:
    """Return {code: [statuses in order]} of every dossier, as one JSON object that is streamed."""
    return StreamingResponse(_statuses(request), media_type="application/json")


async def _statuses(request: Request) -> AsyncIterator[bytes]:
    ledger, after, opened = portal_of(request).ledger, "", b"{"
    while True:

        def read(db: sqlite3.Connection, start: str = after) -> tuple[dict[str, list[str]], str | None]:
            return asked.statuses(db, start, PAGE_OF_STATUSES)

        found, last = await ledger.ask(read)
        if last is None:
            break
        after = last
        if found:
            yield opened + orjson.dumps(found)[1:-1]
            opened = b","
    yield b"}" if opened == b"," else b"{}"


@router.get("/summary")
async def get_summary(request: Request) -> Response:
    """Return the figures of everything that was told."""
    return json_response(await portal_of(request).ledger.ask(asked.summary))


@router.post("/reset")
async def reset(request: Request) -> Response:
    """Forget everything, faults and sessions too."""
    portal = portal_of(request)
    await portal.menu.cancel(None)
    await portal.postman.stop()
    await portal.ledger.run(forget_everything)
    return json_response({"reset": True})


@router.post("/lose")
async def lose_dossiers(request: Request, loss: Loss) -> Response:
    """Lose dossiers, or all that came after their first statuses, as if restored from an older backup."""
    return json_response({"lost": await portal_of(request).ledger.run(lambda db: lose(db, loss))})


@router.post("/submit")
async def submit_dossier(request: Request, submission: Submission) -> Response:
    """Let a citizen submit a dossier on the portal; the answer is the gateway's."""
    return json_response(await submit(portal_of(request), submission, lambda digest: _file_url(request, digest)))


@router.get("/submissions")
async def list_submissions(request: Request, limit: Limit = 1000) -> Response:
    """Return the submissions with the gateway's answers, newest first."""
    rows = await portal_of(request).ledger.ask(lambda db: submissions(db, limit))
    return json_response({"submissions": rows})


@router.get("/payments")
async def list_payments(request: Request, dossier: str | None = None, limit: Limit = 1000) -> Response:
    """Return the payments that were opened, newest first."""
    rows = await portal_of(request).ledger.ask(lambda db: payments_shown(db, dossier, limit))
    return json_response({"payments": rows})


@router.get("/payments/{reference}")
async def get_payment(request: Request, reference: str) -> Response:
    """Return one payment with its transactions, callbacks and the province's replies."""

    def read(db: sqlite3.Connection) -> dict[str, object] | None:
        payment = find_payment(db, reference)
        return payment_shown(db, payment) if payment else None

    return json_response(_found(await portal_of(request).ledger.ask(read)))


@router.post("/payments/{reference}/pay")
async def pay_payment(request: Request, reference: str, order: PayOrder | None = None) -> Response:
    """Let a payer pay, and the platform tell of it as ordered."""
    return json_response(_found(await pay(portal_of(request), reference, order or PayOrder())))


@router.post("/dossiers/{code}/pay")
async def pay_dossier(request: Request, code: str, order: PayOrder | None = None) -> Response:
    """Let a payer pay on the portal what the province says that a dossier has to pay."""
    return json_response(await pay_debt(portal_of(request), code, order or PayOrder()))


@router.put("/procedures/{code}")
async def change_procedure(request: Request, code: str) -> Response:
    """Change what the catalogue says of a procedure: the words given replace its own; without any it is gone."""
    catalogue, words = portal_of(request).catalogue, orjson.loads(await request.body() or b"null")
    before = catalogue.procedure(code)
    catalogue.change(code, {**(before[0] if before else {}), **words, "MATTHC": code} if words else None)
    return json_response({"procedures": len(catalogue.procedures)})


@files.get("/files/{digest}", name="handed_in")
async def handed_in(request: Request, digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """Return a file that a citizen handed in, by its SHA-256."""
    _, content = _found(await portal_of(request).ledger.ask(lambda db: find_file(db, digest)))
    return Response(content, media_type="application/octet-stream")


def _file_url(request: Request, digest: str) -> str:
    base = portal_of(request).settings.portal_public_url.rstrip("/")
    path = str(request.url_for("handed_in", digest=digest))
    return base + urlsplit(path).path if base else path


def _found(thing: T | None) -> T:
    if thing is None:
        raise HTTPException(404)
    return thing
