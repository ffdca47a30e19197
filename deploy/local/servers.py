"""PostgreSQL and RabbitMQ of the stack, private ones or the user's own, and what the services own there."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy.local.accounts import ensure_broker_users, ensure_databases, guard_log, login_to, login_url, owner_of
from deploy.local.folder import ROOT, RunFolder
from deploy.local.postgres import PostgresServer
from deploy.local.processes import tail
from deploy.local.program import NotStarted, Program
from deploy.local.rabbitmq import VHOST, RabbitMQServer
from deploy.packages import PACKAGES

BROKER_WATCHERS = frozenset({"gateway"})
GUARDED = frozenset({"gateway"})
"""Services whose own role may not change its tables (docs/decisions/0033)."""
MIGRATIONS_TIMEOUT_S = 300


class SettingsMissing(Exception):
    """The user's own servers are named incompletely; the message says what is missing."""


@dataclass(frozen=True)
class Phase:
    """A server to wait for (None: the user's own, already there), and what is done once it is ready."""

    server: Program | None
    label: str
    then: Callable[[], None]


class Servers:
    """Where the services' databases and queues are.

    POSTGRES_URL (an administrator's address), RABBITMQ_URL with RABBITMQ_MANAGEMENT_URL (likewise) replace the private
    servers. Raises SettingsMissing.
    """

    def __init__(self, folder: RunFolder, secrets: Callable[[str], str]) -> None:
        self._folder = folder
        self._secrets = secrets
        self._yours = {
            name: os.environ.get(f"{name}_URL", "") for name in ("POSTGRES", "RABBITMQ", "RABBITMQ_MANAGEMENT")
        }
        if bool(self._yours["RABBITMQ"]) != bool(self._yours["RABBITMQ_MANAGEMENT"]):
            raise SettingsMissing(
                "A RabbitMQ of yours needs both RABBITMQ_URL=amqp://admin:password@host:5672 "
                "and RABBITMQ_MANAGEMENT_URL=http://admin:password@host:15672."
            )
        self.postgres: PostgresServer | None = None
        self.rabbitmq: RabbitMQServer | None = None
        if not self._yours["POSTGRES"]:
            self.postgres = PostgresServer(folder.path / "postgres", log=folder.logs / "postgres.log")
        if not self._yours["RABBITMQ"]:
            self.rabbitmq = RabbitMQServer(folder.path / "rabbitmq", log=folder.logs / "rabbitmq.log")

    def phases(self) -> Sequence[Phase]:
        """Return the servers, the one that is ready sooner first."""
        return [
            Phase(self.postgres, "databases and migrations", self._prepare_databases),
            Phase(self.rabbitmq, "broker users and rights", self._prepare_broker),
        ]

    @property
    def postgres_admin_url(self) -> str:
        """The administrator's address of PostgreSQL."""
        return self.postgres.url if self.postgres else self._yours["POSTGRES"]

    @property
    def amqp_admin_url(self) -> str:
        """The administrator's AMQP address, at the services' virtual host."""
        if self.rabbitmq:
            return self.rabbitmq.url
        return urlsplit(self._yours["RABBITMQ"])._replace(path=f"/{VHOST}").geturl()

    @property
    def management_admin_url(self) -> str:
        """The management API with the administrator's name and password."""
        return self.rabbitmq.admin_api_url if self.rabbitmq else self._yours["RABBITMQ_MANAGEMENT"].rstrip("/")

    def database_url(self, service: str) -> str:
        """Return a service's database, as its role."""
        role = f"motcua_{service}"
        return login_url(self.postgres_admin_url, role, self._secrets(f"database-{service}"), role)

    def amqp_url(self, service: str) -> str:
        """Return the broker, as a service's user."""
        return login_url(self.amqp_admin_url, service, self._secrets(f"broker-{service}"), VHOST)

    def management_url(self, service: str) -> str:
        """Return the management API as a service's user; only BROKER_WATCHERS may look at it."""
        return login_url(self.management_admin_url, service, self._secrets(f"broker-{service}"), "").rstrip("/")

    def _prepare_databases(self) -> None:
        passwords = {f"motcua_{service}": self._secrets(f"database-{service}") for service in PACKAGES}
        guarded = {f"motcua_{service}" for service in GUARDED}
        asyncio.run(ensure_databases(self.postgres_admin_url, passwords, guarded=guarded))
        self._migrate({package: self._as_owner(service) for service, package in PACKAGES.items()})
        months = os.environ.get("MOTCUA_TRANSACTION_LOG_MONTHS")
        for name in guarded:
            asyncio.run(guard_log(self.postgres_admin_url, name, months=int(months) if months else None))

    def _as_owner(self, service: str) -> tuple[str, str]:
        """Return a service's database as whoever may change its tables, and the role to do it as."""
        name = f"motcua_{service}"
        if service in GUARDED:
            return login_to(self.postgres_admin_url, name), owner_of(name)
        return self.database_url(service), ""

    def _migrate(self, databases: Mapping[str, tuple[str, str]]) -> None:
        # One process for all: what it imports takes longer than what it does.
        log = self._folder.logs / "migrations.log"
        with log.open("wb") as output:
            migrated = subprocess.run(
                [sys.executable, "-m", "deploy.local.migrations"],
                input=json.dumps(databases).encode(),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                timeout=MIGRATIONS_TIMEOUT_S,
                check=False,
            )
        if migrated.returncode != 0:
            raise NotStarted(f"The migrations failed. The end of {log}:\n{tail(log)}")

    def _prepare_broker(self) -> None:
        passwords = {service: self._secrets(f"broker-{service}") for service in PACKAGES}
        ensure_broker_users(self.management_admin_url, passwords, watchers=BROKER_WATCHERS)
