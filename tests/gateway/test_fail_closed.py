"""What cannot be logged is not done: changes wait for a log that takes them, reads for room in its backlog."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from gateway.app import create_app
from gateway.errors import EvidenceMissing, EvidenceUnavailable
from gateway.operations.evidence import Evidence, Outside, Verdict, Witness, keep_months, verify_database
from shared.db import Database
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import SECRET, settings_of
from tests.gateway.guarded import Guarded, forget, prepare
from tests.gateway.hall import Hall
from tests.gateway.ledger import KEY, administrator, call, verdict
from tests.gateway.test_guard import PART
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem, eventually
from tests.support.bus import running
from tests.support.gate import Gate, gate_before
from tests.support.servers import Databases
from tests.support.serving import serving

LATE_S = 30


@pytest.fixture(scope="module")
async def open_guarded(databases: Databases) -> AsyncIterator[Guarded]:
    name = f"closed_{uuid4().hex[:12]}"
    yield await prepare(databases, name)
    await forget(databases, name)


@dataclass(frozen=True, slots=True)
class Door:
    """A gateway that runs as its own role, and its database as the administrator has it."""

    visitor: Visitor
    admin: Hall
    evidence: Evidence

    async def logged(self) -> list[tuple[str, int]]:
        """Return method and status of what is in the log, but for tokens."""
        rows = await self.admin.rows(
            "SELECT method, status FROM transaction_log WHERE service = 'intake' ORDER BY number"
        )
        return [(row["method"], row["status"]) for row in rows]

    async def verdict(self) -> Verdict:
        """Verify the log with the gateway's own key."""
        return await verify_database(self.admin.database.dsn, Outside([self.evidence.key]), workers=1)

    async def reopened(self) -> None:
        """Wait until the log can be written again, and nothing waits for it."""

        async def open_and_empty() -> bool:
            return self.evidence.writable and not self.evidence.backlog

        await eventually(open_and_empty, within_s=LATE_S)


@pytest.fixture
async def door(
    open_guarded: Guarded, open_backstage: tuple[Backstage, str], gateway_files: dict[str, str], backstage: Backstage
) -> AsyncIterator[Door]:
    app = create_app(settings_of(open_guarded.url, open_backstage[1], gateway_files))
    admin = Database(open_guarded.admin, service="gateway")
    async with (
        app.router.lifespan_context(app),
        serving(app) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        visitor = Visitor(app, http, SECRET)
        await visitor.token("one-stop")
        yield Door(visitor, Hall(admin), app.state.evidence)
    await Hall(admin).clear()
    await admin.close()


Fault = Callable[[Door, Guarded], Awaitable[Callable[[], Awaitable[Any]]]]


async def _full_disk(door: Door, guarded: Guarded) -> Callable[[], Awaitable[Any]]:
    """Let PostgreSQL refuse a row with the very error of a full disk (53100)."""
    await door.admin.rows(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
    )
    await door.admin.rows(
        "CREATE TRIGGER full_disk BEFORE INSERT ON transaction_log FOR EACH ROW EXECUTE FUNCTION full_disk()"
    )

    async def mend() -> None:
        await door.admin.rows("DROP FUNCTION full_disk CASCADE")

    return mend


async def _read_only(door: Door, guarded: Guarded) -> Callable[[], Awaitable[Any]]:
    """Let the database take no change, as a standby does after a failover the wrong way."""
    await door.admin.rows(f"ALTER ROLE {guarded.name} SET default_transaction_read_only = on")
    await _cut(door, guarded)

    async def mend() -> None:
        await door.admin.rows(f"ALTER ROLE {guarded.name} RESET default_transaction_read_only")

    return mend


async def _cut(door: Door, guarded: Guarded) -> None:
    await door.admin.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :name", name=guarded.name
    )


async def _revoked(door: Door, guarded: Guarded) -> Callable[[], Awaitable[Any]]:
    await door.admin.rows(f"REVOKE INSERT ON transaction_log FROM {guarded.name}")

    async def mend() -> None:
        await door.admin.rows(f"GRANT INSERT ON transaction_log TO {guarded.name}")

    return mend


