"""What must hold of payment's database at every moment, whatever happened: each query finds what breaks it.

The ledger is compared with sums of the tables that say what became of fees, money and refunds: two accounts of the same
facts, written by different code.
"""

from typing import Any

from sqlalchemy import text

from shared.db import Database

LEDGER = """
    SELECT a.kind, sum(m.vnd)::bigint AS vnd FROM (
        SELECT debit AS code, amount_vnd AS vnd FROM ledger_entry
        UNION ALL SELECT credit, -amount_vnd FROM ledger_entry) AS m JOIN ledger_account a USING (code)
    GROUP BY a.kind
"""
_ADJUSTED = """
    SELECT coalesce(sum(CASE a.kind WHEN 'clearing' THEN e.amount_vnd ELSE -e.amount_vnd END), 0)::bigint
    FROM ledger_entry e JOIN ledger_account a ON a.code = e.debit WHERE e.cause IN ('adjusted', 'reversed')
"""
TABLES = """
    SELECT coalesce((SELECT sum(amount_vnd) FROM fee WHERE status = 'due'), 0)::bigint AS due_vnd,
           coalesce((SELECT sum(amount_vnd) FROM fee WHERE status IN ('due', 'paid')), 0)::bigint AS asked_vnd,
           coalesce((SELECT sum(amount_vnd) FROM deposit), 0)::bigint AS came_vnd,
           coalesce((SELECT sum(r.amount_vnd) FROM refund r JOIN deposit d USING (provider, transaction_number)
                     WHERE d.settles_fee), 0)::bigint AS unearned_vnd,
           coalesce((SELECT sum(amount_vnd) FROM refund
                     WHERE status IN ('requested', 'failed')), 0)::bigint AS owed_vnd,
           coalesce((SELECT sum(amount_vnd) FROM refund WHERE status = 'sent'), 0)::bigint AS sent_vnd,
           coalesce((SELECT sum(amount_vnd) FROM refund WHERE status = 'done'), 0)::bigint AS done_vnd
"""
BROKEN = {
    "refunds above what was paid": """
        SELECT d.transaction_number FROM deposit d JOIN refund r USING (provider, transaction_number)
        GROUP BY d.provider, d.transaction_number, d.amount_vnd, d.refunded_vnd
        HAVING sum(r.amount_vnd) > d.amount_vnd OR sum(r.amount_vnd) <> d.refunded_vnd""",
    "money kept in silence": """
        SELECT d.transaction_number FROM deposit d WHERE NOT d.settles_fee AND d.refunded_vnd <> d.amount_vnd""",
    "fees paid other than once": """
        SELECT f.id FROM fee f LEFT JOIN deposit d ON d.settles_fee
            AND d.payment_id IN (SELECT p.id FROM payment p WHERE p.fee_id = f.id)
        GROUP BY f.id, f.status
        HAVING count(d.transaction_number) <> CASE f.status WHEN 'paid' THEN 1 ELSE 0 END""",
    "fees settled other than once in the ledger": """
        SELECT f.id FROM fee f LEFT JOIN ledger_entry e ON e.fee_id = f.id AND e.cause = 'settled'
        GROUP BY f.id, f.status, f.amount_vnd
        HAVING coalesce(sum(e.amount_vnd), 0) <> CASE f.status WHEN 'paid' THEN f.amount_vnd ELSE 0 END
            OR count(DISTINCT e.transaction_number) > 1""",
    "paid fees without a receipt": """
        SELECT f.id FROM fee f LEFT JOIN receipt r ON r.fee_id = f.id AND r.kind = 'receipt'
        GROUP BY f.id, f.status, f.amount_vnd
        HAVING coalesce(sum(r.amount_vnd), 0) <> CASE f.status WHEN 'paid' THEN f.amount_vnd ELSE 0 END""",
    "series with a gap": """
        SELECT issuer_code, series FROM receipt GROUP BY issuer_code, series
        HAVING min(number) <> 1 OR max(number) <> count(*) OR count(DISTINCT number) <> count(*)""",
    "series whose last number is not the last": """
        SELECT s.series FROM receipt_series s
        WHERE s.last_number <> (SELECT count(*) FROM receipt r
                                WHERE r.issuer_code = s.issuer_code AND r.series = s.series)""",
    "numbers out of the order of time": """
        SELECT r.id FROM (SELECT id, issued_at, lag(issued_at) OVER (PARTITION BY issuer_code, series ORDER BY number)
                          AS before FROM receipt) AS r WHERE r.before > r.issued_at""",
    "two open attempts": """
        SELECT fee_id FROM payment WHERE status = 'initiated' GROUP BY fee_id HAVING count(*) > 1""",
    "differences resolved by one person": "SELECT id FROM difference WHERE resolved_by = explained_by",
}


async def audit(database: Database) -> None:
    """Raise AssertionError, saying what is wrong, unless everything holds."""
    async with database.session() as session:
        for what, query in BROKEN.items():
            found = (await session.execute(text(query))).all()
            assert not found, f"{what}: {found}"
        ledger = {row.kind: row.vnd for row in await session.execute(text(LEDGER))}
        tables = (await session.execute(text(TABLES))).one()
        adjusted_vnd = await session.scalar(text(_ADJUSTED)) or 0
    assert sum(ledger.values()) == 0
    assert {kind: vnd for kind, vnd in ledger.items() if vnd} == expected(tables, adjusted_vnd)


def expected(tables: Any, adjusted_vnd: int) -> dict[str, int]:
    """Return what the accounts of each kind must hold according to the other tables."""
    expected = {
        "receivable": tables.due_vnd,
        "revenue": tables.unearned_vnd - tables.asked_vnd,
        "clearing": tables.came_vnd + adjusted_vnd,
        "suspense": -tables.owed_vnd - adjusted_vnd,
        "transit": -tables.sent_vnd,
        "treasury": -tables.done_vnd,
    }
    return {kind: vnd for kind, vnd in expected.items() if vnd}
