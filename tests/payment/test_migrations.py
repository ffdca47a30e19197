"""The migrated database is the one that the models describe."""

import asyncio

import asyncpg
from alembic import command
from sqlalchemy import text

from services.payment.models import Refund
from shared import migrations
from shared.db import Database
from shared.events.values import CollectedAt, FeeKind
from tests.payment import audit
from tests.payment.till import Till, item, raw, withdrawn
from tests.support.servers import Databases


async def test_models_and_migrations_agree(database_url: str) -> None:
    await asyncio.to_thread(migrations.check, "services.payment", database_url)


async def test_ledger_begins_with_what_happened_before_it(databases: Databases, till: Till) -> None:
    await a_bit_of_everything(till)
    url = await databases.create_database()
    await asyncio.to_thread(command.upgrade, migrations.config("services.payment", url), "0002")
    await copied(till, url, ("exemption", "fee", "payment", "deposit", "refund"))
    await asyncio.to_thread(migrations.upgrade, "services.payment", url)
    database = Database(url, service="payment")
    try:
        await reconciled(database)
    finally:
        await database.close()
        await databases.drop_database(url.rpartition("/")[2])


async def a_bit_of_everything(till: Till) -> None:
    """Leave fees that are due, paid, waived, paid twice and on their way back."""
    await till.owe()
    await till.post(f"/fees/{(await till.owe()).id}/waive", {"legal_basis": "Khoản 2 Điều 10"})
    attempt = await till.attempt(await till.owe())
    for _ in range(3):
        await till.confirm(attempt["reference"])
    (fee,) = await till.accept(item(30_000, CollectedAt.ON_RETURN, FeeKind.PHI), item(7_000, CollectedAt.ON_RETURN))
    await till.pay_in_cash(fee)
    await till.hear(raw(withdrawn(), fee.dossier_code))
    one, other, _ = await till.rows(Refund)
    for refund in (one, other):
        await till.post(f"/refunds/{refund.id}/send", {"transfer_reference": "FT1"})
    await till.post(f"/refunds/{one.id}/done")


async def copied(till: Till, url: str, tables: tuple[str, ...]) -> None:
    """Copy tables as they are into another database, column by column of what it has."""
    source, target = await asyncpg.connect(till.database.dsn), await asyncpg.connect(url)
    for table in tables:
        columns = await target.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position", table
        )
        names = ", ".join(row["column_name"] for row in columns)
        rows = await source.fetch(f"SELECT {names} FROM {table}")
        await target.copy_records_to_table(table, records=[tuple(row) for row in rows], columns=names.split(", "))
    await source.close()
    await target.close()


async def reconciled(database: Database) -> None:
    """Compare the ledger's accounts with what the other tables say."""
    async with database.session() as session:
        ledger = {row.kind: row.vnd for row in await session.execute(text(audit.LEDGER))}
        tables = (await session.execute(text(audit.TABLES))).one()
    assert {kind: vnd for kind, vnd in ledger.items() if vnd} == audit.expected(tables, 0)
    assert set(ledger) == {"receivable", "revenue", "clearing", "suspense", "transit", "treasury"}
