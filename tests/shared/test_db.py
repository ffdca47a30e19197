"""What an error of the database means: away, in conflict, or the work is wrong."""

from collections.abc import Awaitable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared import clock
from shared.db import PLUMBING, Database, is_conflict, is_outage
from shared.ids import first_id_at, new_id
from tests.support.bus import Side
from tests.support.gate import gate_before


async def error_of(awaitable: Awaitable[object]) -> Exception:
    try:
        await awaitable
    except Exception as problem:
        return problem
    raise AssertionError("it went well")


async def execute(database: Database, statement: str, **values: object) -> None:
    async with database.session() as session:
        await session.execute(text(statement), values)


class TestOutage:
    """The database is away: nothing is wrong with the work."""

    async def test_is_a_refused_and_a_cut_connection(self, toy: Side) -> None:
        async with gate_before(toy.database.dsn) as gate:
            database = Database(gate.url, service="toy")
            async with database.session() as session:
                await session.execute(text("SELECT 1"))
                gate.shut()
                assert is_outage(await error_of(session.execute(text("SELECT 1"))))
            assert is_outage(await error_of(execute(database, "SELECT 1")))
            assert is_outage(await error_of(database.connect()))
            await database.close()

    @pytest.mark.parametrize("state", ["57P01", "57P02", "57P03", "53300", "53100", "08006", "08003"])
    async def test_is_what_the_server_says_when_it_goes(self, toy: Side, state: str) -> None:
        statement = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
        assert is_outage(await error_of(execute(toy.database, statement)))

    async def test_is_a_terminated_backend(self, toy: Side) -> None:
        async with toy.database.session() as session:
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
            await toy.rows("SELECT pg_terminate_backend(:pid)", pid=pid)
            assert is_outage(await error_of(session.execute(text("SELECT 1"))))

    def test_is_a_pool_that_gives_no_connection_in_time(self) -> None:
        """Everybody waits for connections: that is load, not a poison event."""
        assert is_outage(PoolTimeout("QueuePool limit of size 16 overflow 0 reached"))

    def test_is_a_statement_that_took_too_long(self) -> None:
        assert is_outage(TimeoutError())


class TestFault:
    """The work is wrong: it would be wrong again."""

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT 1 / 0",
            "SELECT nonsense",
            "INSERT INTO inbox VALUES (NULL)",
            "INSERT INTO subject_sequence VALUES ('a', 1), ('a', 2)",
            "SELECT CAST('x' AS integer)",
            "INSERT INTO nowhere VALUES (1)",
        ],
    )
    async def test_is_no_outage_and_no_conflict(self, toy: Side, statement: str) -> None:
        problem = await error_of(execute(toy.database, statement))
        assert not is_outage(problem)
        assert not is_conflict(problem)

    async def test_is_a_value_that_cannot_even_be_sent(self, toy: Side) -> None:
        problem = await error_of(execute(toy.database, "SELECT CAST(:n AS integer)", n=2**40))
        assert not is_outage(problem)

    def test_is_any_other_error(self) -> None:
        assert not is_outage(KeyError("x"))
        assert not is_outage(ValueError("x"))


class TestConflict:
    """Two transactions met."""

    @pytest.mark.parametrize("state", ["40001", "40P01"])
    async def test_is_a_deadlock_or_a_serialisation_failure(self, toy: Side, state: str) -> None:
        statement = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
        problem = await error_of(execute(toy.database, statement))
        assert is_conflict(problem)
        assert not is_outage(problem)


class TestPlumbing:
    """The tables every service has."""

    async def test_is_created_as_it_is_declared(self, toy: Side) -> None:
        for table in PLUMBING.sorted_tables:
            columns = await toy.rows(
                "SELECT column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns"
                " WHERE table_name = :table",
                table=table.name,
            )
            found = {column["column_name"]: column["nullable"] for column in columns}
            assert found == {column.name: bool(column.nullable) for column in table.columns}, table.name


class TestIds:
    """Identifiers sort by the time of their making."""

    def test_of_a_moment_lie_between_its_neighbours(self) -> None:
        before = first_id_at(clock.now())
        ids = [new_id() for _ in range(1000)]
        assert all(before <= one for one in ids)
        assert len(set(ids)) == 1000
        assert {one.version for one in (*ids, before)} == {7}
        assert {one.variant for one in (*ids, before)} == {ids[0].variant}
