"""What the services own in PostgreSQL and RabbitMQ: databases, roles, the virtual host, users and their rights."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from deploy.local import web
from deploy.local.rabbitmq import VHOST

EXCHANGE = "motcua.events"
CONNECT_TIMEOUT_S = 10


def login_url(url: str, user: str, password: str, path: str) -> str:
    """Return a server's address for another user and another database or virtual host."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{place}", path=f"/{path}"))


def owner_of(name: str) -> str:
    """Return the role that owns a guarded database; nobody logs in as it."""
    return f"{name}_owner"


async def ensure_databases(
    admin_url: str, passwords: Mapping[str, str], *, guarded: Collection[str] = frozenset()
) -> None:
    """Create a database for every role, which owns it and may enter no other; passwords are set anew.

    passwords maps a name to its password; role and database both have that name. A guarded database, with all that is
    in it, belongs to a role of its own instead (`owner_of`), as which only the administrator can act.
    """
    connection = await asyncpg.connect(admin_url, timeout=CONNECT_TIMEOUT_S)
    try:
        for name, password in passwords.items():
            await _ensure_role(connection, name, password)
            await _ensure_database(connection, name)
            if name in guarded:
                await _guard(connection, login_to(admin_url, name), name)
    finally:
        await connection.close()


def login_to(url: str, database: str) -> str:
    """Return a server's address at another database, with the same login."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


async def _guard(connection: asyncpg.Connection, url: str, name: str) -> None:
    """Give a database and all that a role owned in it to an owner that nobody logs in as."""
    owner = owner_of(name)
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", owner):
        await _execute(connection, "CREATE ROLE %I NOLOGIN", owner)
    # An administrator that is no superuser must be a member of both roles to hand things over.
    await _execute(connection, "GRANT %I, %I TO CURRENT_USER", name, owner)
    await _execute(connection, "ALTER DATABASE %I OWNER TO %I", name, owner)
    await _execute(connection, "GRANT CONNECT ON DATABASE %I TO %I", name, name)
    inside = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    try:
        await _execute(inside, "REASSIGN OWNED BY %I TO %I", name, owner)
        await _execute(inside, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        await _execute(inside, "GRANT USAGE, CREATE ON SCHEMA public TO %I", owner)
    finally:
        await inside.close()


async def guard_log(admin_url: str, name: str, *, months: int | None = None) -> None:
    """Give a migrated gateway's role the rights it runs with, and no more; months is what the log keeps at least.

    The rights stand with the tables (`transaction_log_guard`, migration 0006).
    """
    connection = await asyncpg.connect(login_to(admin_url, name), timeout=CONNECT_TIMEOUT_S)
    try:
        await _execute(connection, "SET ROLE %I", owner_of(name))
        await connection.execute("SELECT transaction_log_guard($1)", name)
        if months is not None:
            await connection.execute("DELETE FROM transaction_retention")
            await connection.execute("INSERT INTO transaction_retention VALUES ($1)", months)
    finally:
        await connection.close()


async def _ensure_role(connection: asyncpg.Connection, name: str, password: str) -> None:
    known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if known else "CREATE"
    await _execute(connection, f"{verb} ROLE %I LOGIN PASSWORD %L", name, password)


async def _ensure_database(connection: asyncpg.Connection, name: str) -> None:
    if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        return
    # An administrator that is no superuser (a managed service) must be a member of the role it gives a database to.
    await _execute(connection, "GRANT %I TO CURRENT_USER", name)
    await _execute(connection, "CREATE DATABASE %1$I OWNER %1$I TEMPLATE template0 ENCODING 'UTF8'", name)
    await _execute(connection, "REVOKE CONNECT ON DATABASE %I FROM PUBLIC", name)


async def _execute(connection: asyncpg.Connection, template: str, *words: str) -> None:
    # Statements that name things take no parameters: the server itself quotes the words.
    holes = "".join(f", ${number}::text" for number in range(2, len(words) + 2))
    statement: str | None = await connection.fetchval(f"SELECT format($1::text{holes})", template, *words)
    await connection.execute(statement or "")


def ensure_broker_users(api_url: str, passwords: Mapping[str, str], *, watchers: frozenset[str]) -> None:
    """Create the virtual host and a user per service with rights on its own names only; passwords are set anew.

    A service S declares and uses `S.…`, reads `motcua.events` and publishes events named `S.…` to it. watchers may
    also look at the broker through the management API. api_url holds the administrator's name and password.

    Raises deploy.local.web.CallRefused.
    """
    web.call("PUT", f"{api_url}/api/vhosts/{VHOST}", {})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    web.call("PUT", f"{api_url}/api/permissions/{VHOST}/{urlsplit(api_url).username}", everything)
    for name, password in passwords.items():
        tags = "monitoring" if name in watchers else ""
        web.call("PUT", f"{api_url}/api/users/{name}", {"password": password, "tags": tags})
        web.call("PUT", f"{api_url}/api/permissions/{VHOST}/{name}", _rights(name))
        own_events = {"exchange": EXCHANGE, "write": rf"^{re.escape(name)}\.", "read": ".*"}
        web.call("PUT", f"{api_url}/api/topic-permissions/{VHOST}/{name}", own_events)


def _rights(service: str) -> Mapping[str, str]:
    own = rf"^({re.escape(service)}\..*|{re.escape(EXCHANGE)})$"
    # Dead letters travel through the default exchange, on which their queue's owner must be allowed to write.
    return {"configure": own, "read": own, "write": own.replace(")$", r"|amq\.default)$")}
