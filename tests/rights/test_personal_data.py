"""People with recognisable data live through every process; then everything is searched that must not know them."""

import io
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared import log
from shared.clock import now
from shared.events.envelope import RawEvent
from shared.events.registry import EVENTS
from shared.ids import new_id
from shared.inbox import Inbox, RetryPlan
from tests.intake.counter import Counter, dossier
from tests.rights.doors import all_doors
from tests.rights.house import DIRECTLY, OWNER, THROUGH, House, ways_to
from tests.rights.knocking import Heard, all_of

pytestmark = pytest.mark.timeout(180)
PERSON = {
    "kind": "citizen",
    "name": "Trần Thị Vô Danh Tuyệt Mật",
    "id_kind": "cccd",
    "id_number": "056190987651",
    "phone": "0987654321",
    "email": "vo.danh.tuyet.mat@example.vn",
    "address": "77 Ngõ Không Ai Biết, Nha Trang",
}
PLANTED = ("Vô Danh", "056190987651", "0987654321", "vo.danh.tuyet.mat", "Ngõ Không Ai Biết")
KEPT = {
    "gateway": ("transaction_log", "transaction_day", "change", "intervention"),
    "intake": ("intervention", "status_change", "inbox", "subject_sequence"),
    "workflow": ("intervention", "status_change", "inbox", "clock_entry", "subject_sequence"),
    "payment": ("intervention", "status_change", "inbox", "ledger_entry", "callback_log", "subject_sequence"),
    "results": ("intervention", "status_change", "inbox", "document_access", "subject_sequence"),
}
"""Tables that outlive what they tell of, or that people read who need not know whom it is about."""


@dataclass(slots=True)
class Lives:
    """What people went through, and what was answered."""

    house: House
    client: httpx.AsyncClient
    counter: Counter
    answers: list[httpx.Response] = field(default_factory=list)

    async def lead(self) -> str:
        """Hand in, ask for more, provide, accept; somebody is refused, somebody writes nonsense. Return a code."""
        taken = await self.counter.submitted(applicant=PERSON, agency_code=OWNER)
        refused = await self.counter.submitted(applicant=PERSON, agency_code=OWNER)
        await self.counter.done(taken, "request-supplement", "supplement", "accept")
        await self.counter.done(refused, "reject")
        await self._write_nonsense(taken)
        await self._tell_everybody()
        return taken

    async def _write_nonsense(self, code: str) -> None:
        """Be refused in every way there is, each time with all of one's data in the body."""
        wrong = [
            dossier(applicant={**PERSON, "id_number": "056190987651x"}),
            dossier(applicant=PERSON, procedure_code="9.999999"),
            dossier(applicant=PERSON, **{PERSON["name"]: PERSON}),
            [PERSON],
            PERSON["email"],
        ]
        self.answers += [await self.counter.post("/dossiers", body) for body in wrong]
        self.answers += [await self.counter.do(code, "accept", {"accepted_by": PERSON["name"]})]
        self.answers += [
            await self.counter.get(f"/dossiers/{PERSON[name]}") for name in ("id_number", "email", "phone")
        ]

    async def _tell_everybody(self) -> None:
        """Carry what was told to every other process, as the bus does; nobody can read one of it."""
        events = [await self._event(row) for row in await self.counter.rows("SELECT * FROM outbox ORDER BY id")]
        broken = events[-1].body.replace(b'"rejected_at":', b'"rejected":')
        poison = RawEvent(new_id(), events[-1].type, "intake", f"{OWNER}-260407-7777", now(), 1, None, None, broken)
        for name, app in self.house.apps.items():
            if name != "intake":
                consumers: Any = import_module(
                    "gateway.consumers" if name == "gateway" else f"services.{name}.consumers"
                )
                inbox = Inbox(app.state.database, consumers.HANDLERS, preload=consumers.preload, plan=RetryPlan(0, 0))
                wanted = [event for event in (*events, poison) if EVENTS[event.type] in consumers.HANDLERS]
                await inbox.take(wanted)
                await inbox.retry_due()

    async def _event(self, row: Any) -> RawEvent:
        assert row["type"] in EVENTS
        return RawEvent(
            row["event_id"], row["type"], "intake", row["subject"], now(), row["sequence"], None, None, row["body"]
        )