async def _no_part(door: Door, guarded: Guarded) -> Callable[[], Awaitable[Any]]:
    """Take this month's part away, and the right to make it again."""
    await door.admin.rows(f"REVOKE EXECUTE ON FUNCTION transaction_log_open FROM {guarded.name}")
    await door.admin.rows(f"DROP TABLE {PART}")

    async def mend() -> None:
        await door.admin.rows(f"GRANT EXECUTE ON FUNCTION transaction_log_open TO {guarded.name}")

    return mend


FAULTS: dict[str, Fault] = {
    "disk full": _full_disk,
    "read-only database": _read_only,
    "revoked grant": _revoked,
    "missing part": _no_part,
}


@asynccontextmanager
async def broken(door: Door, guarded: Guarded, what: str) -> AsyncIterator[None]:
    """Let the log be unwritable while the block lasts."""
    mend = await FAULTS[what](door, guarded)
    try:
        yield
    finally:
        await mend()


class TestChange:
    @pytest.mark.parametrize("what", FAULTS)
    async def test_is_refused_before_anything_is_done(
        self, door: Door, open_guarded: Guarded, backstage: Backstage, what: str
    ) -> None:
        """The first one finds out; those after it are not carried out, and it opens again by itself."""
        async with broken(door, open_guarded, what):
            assert_problem(await door.visitor.post("/api/v1/dossiers", key="first"), EvidenceMissing)
            backstage.heard.clear()
            for key in ("second", "third"):
                answer = await door.visitor.post("/api/v1/dossiers", key=key)
                assert_problem(answer, EvidenceUnavailable)
                assert int(answer.headers["retry-after"]) > 0
            assert backstage.heard == []
            assert (await door.visitor.get("/api/v1/dossiers")).status_code == 200
        await door.reopened()
        assert (await door.visitor.post("/api/v1/dossiers", key="second")).status_code == 201
        assert [one.header("idempotency-key") for one in backstage.heard if one.method == "POST"] == ["second"]
        assert sorted(await door.logged()) == [("GET", 200), ("POST", 201), ("POST", 503)]
        # What went with the missing part is missed.
        assert (await door.verdict()).sound == (what != "missing part")

    async def test_that_was_refused_is_in_the_log_too(self, door: Door, open_guarded: Guarded) -> None:
        async with broken(door, open_guarded, "revoked grant"):
            for _ in range(3):
                await door.visitor.post("/api/v1/dossiers")
        await door.reopened()
        rows = await door.admin.rows(
            "SELECT service, status FROM transaction_log WHERE path = '/api/v1/dossiers' ORDER BY number"
        )
        assert [(row["service"], row["status"]) for row in rows] == [
            ("intake", 503),
            ("gateway", 503),
            ("gateway", 503),
        ]

    async def test_does_not_notice_a_missing_part_that_can_be_made(self, door: Door) -> None:
        await door.admin.rows(f"DROP TABLE {PART}")
        assert (await door.visitor.post("/api/v1/dossiers")).status_code == 201
        assert await door.logged() == [("POST", 201)]

    async def test_is_taken_again_when_nothing_was_waiting(self, door: Door, open_guarded: Guarded) -> None:
        """Without any call the writer still finds out that the log takes records again; trying leaves none behind."""
        async with broken(door, open_guarded, "revoked grant"):
            await door.visitor.post("/api/v1/dossiers")
            door.evidence._pending.clear()
        await door.reopened()
        assert await door.logged() == []
        assert (await door.verdict()).sound


