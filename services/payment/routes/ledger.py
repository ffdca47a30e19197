"""HTTP in: the ledger, reconciliation with the providers, settlement into treasury accounts."""

import base64
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from services.payment import queries
from services.payment.errors import CursorInvalid, ProviderNotAsked
from services.payment.models import Difference, LedgerEntry, Reconciliation
from services.payment.operations import reconciliation, settlements
from services.payment.operations.reconciliation import Day
from services.payment.operations.settlements import Payout
from services.payment.platform.auditing import ASKED
from services.payment.platform.settling import read_day
from services.payment.queries import EntryFilter
from services.payment.routes.access import Filter, Paged, WindowDep
from services.payment.schemas import Page, page
from services.payment.schemas.fees import PAGE_DEFAULT, PAGE_MAX
from services.payment.schemas.ledger import (
    BalancesView,
    DifferenceView,
    EntryPage,
    EntryView,
    ExplanationRequest,
    MatchesView,
    PayoutRequest,
    PayoutView,
    QuestionRequest,
    ReconciliationView,
    ResolutionRequest,
    ReversalRequest,
    SettlementReport,
)
from services.payment.slips import settlements as sheets
from services.payment.states import Provider
from shared import bodies, clock
from shared.caller import Caller
from shared.clock import VN
from shared.errors import Forbidden
from shared.http import CallerDep, SessionDep, WorkDep, needs, router

READ, WRITE = "ledger:read", "ledger:write"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE = {"type": "string", "format": "binary"}
CURSOR_BYTES = 8
CURSOR_ADVICE = "Give the next_cursor of the page before, or none."
MATCHED = "Settled fees whose amount, receipts in force, ledger entry and statement line are the same, of all settled."

ledger_routes = router("ledger", prefix="/ledger")
reconciliation_routes = router("reconciliations", prefix="/reconciliations")
settlement_routes = router("settlements", prefix="/settlements")
ROUTERS = (ledger_routes, reconciliation_routes, settlement_routes)


