"""A person goes out by every way the gateway has; then every table of every process is searched for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from gateway import queries
from gateway.models import CatalogueDiff, CataloguePull
from gateway.operations.reconciling.judging import Told as Acknowledged
from gateway.operations.reconciling.judging import judge
from gateway.operations.reconciling.records import note_found
from gateway.portal.canonical import digest
from shared import clock
from shared.db import Database
from shared.events.envelope import RawEvent
from shared.ids import new_id
from tests.gateway.receiver import Receiver, receiving
from tests.gateway.test_edocs import envelope
from tests.intake.counter import dossier
from tests.rights.gateway_seeds import CLIENTS, CODE, EDOCS, HOOKS, SERVICES, Owner, as_sent
from tests.rights.house import OWNER, House
from tests.rights.lives import PERSON, Lives, planted
from tests.rights.nouns import Seeds, calling, made, put
from tests.support.assertions import eventually

pytestmark = pytest.mark.timeout(180)
NUMBERS = f"{PERSON['id_number']}, {PERSON['phone']}, {PERSON['email']}"
"""What somebody writes where a reason is asked for; names are nothing that can be told from other words."""
REASON = f"Gọi lại {NUMBERS}"
OWN_WORK = "The dossier itself: whoever may see it sees it, through this process alone."
SENT = "An event, until the broker has confirmed it."
OWED = "What the portal is owed, until it has acknowledged it."
ANSWER = "The answer to a change, while its key holds (30 days): the same call again gets the same answer."
MAY_KNOW = {
    "intake.dossier": OWN_WORK,
    "intake.draft": OWN_WORK,
    "intake.outbox": SENT,
    "intake.idempotency_key": ANSWER,
    "workflow.case_file": OWN_WORK,
    "results.case_slice": OWN_WORK,
    "gateway.dossier_view": "What the portal's dossier is made of whenever it has to be told anew.",
    "gateway.portal_debt": OWED,
}
"""Every table that may hold somebody's data in clear, and why; all others of all processes must not."""


@dataclass(slots=True)
class Traces:
    """Where people went, and what others were told."""

    house: House
    receiver: Receiver
    answers: list[Any] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.house.apps["gateway"].state.database

    async def go(self, lives: Lives) -> None:
        """Go out by every way there is."""
        async with calling(self.house, "gateway") as client:
            owner = Owner(self.house, client)
            await self._by_webhook(owner)
            await self._by_data_service(owner)
            await self._by_document(owner)
            await self._by_portal()
            await self._in_reasons(owner)
        draft = {"dossier": dossier(applicant=PERSON, agency_code=OWNER)}
        made(await lives.counter.post("/drafts", draft))

    async def _by_webhook(self, owner: Owner) -> None:
        """Be told of everything from the beginning."""
        await owner.send("POST", HOOKS, {"url": self.receiver.url, "cursor": queries.to_cursor(0)})
        await self.receiver.wait_for(lambda told: any("rejected" in one.type for one in told))

    async def _by_data_service(self, owner: Owner) -> None:
        """Ask a service that nobody answers for; the call is kept, and sent again."""
        path = f"{SERVICES}/{CODE}/v1/things?name={PERSON['id_number']}"

        async def kept() -> Any:
            headers = self.house.headers(agency=OWNER)
            answer = await owner.client.post(path, json=PERSON, headers=headers)
            self.answers.append(answer)
            return await self.rows("SELECT id FROM data_service_call WHERE sealed_bytes > 100")

        await eventually(kept)
        order = {"service": CODE, "reason": REASON, "calls_per_second": 1}
        rerun = (await owner.send("POST", f"{SERVICES}/reruns", order))["id"]
        await owner.send("POST", f"{SERVICES}/reruns/{rerun}/stop")

    async def _by_document(self, owner: Owner) -> None:
        """Send a document about somebody to one's own agency, and refuse it in so many words."""
        participant = {"code": OWNER, "name": "UBND xã"}
        await owner.client.post(f"{EDOCS}/agencies", json=participant, headers=self.house.headers(agency=OWNER))
        content = envelope(OWNER, (OWNER,), "VET", subject=" ".join(PERSON.values()))
        document = (await owner.send("POST", f"{EDOCS}/documents", as_sent(content)))["docId"]
        await owner.send("PUT", f"{EDOCS}/documents/{document}", {"status": "FAIL", "note": REASON})

    async def _by_portal(self) -> None:
        """Be found otherwise at the portal, with all of one's data in its answer."""
        now = clock.now()
        hoso = {"TrangThaiHoSo": "2", "ChuHoSo": PERSON["name"], "SoGiayTo": PERSON["id_number"], **PERSON}
        code = f"{OWNER}-260407-0042"
        ours = {**hoso, "ChuHoSo": "Khác"}
        told = Acknowledged(code, OWNER, 1, (2,), 2, digest(ours), now, final=False, attempts=None, compare_at=now)
        finding = judge(told, hoso, ours_now=ours)
        assert finding is not None
        async with self.database.session() as session:
            await note_found(session, code, OWNER, finding, run=None, now=now)
            await session.commit()

    async def _in_reasons(self, owner: Owner) -> None:
        """Be written about by the people who run it, wherever they may write."""
        client = {"client_id": f"vet-{new_id().hex}", "name": "Vết", "agency": OWNER, "scopes": []}
        name = (await owner.send("POST", CLIENTS, client))["client_id"]
        await owner.send("POST", f"{CLIENTS}/{name}/deactivate", {"reason": REASON})
        (difference,) = await self.rows("SELECT id FROM portal_difference WHERE dossier_code LIKE '%-0042'")
        at = "/api/v1/ops/portal/differences"
        await owner.send("POST", f"{at}/{difference[0]}/explain", {"reason": REASON})
        pull = CataloguePull(id=new_id(), asked_at=clock.now(), asked_by="x", accept_smaller=False, counts={})
        pull.finished_at = clock.now()
        diff = CatalogueDiff(pull_id=pull.id, code="9.9", kind="new", fields=[], found_at=clock.now(), state="open")
        await put(self.database, pull, diff)
        at = "/api/v1/portal/catalogue/diffs"
        await owner.send("POST", f"{at}/{diff.id}/dismiss", {"note": REASON})
        subject = f"{OWNER}-260407-7777"
        await owner.send("POST", f"/api/v1/ops/gateway/waiting/{subject}/replay", {"reason": REASON})

    async def rows(self, statement: str) -> list[Any]:
        """Return the rows of a statement."""
        async with self.database.session() as session:
            return list(await session.execute(text(statement)))


