"""One private PostgreSQL and one private RabbitMQ for all workers of a test run, started when first asked for.

Each server has a keeper, a process of its own. Every worker that uses the server holds a shared lock on a file; when
the keeper gets that lock for itself, nobody is left (workers ended, were interrupted or were killed), so it stops the
server and deletes its folder. Tests that stop, freeze or kill a server start one of their own.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from deploy.local import web
from deploy.local.accounts import login_url
from deploy.local.folder import ROOT, read_json, write_json
from deploy.local.postgres import PostgresServer
from deploy.local.processes import spawn, tail
from deploy.local.rabbitmq import RabbitMQServer

START_TIMEOUT_S = 90
POLL_S = 0.1
KEEPER_POLL_S = 0.5


@dataclass(frozen=True)
class Databases:
    """The run's PostgreSQL: not durable, everything else as in production."""

    admin_url: str
    """The administrator's address, of the database `postgres`."""

    def url(self, database: str) -> str:
        """Return a database's address, as the administrator."""
        return urlsplit(self.admin_url)._replace(path=f"/{database}").geturl()

    async def create_database(self, name: str = "", *, template: str = "template0") -> str:
        """Create a database (a random name unless given; an existing one is replaced) and return its address."""
        name = name or f"test_{uuid4().hex}"
        await self.drop_database(name)
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@dataclass(frozen=True)
class Broker:
    """The run's RabbitMQ."""

    amqp_url: str
    """The administrator's address, of the virtual host `motcua`."""
    management_url: str
    """The management API with the administrator's name and password."""

    def create_vhost(self, name: str = "") -> str:
        """Create an empty virtual host (a random name unless given; replaces an existing one); return its address."""
        name = name or f"test-{uuid4().hex}"
        self.drop_vhost(name)
        web.call("PUT", f"{self.management_url}/api/vhosts/{name}", {})
        admin = urlsplit(self.management_url)
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        web.call("PUT", f"{self.management_url}/api/permissions/{name}/{admin.username}", everything)
        return login_url(self.amqp_url, admin.username or "", admin.password or "", name)

    def drop_vhost(self, name: str) -> None:
        """Delete a virtual host with everything in it."""
        if any(vhost["name"] == name for vhost in web.call("GET", f"{self.management_url}/api/vhosts")):
            web.call("DELETE", f"{self.management_url}/api/vhosts/{name}")

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make a call to the management API, path from /api on."""
        return web.call(method, self.management_url + path, body)


@pytest.fixture(scope="session")
def databases(testrun_uid: str) -> Iterator[Databases]:
    """Lend the run's PostgreSQL."""
    with _shared("postgres", testrun_uid) as facts:
        yield Databases(facts["admin_url"])


@pytest.fixture(scope="session")
def broker(testrun_uid: str) -> Iterator[Broker]:
    """Lend the run's RabbitMQ."""
    with _shared("rabbitmq", testrun_uid) as facts:
        yield Broker(facts["amqp_url"], facts["management_url"])


@contextmanager
def _shared(kind: str, run: str) -> Iterator[dict[str, str]]:
    """Hold a server of this test run, started by whoever comes first."""
    folder = Path(tempfile.gettempdir()) / f"motcua-tests-{os.geteuid()}-{run}" / kind
    with _lock_of_a_user(folder), (folder / "starting").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        facts = read_json(folder / "facts.json") or _start_keeper(kind, folder)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield facts


@contextmanager
def _lock_of_a_user(folder: Path) -> Iterator[None]:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            # A keeper that was just leaving has deleted the file meanwhile: its lock protects nobody.
            if (folder / "users").exists() and os.path.samestat((folder / "users").stat(), os.fstat(users.fileno())):
                yield
                return


def _start_keeper(kind: str, folder: Path) -> dict[str, str]:
    log = folder / "keeper.log"
    keeper = spawn(
        [sys.executable, "-m", "tests.support.servers", kind, str(folder)],
        log=log,
        environment=os.environ,
        folder=ROOT,
        death_signal=None,
    )
    deadline = monotonic() + START_TIMEOUT_S
    while monotonic() < deadline and keeper.poll() is None:
        facts = read_json(folder / "facts.json")
        if facts:
            return facts
        sleep(POLL_S)
    raise RuntimeError(f"The tests' {kind} did not start:\n{tail(log, 40)}")


# The keeper


def keep(kind: str, folder: Path) -> None:
    """Run a server until nobody uses it any more."""
    server, facts = KINDS[kind](folder / "server")
    server.start(timeout_s=START_TIMEOUT_S)
    write_json(folder / "facts.json", facts())
    with (folder / "users").open("a") as users:
        while not _alone(users.fileno()):
            if server.exit_code is not None:
                raise SystemExit(server.complaint())
            sleep(KEEPER_POLL_S)
        server.kill()
        server.stop()
        _remove(folder)


def _alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", str(folder)], check=False)
    if not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def _postgres(folder: Path) -> tuple[PostgresServer, Callable[[], dict[str, str]]]:
    server = PostgresServer(folder, durable=False)
    return server, lambda: {"admin_url": server.url}


def _rabbitmq(folder: Path) -> tuple[RabbitMQServer, Callable[[], dict[str, str]]]:
    server = RabbitMQServer(folder)
    return server, lambda: {"amqp_url": server.url, "management_url": server.admin_api_url}


KINDS = {"postgres": _postgres, "rabbitmq": _rabbitmq}

if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))