class ReportFormat(StrEnum):
    """What a report is given as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


async def _auditor(caller: CallerDep) -> Caller:
    caller.require(READ, WRITE)
    return caller


async def _wanted(
    dossier_code: Filter = None,
    account: Filter = None,
    cause: Filter = None,
    transaction_number: Annotated[str | None, Query(max_length=100)] = None,
    since: bodies.Day | None = None,
    until: bodies.Day | None = None,
) -> EntryFilter:
    return EntryFilter(dossier_code, account, cause, transaction_number, since, until)


EntryId = Annotated[int, Path(ge=1, le=bodies.WHOLE_MAX, description="The number of the entry in the ledger")]
AuditorDep = Annotated[Caller, Depends(_auditor)]


def _today() -> date:
    return clock.now().astimezone(VN).date()


@ledger_routes.get("/balances", dependencies=[needs()], response_model=BalancesView)
async def get_balances(session: SessionDep, caller: AuditorDep, until: bodies.Day | None = None) -> dict[str, object]:
    """Get what every account holds at the end of a day (today), and both sides of the whole ledger."""
    day = until or _today()
    accounts = await queries.list_balances(session, caller, day)
    totals = await queries.get_totals(session)
    return {
        "until": day,
        "as_of": clock.now(),
        "accounts": [{**row, "balance_vnd": row["debit_vnd"] - row["credit_vnd"]} for row in accounts],
        "ledger_debit_vnd": totals.debit_vnd,
        "ledger_credit_vnd": totals.credit_vnd,
        "ledger_entries": totals.entries,
        "balanced": totals.debit_vnd == totals.credit_vnd,
    }


@ledger_routes.get("/entries", dependencies=[needs()], response_model=EntryPage)
async def list_entries(
    session: SessionDep,
    caller: AuditorDep,
    wanted: Annotated[EntryFilter, Depends(_wanted)],
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, object]:
    """List entries, oldest first: of one dossier, account, cause, transaction or span of days when given."""
    found = await queries.list_entries(session, caller, wanted, limit=limit, after=_read(cursor))
    more = len(found) > limit
    return {"items": found[:limit], "next_cursor": _write(found[limit - 1]) if more else None}


@ledger_routes.post(
    "/entries/{entry_id}/reverse", status_code=201, dependencies=[needs(WRITE)], response_model=EntryView
)
async def reverse_entry(work: WorkDep, entry_id: EntryId, body: ReversalRequest) -> LedgerEntry:
    """Take back a payout or an adjustment by an entry the other way round; returns the one that is taken back."""
    return await settlements.reverse_entry(work, entry_id=entry_id, reason=body.reason)


def _read(cursor: str | None) -> int | None:
    try:
        found = base64.urlsafe_b64decode(cursor + "==") if cursor else b""
    except ValueError as problem:
        raise CursorInvalid(CURSOR_ADVICE) from problem
    if len(found) > CURSOR_BYTES:
        raise CursorInvalid(CURSOR_ADVICE)
    return int.from_bytes(found, "big", signed=True) if found else None


def _write(last: LedgerEntry) -> str:
    return base64.urlsafe_b64encode(last.id.to_bytes(CURSOR_BYTES, "big", signed=True)).decode().rstrip("=")


def _own(caller: Caller) -> str:
    if caller.agency is None:
        raise Forbidden("This needs a client that belongs to an agency.")
    return caller.agency


@reconciliation_routes.post(
    "/statements",
    status_code=201,
    dependencies=[needs(WRITE)],
    response_model=ReconciliationView,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": _FILE}, XLSX: {"schema": _FILE}},
        }
    },
)
async def take_statement(request: Request, work: WorkDep, provider: Provider, day: bodies.Day) -> Reconciliation:
    """Take a provider's statement of a day (CSV or XLSX as the body) and compare it with the ledger.

    The heading row names the columns: transaction_number, amount_vnd, and where there are any reference, status,
    paid_at. The same statement again is the same comparison again.
    """
    lines = read_day(await request.body())
    return await reconciliation.take_statement(work, Day(_own(work.caller), provider, day), lines, source="file")


@reconciliation_routes.post(
    "/questions", status_code=202, dependencies=[needs(WRITE)], response_model=ReconciliationView
)
async def ask_provider(request: Request, work: WorkDep, body: QuestionRequest) -> Reconciliation:
    """Have a provider that makes no statement asked about every attempt of a day; the comparison follows."""
    if body.provider not in ASKED & set(request.app.state.gateways.by_provider):
        raise ProviderNotAsked(provider=body.provider)
    return await reconciliation.ask_provider(work, Day(_own(work.caller), body.provider, body.day))


@reconciliation_routes.get("", dependencies=[needs()], response_model=Page[ReconciliationView])
async def list_reconciliations(
    session: SessionDep,
    caller: AuditorDep,
    window: WindowDep,
    provider: Provider | None = None,
    day: bodies.Day | None = None,
) -> Paged:
    """List reconciliations, of one provider or day when given."""
    found = await queries.list_reconciliations(session, caller, window, provider=provider, day=day)
    return page(found, window.limit)


@reconciliation_routes.get("/differences", dependencies=[needs()], response_model=Page[DifferenceView])
async def list_differences(
    session: SessionDep,
    caller: AuditorDep,
    window: WindowDep,
    reconciliation_id: UUID | None = None,
    *,
    open_only: bool = True,
) -> Paged:
    """List differences: those that are neither resolved nor gone, or with open_only=false all that were ever found."""
    found = await queries.list_differences(
        session, caller, window, reconciliation_id=reconciliation_id, open_only=open_only
    )
    return page(found, window.limit)


@reconciliation_routes.get("/{reconciliation_id}", dependencies=[needs()], response_model=ReconciliationView)
async def get_reconciliation(session: SessionDep, caller: AuditorDep, reconciliation_id: UUID) -> Reconciliation:
    """Get a reconciliation."""
    return await queries.get_reconciliation(session, reconciliation_id, caller)


@reconciliation_routes.get("/{reconciliation_id}/matches", dependencies=[needs()], response_model=MatchesView)
async def get_matches(
    session: SessionDep, caller: AuditorDep, reconciliation_id: UUID, *, mismatched_only: bool = True
) -> dict[str, object]:
    """Get the three-way match of a day: each settled fee beside its receipts in force and the provider's line."""
    found = await queries.get_reconciliation(session, reconciliation_id, caller)
    rows = [
        {**row, "matched": row["fee_vnd"] == row["receipts_vnd"] == row["settled_vnd"] == row["statement_vnd"]}
        for row in await queries.list_three_way(session, found)
    ]
    shown = [row for row in rows if not (mismatched_only and row["matched"])]
    matched = sum(row["matched"] for row in rows)
    return {
        "as_of": clock.now(),
        "matched": matched,
        "settled": len(rows),
        "definition": MATCHED,
        "items": shown,
    }


