"""HTTP in: bank statements, the credits that wait for a person, and cash desks."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.payment import queries
from services.payment.models import BankLine, DeskShift
from services.payment.operations import bank, desk
from services.payment.platform.statements import Format, read_statement
from services.payment.routes.access import OFFICE, Paged, ReaderDep, WindowDep
from services.payment.schemas import Page, page
from services.payment.schemas.bank import (
    AssignRequest,
    CloseRequest,
    ImportView,
    LineView,
    ReturnRequest,
    ShiftRequest,
    ShiftView,
)
from shared.http import SessionDep, WorkDep, needs, router

statement_routes = router("bank", prefix="/bank-statements")
line_routes = router("bank", prefix="/bank-lines")
shift_routes = router("cash desks", prefix="/desk-shifts")
ROUTERS: Sequence[APIRouter] = (statement_routes, line_routes, shift_routes)

_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@statement_routes.post(
    "",
    status_code=201,
    dependencies=[needs("payments:write", OFFICE)],
    response_model=ImportView,
    openapi_extra=_FILE,
)
async def import_statement(
    request: Request,
    work: WorkDep,
    file_format: Annotated[Format, Query(alias="format")],
    account_number: Annotated[str | None, Query(pattern=r"^[0-9A-Za-z]{1,19}$")] = None,
) -> bank.Import:
    """Take the credits of a bank statement; the body is the file. The same file again changes nothing.

    CSV (UTF-8) and XLSX: a heading row with transaction_number, booked_at, amount_vnd, content and, unless the address
    names the account, account_number; Vietnamese headings as banks write them are known too. MT940 as SWIFT writes it.
    A file with a row that cannot be read is refused as a whole.
    """
    lines = read_statement(await request.body(), file_format, account_number)
    return await bank.import_statement(work, lines=lines, routing=request.app.state.gateways.routing)


@line_routes.get("", dependencies=[needs("payments:write", OFFICE)], response_model=Page[LineView])
async def list_lines(
    session: SessionDep, caller: ReaderDep, window: WindowDep, unmatched: Annotated[bool | None, Query()] = None
) -> Paged:
    """List credits; with unmatched=true those that wait for a person."""
    return page(await queries.list_lines(session, caller, window, unmatched=unmatched), window.limit)


@line_routes.get("/{line_id}", dependencies=[needs("payments:write", OFFICE)], response_model=LineView)
async def get_line(session: SessionDep, caller: ReaderDep, line_id: UUID) -> BankLine:
    """Get a credit."""
    return await queries.get_line(session, line_id, caller)


@line_routes.post("/{line_id}/assign", dependencies=[needs("payments:write", OFFICE)], response_model=LineView)
async def assign_line(work: WorkDep, line_id: UUID, body: AssignRequest) -> BankLine:
    """Let a credit pay a fee, as was found out; what does not fit the fee goes back as any other money would."""
    return await bank.assign_line(work, line_id=line_id, fee_id=body.fee_id, note=body.note)


@line_routes.post("/{line_id}/return", dependencies=[needs("refunds:write", OFFICE)], response_model=LineView)
async def return_line(work: WorkDep, line_id: UUID, body: ReturnRequest) -> BankLine:
    """Record that a credit which nobody could explain was sent back."""
    return await bank.return_line(work, line_id=line_id, transfer_reference=body.transfer_reference, note=body.note)


@shift_routes.post("", status_code=201, dependencies=[needs("payments:write", OFFICE)], response_model=ShiftView)
async def open_shift(work: WorkDep, body: ShiftRequest) -> DeskShift:
    """Open a cashier's shift with what is in the drawer; name it with every cash payment of the shift."""
    return await desk.open_shift(work, agency_code=body.agency_code, cashier=body.cashier, opening_vnd=body.opening_vnd)


@shift_routes.get("", dependencies=[needs()], response_model=Page[ShiftView])
async def list_shifts(
    session: SessionDep,
    caller: ReaderDep,
    window: WindowDep,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
) -> Paged:
    """List shifts, open or closed ones when asked for."""
    return page(await queries.list_shifts(session, caller, window, is_open=is_open), window.limit)


@shift_routes.get("/{shift_id}", dependencies=[needs()], response_model=ShiftView)
async def get_shift(session: SessionDep, caller: ReaderDep, shift_id: UUID) -> DeskShift:
    """Get a shift."""
    return await queries.get_shift(session, shift_id, caller)


@shift_routes.post("/{shift_id}/close", dependencies=[needs("payments:write", OFFICE)], response_model=ShiftView)
async def close_shift(work: WorkDep, shift_id: UUID, body: CloseRequest) -> DeskShift:
    """Close a shift with what was counted; a difference is kept, and needs a word about it."""
    return await desk.close_shift(work, shift_id=shift_id, counted_vnd=body.counted_vnd, note=body.note)