@pytest.fixture(scope="module")
async def traces(house: House, seeds: Seeds, lives: Lives) -> AsyncIterator[Traces]:
    del seeds
    async with receiving() as receiver:
        found = Traces(house, receiver)
        await found.go(lives)
        yield found


def _said(value: object) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


async def tables_that_know(house: House) -> set[str]:
    """Return every table of every process that holds somebody's data in clear."""
    found = set()
    for service, app in house.apps.items():
        async with app.state.database.session() as session:
            names = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            for name in names.all():
                rows = (await session.execute(text(f'SELECT * FROM "{name}"'))).all()
                if any(planted(name, _said(value)) for row in rows for value in row):
                    found.add(f"{service}.{name}")
    return found


class TestPersonalData:
    async def test_is_in_no_table_that_has_no_reason_to_know_it(self, traces: Traces) -> None:
        """What is sealed is searched as it lies there."""
        assert await tables_that_know(traces.house) == set(MAY_KNOW)

    async def test_is_in_no_webhook(self, traces: Traces) -> None:
        told = traces.receiver.told
        assert {one.data["dossier_code"][:9] for one in told} == {OWNER}
        assert [found for one in told for found in planted("told", one.body + str(one.headers).encode())] == []

    async def test_is_in_no_refusal_of_a_data_service(self, traces: Traces) -> None:
        assert {answer.status_code for answer in traces.answers} <= {404, 503}
        assert [found for one in traces.answers for found in planted("refusal", one.content)] == []

    async def test_is_in_nothing_by_which_the_broker_sorts_events(self, lives: Lives) -> None:
        """Queues are named after services and numbers, routes after event types; headers name the dossier."""
        rows = await lives.counter.rows("SELECT * FROM outbox")
        assert rows
        for row in rows:
            event = RawEvent(
                row["event_id"], row["type"], "intake", row["subject"], clock.now(), row["sequence"], None, None, b""
            )
            assert planted("event", f"{event.type} {event.headers()}") == []

    async def test_is_kept_where_it_was_found_otherwise_by_names_of_fields_alone(self, traces: Traces) -> None:
        (found,) = await traces.rows("SELECT theirs, reason FROM portal_difference WHERE dossier_code LIKE '%-0042'")
        assert found.theirs["fields"] == ["ChuHoSo"]
        assert found.reason == "Gọi lại ***, ***, ***@***"
