"""The migrated database is what the models say."""

import asyncio

from shared import migrations


async def test_no_difference(database_url: str) -> None:
    await asyncio.to_thread(migrations.check, "services.workflow", database_url)
