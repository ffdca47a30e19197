"""Which intake an import goes to: the one that is named, else that of the stack that is up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.local.folder import local_database_urls
from shared.db import Database, is_outage

HOW = (
    "There is no intake database to write to. Start the stack (make up), or name a migrated database with "
    "--database postgresql://… or MOTCUA_INTAKE_DATABASE_URL. To look at a file only: --dry-run."
)
CONNECT_TIMEOUT_S = 10


class NoTargetError(Exception):
    """No database was named, and no stack is up."""


def database_url(named: str) -> str | None:
    """Return the address that was named, else that of the local stack's intake; None when there is neither."""
    return named or local_database_urls().get("intake")


@asynccontextmanager
async def opened(url: str | None) -> AsyncIterator[Database]:
    """Open intake's database; raises NoTargetError saying what is missing."""
    if url is None:
        raise NoTargetError(HOW)
    await _check(url)
    database = Database(url, service="intake", connections_max=2)
    try:
        yield database
    finally:
        await database.close()


async def _check(url: str) -> None:
    """Say in words why a database cannot be used."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, ValueError) as problem:
        where = "It does not answer" if is_outage(problem) else "It lets nobody in"
        raise NoTargetError(f"{where}: {type(problem).__name__}. {HOW}") from problem
    try:
        ready = await connection.fetchval("SELECT to_regclass('catalogue_import') IS NOT NULL")
    finally:
        await connection.close()
    if not ready:
        raise NoTargetError("The database is not intake's, or is older than this program: motcua migrate intake")
