"""The run-time role may add to the log and nothing else; nobody logs in as the role that owns it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.accounts import ensure_databases, guard_log, login_url, owner_of
from gateway.operations.evidence import Evidence, Witness, drop_old, keep_months, verify_database
from gateway.operations.evidence.months import months_after
from gateway.operations.evidence.stretches import Outside
from shared import clock, migrations
from shared.db import Database
from tests.gateway.guarded import PASSWORD, Guarded, forget, prepare
from tests.gateway.hall import Hall
from tests.gateway.ledger import KEY, LAST, age, call
from tests.support.bus import running
from tests.support.servers import Databases


@pytest.fixture(scope="module")
async def guarded(databases: Databases) -> AsyncIterator[Guarded]:
    name = f"guarded_{uuid4().hex[:12]}"
    found = await prepare(databases, name)
    database = Database(found.url, service="gateway")
    await keep_months(database)
    await _write(database, LAST)
    await database.close()
    yield found
    await forget(databases, name)


async def _write(database: Database, count: int) -> None:
    evidence = Evidence(database, KEY, Witness(""))
    async with running(evidence.run()):
        await asyncio.gather(*(evidence.store(call(nth)) for nth in range(1, count + 1)))


@pytest.fixture
async def role(guarded: Guarded) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection as the run-time role."""
    connection = await asyncpg.connect(guarded.url)
    yield connection
    await connection.close()


PART = f"transaction_log_{months_after(clock.now(), 0):%Y_%m}"
FORBIDDEN = [
    "UPDATE {t} SET status = 200",
    "DELETE FROM {t}",
    "TRUNCATE {t}",
    "DROP TABLE {t}",
    "ALTER TABLE {t} DISABLE TRIGGER ALL",
    "ALTER TABLE {t} ADD COLUMN x int",
    "ALTER TABLE {t} OWNER TO CURRENT_USER",
    "ALTER TABLE {t} RENAME TO gone",
    "CREATE TRIGGER x BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE x AS ON INSERT TO {t} DO INSTEAD NOTHING",
]


class TestRole:
    """What the gateway runs as."""

    @pytest.mark.parametrize("table", ["transaction_log", PART])
    @pytest.mark.parametrize("statement", FORBIDDEN, ids=lambda words: words.split("{")[0].strip())
    async def test_is_refused(self, role: asyncpg.Connection, table: str, statement: str) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute(statement.format(t=table))
        assert await role.fetchval(f"SELECT count(*) >= {LAST} FROM transaction_log")

    @pytest.mark.parametrize(
        "statement",
        [
            f"ALTER TABLE transaction_log DETACH PARTITION {PART}",
            f"INSERT INTO {PART} SELECT * FROM transaction_log",
            f"SELECT * FROM {PART}",
            "DELETE FROM transaction_head",
            "DELETE FROM transaction_day",
            "UPDATE transaction_seal SET calls = 0",
            "DELETE FROM transaction_anchor",
            "UPDATE transaction_anchor SET number = 0",
            "UPDATE transaction_retention SET months = 1",
            "INSERT INTO transaction_retention VALUES (1)",
            "UPDATE alembic_version SET version_num = '0'",
            "CREATE TABLE mine (x int)",
            "CREATE OR REPLACE FUNCTION transaction_log_drop(part text) RETURNS void LANGUAGE sql AS ''",
            "SELECT transaction_log_guard('postgres')",
            "SET session_replication_role = replica",
        ],
    )
    async def test_may_not_get_round_it(self, role: asyncpg.Connection, statement: str) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute(statement)

    async def test_cannot_give_itself_more(self, guarded: Guarded, role: asyncpg.Connection) -> None:
        """PostgreSQL answers some of these with a warning: what counts is that nothing was given."""
        for statement in (
            f"GRANT UPDATE, DELETE, TRUNCATE ON transaction_log TO {guarded.name}",
            f"GRANT ALL ON {PART} TO {guarded.name}",
            f"GRANT {owner_of(guarded.name)} TO {guarded.name}",
            f"SET ROLE {owner_of(guarded.name)}",
            f"ALTER ROLE {guarded.name} SUPERUSER",
        ):
            try:
                await role.execute(statement)
            except asyncpg.PostgresError:
                continue
        rights = await role.fetchrow(
            "SELECT has_table_privilege($1, 'transaction_log', 'UPDATE,DELETE,TRUNCATE') AS log,"
            " has_table_privilege($1, $2, 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE') AS part,"
            " pg_has_role($1, $3, 'MEMBER') AS owner, (SELECT rolsuper FROM pg_roles WHERE rolname = $1) AS super",
            *(guarded.name, PART, owner_of(guarded.name)),
        )
        assert dict(rights or {}) == {"log": False, "part": False, "owner": False, "super": False}

    async def test_may_not_have_a_young_month_dropped(self, role: asyncpg.Connection) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not older than 24 whole months"):
            await role.execute("SELECT transaction_log_drop($1)", PART)

    async def test_may_not_fill_the_catalogue_with_months(self, role: asyncpg.Connection) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="800 days"):
            await role.execute("SELECT transaction_log_open('2030-01-01', '2040-01-01', true)")

    async def test_can_do_its_work(self, guarded: Guarded) -> None:
        """It writes, makes room, reads and verifies, and keeps its other tables."""
        database = Database(guarded.url, service="gateway")
        try:
            await keep_months(database)
            await _write(database, 3)
            found = await verify_database(guarded.url, Outside([KEY]), workers=1)
            assert found.sound
            hall = Hall(database)
            await hall.rows("INSERT INTO subject_sequence (subject, last) VALUES ('x', 1)")
            await hall.rows("DELETE FROM subject_sequence")
            await hall.rows(
                "INSERT INTO intervention (subject, action, reason, actor, at) VALUES ('x', 'a', 'r', 'p', now())"
            )
        finally:
            await database.close()


