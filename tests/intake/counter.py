"""What tests of intake do all the time: hand in dossiers, decide on them, tell its inbox facts, read what it told."""

import shutil
from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from services.intake.consumers import HANDLERS, preload
from services.intake.models import IntakeBase
from shared import clock
from shared.caller import Caller
from shared.db import PLUMBING, Database
from shared.events.envelope import EventData, RawEvent, encode
from shared.events.registry import EVENTS, owner_of
from shared.ids import new_id
from shared.inbox import Inbox, RetryPlan
from shared.work import Work
from tests.support.tokens import Issuer

AGENCY = "H32.14.21"
OFFICIAL = "nguyen.van.an"
SCOPES = ("dossiers:submit", "dossiers:read", "dossiers:decide")
CCCD = "056190001234"
PDF = b"%PDF-1.7\npaper\n%%EOF\n"
PROCEDURE = "1.000656"
"""Đăng ký khai tử: citizens, all channels, no fee, one working day, TP01 and TP02 required."""
DOSSIER: dict[str, Any] = {
    "procedure_code": PROCEDURE,
    "agency_code": AGENCY,
    "channel": "direct",
    "applicant": {
        "kind": "citizen",
        "name": "Nguyễn Thị An",
        "id_kind": "cccd",
        "id_number": CCCD,
        "phone": "0905123456",
    },
    "documents": [{"component_code": "TP01", "paper": True}, {"component_code": "TP02", "paper": True}],
    "return_method": "counter",
}
REJECTION = {"reason": "Giấy báo tử không hợp lệ", "legal_basis": "Luật Hộ tịch 2014", "rejected_by": OFFICIAL}
REQUEST = {"content": "Nộp bản gốc giấy báo tử", "requested_by": OFFICIAL, "respond_within_days": 5}
CLOSING = {"reason": "Quá thời hạn bổ sung hồ sơ", "legal_basis": "NĐ 118/2025/NĐ-CP", "closed_by": OFFICIAL}
WITHDRAWAL = {"reason": "Nộp nhầm thủ tục"}
RETRACTION = {"reason": "Nhập trùng với hồ sơ khác", "retracted_by": OFFICIAL}
ANSWER = {"documents": [{"component_code": "TP02", "sha256": "a" * 64, "name": "giay-bao-tu.pdf"}]}
BODIES = {
    "accept": {"accepted_by": OFFICIAL},
    "reject": REJECTION,
    "request-supplement": REQUEST,
    "supplement": ANSWER,
    "close": CLOSING,
    "withdraw": WITHDRAWAL,
    "retract": RETRACTION,
}
"""A body for each thing that can be done with a dossier."""
CATALOGUE = {"procedure", "agency", "field", "catalogue_revision"}


def dossier(**changes: Any) -> dict[str, Any]:
    """Return the body of a submission; `applicant` adds to the applicant, the rest replaces."""
    body = deepcopy(DOSSIER)
    body["applicant"] |= changes.pop("applicant", {})
    return body | changes


class Counter:
    """The one-stop counter."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, issuer: Issuer, folder: Path) -> None:
        self.app = app
        self.client = client
        self.issuer = issuer
        self.folder = folder
        self.database: Database = app.state.database
        self.inbox = Inbox(self.database, HANDLERS, preload=preload, plan=RetryPlan(first_s=0, last_s=0))

    def headers(self, *, agency: str | None = "H32", scopes: Sequence[str] = SCOPES, **more: Any) -> dict[str, str]:
        """Return a client's headers."""
        return self.issuer.headers(scopes, agency=agency, **more)

    async def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """Send a call that changes something; `sent` adds headers, the rest goes to headers()."""
        sent = more.pop("sent", {})
        return await self.client.post(path, json=body, headers=self.headers(**more) | sent)

    async def get(self, path: str, *, query: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Read something."""
        sent = more.pop("sent", {})
        return await self.client.get(path, params=query or {}, headers=self.headers(**more) | sent)

    async def submit(self, body: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Hand in a dossier."""
        return await self.post("/dossiers", body or dossier(), **more)

    async def submitted(self, **changes: Any) -> str:
        """Return the code of a new dossier."""
        answer = await self.submit(dossier(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()["code"]

    async def do(self, code: str, action: str, body: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Do something with a dossier."""
        return await self.post(f"/dossiers/{code}/{action}", body or BODIES[action], **more)

    async def done(self, code: str, *actions: str) -> dict[str, Any]:
        """Do things with a dossier one after another; return the last answer."""
        answer: dict[str, Any] = {}
        for action in actions:
            response = await self.do(code, action)
            assert response.status_code in {200, 202}, response.text
            answer = response.json()
        return answer

    async def view(self, code: str) -> dict[str, Any]:
        """Return a dossier as GET shows it."""
        answer = await self.get(f"/dossiers/{code}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def hear(self, *facts: EventData, code: str) -> list[RawEvent]:
        """Take facts about one dossier as one batch; return them as they came."""
        events = [raw(fact, code) for fact in facts]
        await self.inbox.take(events)
        return events

    async def upload(self, file: bytes = PDF, *, media_type: str = "application/pdf", **more: Any) -> httpx.Response:
        """Send a file; `query` and `name` go where they belong, the rest to headers()."""
        query, name = more.pop("query", {}), more.pop("name", "to-khai.pdf")
        headers = self.headers(**more) | {"Content-Type": media_type, "X-Document-Name": name}
        return await self.client.post("/documents", params=query, content=file, headers=headers)

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a statement."""
        async with self.database.session() as session:
            return list((await session.execute(text(statement), values)).mappings())

    async def time_out(self, code: str) -> None:
        """Let the time for a supplement be over."""
        async with self.database.session() as session:
            over = text(
                "UPDATE supplement_request SET respond_by = now() - interval '1 minute' WHERE dossier_code = :code"
            )
            await session.execute(over, {"code": code})
            await session.commit()

    async def told(self, code: str) -> list[EventData]:
        """Return what was told about a subject, in order; its numbers must have no gap."""
        rows = await self.rows("SELECT type, sequence, body FROM outbox WHERE subject = :code ORDER BY id", code=code)
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        return [EVENTS[row["type"]].model_validate_json(row["body"]) for row in rows]

    async def told_names(self, code: str) -> list[str]:
        """Return the names of what was told, without service and version."""
        return [fact.event_type.removeprefix("intake.").removesuffix(".v1") for fact in await self.told(code)]

    def work(self, session: Any, now: datetime | None = None, *, agency: str = "H32") -> Work:
        """Return a unit of work at a moment, as a route has it."""
        return Work(session, now or clock.now(), Caller("one-stop", agency, frozenset(SCOPES)))

    async def clear(self) -> None:
        """Forget everything but the catalogue."""
        tables = [*reversed(IntakeBase.metadata.sorted_tables), *PLUMBING.sorted_tables]
        async with self.database.session() as session:
            for table in tables:
                if table.name not in CATALOGUE:
                    await session.execute(table.delete())
            await session.commit()
        self.app.state.rules, self.app.state.rules_set = (), None
        for shard in self.folder.iterdir():
            shutil.rmtree(shard)


def raw(data: EventData, code: str) -> RawEvent:
    """Return a fact as the bus brings it."""
    kind = data.event_type
    return RawEvent(new_id(), kind, owner_of(kind), code, clock.now(), 1, None, None, encode(data))
