"""What tests of results do all the time: tell its inbox facts, and call its HTTP as an official would."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from deploy.local.papers import pdf
from services.results.consumers import HANDLERS, preload
from services.results.models import ResultsBase
from shared.db import PLUMBING, Database
from shared.events.envelope import EventData, RawEvent, encode
from shared.events.intake import DossierAccepted
from shared.events.payment import FeeAssessed, FeePaid
from shared.events.registry import owner_of
from shared.events.values import Channel, CollectedAt, FeeItem, FeeKind, Party, PartyKind
from shared.events.workflow import CaseCompleted, CaseWithdrawn
from shared.ids import new_id
from shared.inbox import Inbox
from tests.support.tokens import Issuer

AT = datetime(2026, 4, 7, 2, 0, tzinfo=UTC)
CODE = "H32.14-260407-0001"
PDF = pdf(["result"])
SOMEBODY_WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
"""Rows while a transaction waits for another's lock."""
OFFICIAL = ("results:read", "results:write")
COUNTER = {
    "method": "counter",
    "returned_by": "Lê Văn Trả",
    "receiver": {"name": "Nguyễn Văn Thử", "document_number": "0001", "checked_by": "Lê Văn Trả"},
}
"""Somebody comes to the counter with their identity card."""
OWNER = Party(kind=PartyKind.CITIZEN, name="Nguyễn Văn Thử", id_number="056090000001")


def accepted(*, agency: str = "H32.14", on_return_vnd: int = 0, on_acceptance_vnd: int = 0) -> DossierAccepted:
    """Return the fact that a dossier was accepted, with fees on return and on acceptance."""
    amounts = {CollectedAt.ON_RETURN: on_return_vnd, CollectedAt.ON_ACCEPTANCE: on_acceptance_vnd}
    fees = tuple(
        FeeItem(code=at, name="Lệ phí", kind=FeeKind.LE_PHI, amount_vnd=amount, collected=at)
        for at, amount in amounts.items()
    )
    return DossierAccepted(
        procedure_code="1.004222",
        procedure_version=1,
        agency_code=agency,
        channel=Channel.DIRECT,
        accepted_at=AT,
        accepted_by="one-stop",
        due_at=None,
        duration=None,
        calendar_version="2026",
        applicant=OWNER,
        owner=OWNER,
        fees=fees,
    )


def completed() -> CaseCompleted:
    """Return the fact that the case is done."""
    return CaseCompleted(completed_at=AT, due_at=None, on_time=None)


def withdrawn() -> CaseWithdrawn:
    """Return the fact that the case was withdrawn."""
    return CaseWithdrawn(reason="đổi ý", withdrawn_at=AT)


def assessed(fee_id: UUID, collected: CollectedAt = CollectedAt.ON_RETURN) -> FeeAssessed:
    """Return the fact that a fee is due."""
    return FeeAssessed(fee_id=fee_id, items=(), amount_vnd=150_000, collected=collected, assessed_at=AT)


def paid(fee_id: UUID, collected: CollectedAt = CollectedAt.ON_RETURN) -> FeePaid:
    """Return the fact that a fee is paid."""
    return FeePaid(
        fee_id=fee_id, payment_id=new_id(), amount_vnd=150_000, collected=collected, method="cash", paid_at=AT
    )


class Desk:
    """An official's desk, and the bus's end at it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, issuer: Issuer, folder: Path) -> None:
        self.app = app
        self.client = client
        self.issuer = issuer
        self.folder = folder
        self.database: Database = app.state.database
        self.inbox = Inbox(self.database, HANDLERS, preload=preload)

    def raw(self, data: EventData, code: str = CODE) -> RawEvent:
        """Return a fact as the bus brings it."""
        kind = data.event_type
        return RawEvent(new_id(), kind, owner_of(kind), code, AT, 1, None, None, encode(data))

    async def hear(self, *facts: EventData, code: str = CODE) -> list[RawEvent]:
        """Take facts of one dossier as one batch; return them as they came."""
        events = [self.raw(fact, code) for fact in facts]
        await self.inbox.take(events)
        return events

    def headers(self, *, agency: str = "H32.14", key: str | None = None, scopes: Sequence[str] = OFFICIAL) -> Any:
        """Return an official's headers."""
        return self.issuer.headers(scopes, agency=agency, key=key)

    async def upload(
        self, document: bytes = PDF, *, code: str = CODE, media_type: str = "application/pdf", **more: Any
    ) -> httpx.Response:
        """Send a document as a draft; `query` adds to the query, the rest to headers()."""
        query = {"dossier_code": code, "kind_code": "KQ.01", "kind_name": "Giấy phép"} | more.pop("query", {})
        headers = self.headers(**more) | {"Content-Type": media_type}
        return await self.client.post("/results", params=query, content=document, headers=headers)

    async def drafted(self, document: bytes = PDF, **more: Any) -> str:
        """Return the id of a new draft."""
        answer = await self.upload(document, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def post(self, result_id: str, action: str, body: dict[str, Any], **more: Any) -> httpx.Response:
        """Do something to a result."""
        return await self.client.post(f"/results/{result_id}/{action}", json=body, headers=self.headers(**more))

    async def issue(self, result_id: str, number: str | None = None, **more: Any) -> httpx.Response:
        """Issue a draft, under a number of its own unless given."""
        body = {"number": number or f"{new_id()}/GP", "issued_by": "Trần Thị Ký"}
        return await self.post(result_id, "issue", body, **more)

    async def give_back(self, result_id: str, **more: Any) -> httpx.Response:
        """Return a result at the counter."""
        return await self.post(result_id, "return", {**COUNTER}, **more)

    async def issued(self, **more: Any) -> str:
        """Return the id of a new issued result."""
        result_id = await self.drafted(**more)
        assert (await self.issue(result_id)).status_code == 200
        return result_id

    async def get(self, path: str, *, purpose: str | None = None, **more: Any) -> httpx.Response:
        """Read."""
        headers = self.headers(**more) | ({"X-Purpose": purpose} if purpose else {})
        return await self.client.get(path, headers=headers)

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a statement."""
        async with self.database.session() as session:
            found = list((await session.execute(text(statement), values)).mappings())
            await session.commit()
            return found

    async def outbox(self) -> list[Any]:
        """Return what was told, in order."""
        return await self.rows("SELECT * FROM outbox ORDER BY id")

    def file(self, sha256: str) -> Path:
        """Return where a document lies."""
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    async def clear(self) -> None:
        """Forget everything."""
        async with self.database.session() as session:
            for metadata in (ResultsBase.metadata, PLUMBING):
                for table in reversed(metadata.sorted_tables):
                    await session.execute(table.delete())
            await session.commit()
        for shard in self.folder.iterdir():
            shutil.rmtree(shard)
