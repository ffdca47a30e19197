"""People with recognisable data live through every process; then everything is searched that must not know them."""

import io

import pytest
from sqlalchemy import text

from gateway.models import PortalRun
from shared import clock
from tests.rights.doors import all_doors
from tests.rights.house import DIRECTLY, OWNER, THROUGH, House, ways_to
from tests.rights.knocking import Heard, all_of
from tests.rights.lives import PERSON, Lives, planted
from tests.rights.nouns import put

pytestmark = pytest.mark.timeout(180)
KEPT = {
    "gateway": ("transaction_log", "transaction_day", "change", "intervention"),
    "intake": ("intervention", "status_change", "inbox", "subject_sequence"),
    "workflow": ("intervention", "status_change", "inbox", "clock_entry", "subject_sequence"),
    "payment": ("intervention", "status_change", "inbox", "ledger_entry", "callback_log", "subject_sequence"),
    "results": ("intervention", "status_change", "inbox", "document_access", "subject_sequence"),
}
"""Tables that outlive what they tell of, or that people read who need not know whom it is about."""


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
        run = PortalRun(asked_by="schedule", asked_at=clock.now(), finished_at=clock.now())
        await put(lives.house.apps["gateway"].state.database, run)
        values = {"code": code, "service": "payment", "rest": "waiting", "run_id": str(run.id)}
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
