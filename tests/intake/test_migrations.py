"""The migrated database is the one that the models describe."""

import asyncio

from shared import migrations


async def test_models_and_migrations_agree(database_url: str) -> None:
    await asyncio.to_thread(migrations.check, "services.intake", database_url)