@reconciliation_routes.post(
    "/{reconciliation_id}/compare", dependencies=[needs(WRITE)], response_model=ReconciliationView
)
async def compare_again(work: WorkDep, reconciliation_id: UUID) -> Reconciliation:
    """Compare a day with its statement once more: what was put right since is cleared."""
    return await reconciliation.compare_again(work, reconciliation_id=reconciliation_id)


@reconciliation_routes.post(
    "/differences/{difference_id}/explain", dependencies=[needs(WRITE)], response_model=DifferenceView
)
async def explain_difference(work: WorkDep, difference_id: UUID, body: ExplanationRequest) -> Difference:
    """Say where a difference comes from."""
    return await reconciliation.explain_difference(
        work, difference_id=difference_id, explanation=body.explanation, note=body.note
    )


@reconciliation_routes.post(
    "/differences/{difference_id}/resolve", dependencies=[needs(WRITE)], response_model=DifferenceView
)
async def resolve_difference(work: WorkDep, difference_id: UUID, body: ResolutionRequest) -> Difference:
    """Resolve a difference that another client has explained."""
    return await reconciliation.resolve_difference(work, difference_id=difference_id, resolution=body.resolution)


@settlement_routes.post("/payouts", status_code=201, dependencies=[needs(WRITE)], response_model=PayoutView)
async def record_payout(work: WorkDep, body: PayoutRequest) -> Payout:
    """Record that a provider's money arrived in a treasury account; never more than the provider holds for it."""
    payout = Payout(**body.model_dump())
    await settlements.record_payout(work, payout)
    return payout


@settlement_routes.get(
    "",
    dependencies=[needs()],
    response_model=SettlementReport,
    responses={200: {"content": {"text/csv": {}, XLSX: {}}, "description": "The report"}},
)
async def get_settlements(
    session: SessionDep,
    caller: AuditorDep,
    since: bodies.Day | None = None,
    until: bodies.Day | None = None,
    form: Annotated[ReportFormat, Query(alias="format")] = ReportFormat.JSON,
) -> dict[str, object] | Response:
    """Get what each provider collected, gave back and paid out, by agency and treasury account (the last 30 days)."""
    last = until or _today()
    first = since or last - timedelta(days=30)
    rows = await queries.list_settlements(session, caller, first, last)
    as_of = clock.now()
    if form == ReportFormat.JSON:
        return {
            "since": first,
            "until": last,
            "as_of": as_of,
            "definitions": sheets.DEFINITIONS,
            "rows": rows,
            "totals": sheets.totals(rows),
        }
    content = (
        sheets.as_csv(rows) if form == ReportFormat.CSV else sheets.as_xlsx(rows, since=first, until=last, as_of=as_of)
    )
    name = f"settlements-{first}-{last}.{form}"
    kind = "text/csv; charset=utf-8" if form == ReportFormat.CSV else XLSX
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
