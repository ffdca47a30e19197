"""What the services own in PostgreSQL and RabbitMQ: databases, roles, the virtual host, users and their rights."""

import re
from collections.abc import Mapping
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


async def ensure_databases(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create a database for every role, which owns it and may enter no other; passwords are set anew.

    passwords maps a name to its password; role and database both have that name.
    """
    connection = await asyncpg.connect(admin_url, timeout=CONNECT_TIMEOUT_S)
    try:
        for name, password in passwords.items():
            await _ensure_role(connection, name, password)
            await _ensure_database(connection, name)
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
    holes = ", ".join(f"${number}::text" for number in range(2, len(words) + 2))
    statement: str | None = await connection.fetchval(f"SELECT format($1::text, {holes})", template, *words)
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
