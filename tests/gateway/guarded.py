"""A gateway's database as `motcua prepare` leaves it: owned by a role that nobody logs in as."""

import asyncio
from dataclasses import dataclass

from deploy.local.accounts import ensure_databases, guard_log, login_to, login_url, owner_of
from shared import migrations
from tests.support.servers import Databases

PASSWORD = "a-password"


@dataclass(frozen=True, slots=True)
class Guarded:
    """A gateway's database as `prepare` leaves it: its address for the administrator and for the run-time role."""

    name: str
    admin: str
    url: str


async def prepare(databases: Databases, name: str) -> Guarded:
    """Do what `motcua prepare` does for the gateway."""
    await ensure_databases(databases.admin_url, {name: PASSWORD}, guarded={name})
    admin = login_to(databases.admin_url, name)
    await asyncio.to_thread(migrations.upgrade, "gateway", admin, role=owner_of(name))
    await guard_log(databases.admin_url, name)
    return Guarded(name, admin, login_url(databases.admin_url, name, PASSWORD, name))


async def forget(databases: Databases, name: str) -> None:
    await databases.drop_database(name)
    for role in (name, owner_of(name)):
        await databases._execute(f'DROP ROLE IF EXISTS "{role}"')