@pytest.fixture(scope="module")
def logged() -> Iterator[io.StringIO]:
    """Lend all that is logged, at its most talkative, as it would be written."""
    root, written = logging.getLogger(), io.StringIO()
    log.configure("rights", "DEBUG")
    ours = root.handlers[0]
    assert isinstance(ours, logging.StreamHandler)
    before = ours.setStream(written)
    yield written
    ours.setStream(before or io.StringIO())
    root.setLevel("INFO")


@pytest.fixture(scope="module")
async def lives(house: House, logged: io.StringIO) -> AsyncIterator[Lives]:
    transport = httpx.ASGITransport(house.apps["intake"], raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake", timeout=60) as client:
        counter = Counter(house.apps["intake"], client, house.issuer, house.folders["intake"])
        found = Lives(house, client, counter)
        await found.lead()
        yield found


def planted(where: str, what: str | bytes) -> list[str]:
    """Return what stands somewhere of what must not, decoded from JSON's escapes too."""
    said = what if isinstance(what, str) else what.decode("utf-8", errors="replace")
    return [f"{where}: {one}" for one in PLANTED if one in said or one.encode("unicode_escape").decode() in said]


async def ask_by_path(house: House) -> list[Heard]:
    """Ask every door for a person, by what its path has parameters for."""
    doors = [door for door in all_doors() if "{" in door.path and not door.unsafe]
    values = [dict.fromkeys(_parameters(door.path), PERSON["id_number"]) for door in doors]
    who = house.authorization()
    return await all_of(
        house.knock(door, way, who, values=given)
        for door, given in zip(doors, values, strict=True)
        for way in ways_to(door)
    )


def _parameters(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


class TestPersonalData:
    async def test_is_in_no_refusal(self, lives: Lives) -> None:
        assert {answer.status_code for answer in lives.answers} <= {400, 404, 409, 422}
        assert [found for one in lives.answers for found in planted(one.request.url.path[:9], one.content)] == []

    async def test_asked_for_by_path_is_not_told_back(self, lives: Lives) -> None:
        for heard in await ask_by_path(lives.house):
            if heard.status >= 400:
                assert planted(heard.body.decode()[:300], heard.body) == []

    async def test_is_in_no_table_that_must_not_know_it(self, lives: Lives) -> None:
        await ask_by_path(lives.house)
        found = []
        for service, tables in KEPT.items():
            async with lives.house.apps[service].state.database.session() as session:
                for table in tables:
                    rows = await session.execute(text(f"SELECT t::text FROM {table} AS t"))
                    found += [one for row in rows for one in planted(f"{service}.{table}", row[0])]
        assert found == []

    async def test_is_in_nothing_that_ops_see(self, lives: Lives) -> None:
        """Not the events that wait, not the reasons why, not a dossier's trace."""
        # No reconciliation ran here, and what a run keeps is looked through in test_personal_traces.
        doors = [d for d in all_doors() if "/ops/" in d.path and not d.unsafe and "{run_id}" not in d.path]
        who = lives.house.authorization(["ops:read"], agency="H32")
        code = (await lives.counter.rows("SELECT subject FROM outbox WHERE subject LIKE 'H32%' ORDER BY id LIMIT 1"))[
            0
        ]["subject"]
        values = {"code": code, "service": "payment", "rest": "waiting"}
        heard = await all_of(lives.house.knock(door, DIRECTLY, who, values=values) for door in doors)
        assert {one.status for one in heard} == {200}
        assert any(b"260407-7777" in one.body for one in heard), "nothing waits: the test would prove nothing"
        assert [found for door, one in zip(doors, heard, strict=True) for found in planted(door.name, one.body)] == []

    async def test_is_in_no_metric(self, lives: Lives) -> None:
        metrics = next(door for door in all_doors() if door.path == "/metrics")
        assert planted("metrics", (await lives.house.knock(metrics, DIRECTLY, None)).body) == []

    async def test_is_in_no_feed(self, lives: Lives) -> None:
        feed = next(door for door in all_doors() if door.path == "/api/v1/sync/changes")
        heard = await lives.house.knock(feed, THROUGH, lives.house.authorization())
        assert heard.status == 200
        assert OWNER.encode() in heard.body
        assert planted("feed", heard.body) == []

    async def test_is_in_no_log(self, lives: Lives, logged: io.StringIO) -> None:
        """Whatever was logged until here, at the most talkative level."""
        await ask_by_path(lives.house)
        written = logged.getvalue()
        assert len(written.splitlines()) > 5
        assert planted("log", written) == []