class TestOwner:
    async def test_is_nobody(self, guarded: Guarded) -> None:
        """The role that owns the tables cannot log in, and owns every one of them."""
        connection = await asyncpg.connect(guarded.admin)
        assert not await connection.fetchval(
            "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", owner_of(guarded.name)
        )
        owners = await connection.fetch(
            "SELECT DISTINCT relowner::regrole::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
        await connection.close()
        assert [row["name"] for row in owners] == [owner_of(guarded.name)]

    async def test_lets_old_and_sealed_months_go(self, databases: Databases) -> None:
        """The run-time role seals and drops through the owner's function, once the month is old enough."""
        name = f"guarded_{uuid4().hex[:12]}"
        found = await prepare(databases, name)
        database, admin = Database(found.url, service="gateway"), Database(found.admin, service="gateway")
        try:
            await keep_months(database)
            await _write(database, LAST)
            await age(Hall(admin), 3)
            before = months_after(clock.now(), -1)
            assert await drop_old(database, KEY, before=before) == 0
            await guard_log(databases.admin_url, name, months=1)
            assert await drop_old(database, KEY, before=before) == 1
            assert (await verify_database(found.url, Outside([KEY]), workers=1)).first == LAST + 1
        finally:
            await database.close()
            await admin.close()
            await forget(databases, name)


class TestUpgrade:
    async def test_of_a_database_that_its_own_role_owned(self, databases: Databases) -> None:
        """What an earlier version left: records stay as they were, rights go, and running it twice changes nothing."""
        name = f"old_{uuid4().hex[:12]}"
        await ensure_databases(databases.admin_url, {name: PASSWORD})
        url = login_url(databases.admin_url, name, PASSWORD, name)
        await asyncio.to_thread(_upgrade_to, url, "0003")
        connection = await asyncpg.connect(url)
        await _write_as_before(connection)
        await connection.close()
        try:
            found = await prepare(databases, name)
            await prepare(databases, name)
            verified = await verify_database(found.url, Outside([KEY]), workers=1)
            assert (verified.sound, verified.records) == (True, LAST), verified.findings
            role = await asyncpg.connect(found.url)
            for statement in ("DELETE FROM transaction_log", "DROP TABLE transaction_log"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await role.execute(statement)
            await role.close()
        finally:
            await forget(databases, name)


def _upgrade_to(url: str, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - of this one test

    command.upgrade(migrations.config("gateway", url), revision)


async def _write_as_before(connection: asyncpg.Connection) -> None:
    """Write records as version 0003 did: the trace id as text."""
    from dataclasses import astuple  # noqa: PLC0415

    from gateway.operations.evidence.chain import FIELDS, START, chained  # noqa: PLC0415

    start, now = months_after(clock.now(), 0), clock.now()
    await connection.execute(
        f"CREATE TABLE {PART} PARTITION OF transaction_log FOR VALUES FROM ('{start.isoformat()}')"
        f" TO ('{months_after(start, 1).isoformat()}')"
    )
    calls = [call(nth) for nth in range(1, LAST)]
    # A call outside any trace has none.
    calls.append(call(LAST))
    calls[-1].trace_id = ""
    for entry, (number, digest) in zip(calls, chained(START, calls, now), strict=True):
        values = [number, now, *astuple(entry), digest, KEY.sign(number, digest)]
        marks = ", ".join(f"${nth + 1}" for nth in range(len(values)))
        names = ", ".join(FIELDS)
        await connection.execute(
            f"INSERT INTO transaction_log (number, stored_at, {names}, hash, signature) VALUES ({marks})", *values
        )