class TestRead:
    async def test_is_refused_once_the_backlog_is_full(self, door: Door, open_guarded: Guarded) -> None:
        """No call is dropped: those that were answered are in the log later, those beyond were not carried out."""
        door.evidence.pending_max = 8
        async with broken(door, open_guarded, "read-only database"):
            answers = await asyncio.gather(*(door.visitor.get("/api/v1/dossiers") for _ in range(30)))

            async def full() -> bool:
                answers.append(await door.visitor.get("/api/v1/dossiers"))
                return answers[-1].status_code == 503

            await eventually(full, within_s=LATE_S)
            assert_problem(answers[-1], EvidenceUnavailable)
        await door.reopened()
        answered = [answer.status_code for answer in answers].count(200)
        assert (await door.logged()).count(("GET", 200)) == answered
        assert (await door.visitor.get("/api/v1/dossiers")).status_code == 200

    async def test_is_counted_in_the_ops_figures(self, door: Door, open_guarded: Guarded) -> None:
        await door.visitor.token("ops")
        async with broken(door, open_guarded, "revoked grant"):
            await door.visitor.post("/api/v1/dossiers")
            found = (await door.visitor.get("/api/v1/ops/evidence", who="ops")).json()
            assert (found["writable"], found["reason"]) == (False, "InsufficientPrivilegeError")
            assert found["backlog_records"] >= 1
        await door.reopened()
        found = (await door.visitor.get("/api/v1/ops/evidence", who="ops")).json()
        assert (found["writable"], found["reason"], found["anchor"]["state"]) == (True, None, "off")


@pytest.fixture
async def gate(hall: Hall) -> AsyncIterator[Gate]:
    await keep_months(hall.database)
    async with gate_before(hall.database.dsn) as gate:
        yield gate


class TestRecord:
    @pytest.mark.parametrize(
        "odd",
        [{"client_id": "a\0b"}, {"agency": "\ud800"}, {"status": 99_999}, {"request_bytes": 2**70}, {"method": "\0"}],
        ids=str,
    )
    async def test_that_cannot_be_kept_as_it_is_has_a_stand_in(self, hall: Hall, odd: dict[str, Any]) -> None:
        """It costs no other its entry, and none goes unlogged."""
        await keep_months(hall.database)
        evidence = Evidence(hall.database, KEY, Witness(""))
        async with running(evidence.run()):
            await asyncio.gather(
                *(evidence.store(replace(call(nth), **odd) if nth == 3 else call(nth)) for nth in range(6))
            )
        rows = await hall.rows("SELECT path FROM transaction_log")
        assert sorted(row["path"] for row in rows) == [f"/api/v1/dossiers/{nth}" for nth in range(6)]
        assert (await verdict(hall.database)).sound

    async def test_with_an_endless_path_is_cut_and_still_told_from_others(self, hall: Hall) -> None:
        await keep_months(hall.database)
        evidence = Evidence(hall.database, KEY, Witness(""))
        async with running(evidence.run()):
            for end in "ab":
                await evidence.store(replace(call(1), path="/" + "x" * 60_000 + end))
        paths = {row["path"] for row in await hall.rows("SELECT path FROM transaction_log")}
        assert (len(paths), {len(path) for path in paths}) == (2, {1000})

    async def test_is_written_once_when_the_answer_got_lost(self, hall: Hall, gate: Gate) -> None:
        """The database commits, the connection breaks before it can say so: the writer looks before it writes again."""
        evidence = Evidence(Database(gate.url, service="gateway"), KEY, Witness(""))
        async with running(evidence.run()):
            await evidence.store(call(1))
            gate.mute()
            storing = asyncio.create_task(evidence.store(call(2)))

            async def is_there() -> bool:
                return await hall.count("transaction_log") == 2

            await eventually(is_there)
            gate.shut()
            gate.thaw()
            await gate.open()
            await storing
            await evidence.store(call(3))
        assert await hall.count("transaction_log") == 3
        assert (await verdict(hall.database)).sound


async def test_probing_needs_no_more_than_the_role_has(open_guarded: Guarded) -> None:
    """The rolled-back trial row is one that the run-time role may write."""
    from gateway.operations.evidence.statements import PROBE  # noqa: PLC0415

    database = Database(open_guarded.url, service="gateway")
    await keep_months(database)
    async with administrator(database) as role:
        attempt = role.transaction()
        await attempt.start()
        done = await role.execute(PROBE, await role.fetchval("SELECT now()"))
        await attempt.rollback()
        assert done == "INSERT 0 1"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute("DELETE FROM transaction_log")
    await database.close()
