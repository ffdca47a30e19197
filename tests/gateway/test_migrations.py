"""The migrated database is the one the models describe, from empty and in one line."""

import asyncio

from alembic.script import ScriptDirectory

from shared import migrations
from tests.support.servers import Databases


async def test_migrations_lead_to_the_models(gateway_url: str) -> None:
    await asyncio.to_thread(migrations.check, "gateway", gateway_url)


def test_migrations_have_one_head() -> None:
    script = ScriptDirectory.from_config(migrations.config("gateway", "postgresql://x/y"))
    assert len(script.get_heads()) == 1


async def test_migrations_run_with_any_password(databases: Databases) -> None:
    """One that a URL must escape holds a percent sign, which configuration files take for their own."""
    url = await databases.create_database()
    name = url.rpartition("/")[2]
    role = f"role_{name[-12:]}"
    await databases._execute(f"CREATE ROLE {role} LOGIN PASSWORD 'a%b@c:d/e'")
    await databases._execute(f'ALTER DATABASE "{name}" OWNER TO {role}')
    try:
        own = url.replace(url.split("//")[1].split("@")[0], f"{role}:a%25b%40c%3Ad%2Fe")
        await asyncio.to_thread(migrations.upgrade, "gateway", own)
        await asyncio.to_thread(migrations.check, "gateway", own)
    finally:
        await databases.drop_database(name)
        await databases._execute(f"DROP ROLE {role}")
