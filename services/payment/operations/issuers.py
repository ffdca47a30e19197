"""Who issues receipts for whom, and which treasury account money goes to: dated rows, imported by the hundred."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Table, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from services.payment.errors import IssuingInForce, IssuingNotYours
from services.payment.models import Issuer, IssuingDelegation, PaymentBase, TreasuryAccount
from shared.clock import VN
from shared.work import Work

Row = Mapping[str, Any]
_MODELS: tuple[type[PaymentBase], ...] = (Issuer, IssuingDelegation, TreasuryAccount)


@dataclass(slots=True)
class Imported:
    """What an import changed."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


async def import_issuing(
    work: Work, *, issuers: Sequence[Row], delegations: Sequence[Row], treasury_accounts: Sequence[Row]
) -> Imported:
    """Take in issuers, delegations and treasury accounts; the same import again changes nothing.

    Raises IssuingNotYours (another agency's), IssuingInForce (it would change what receipts say that were issued).
    """
    imported = Imported()
    for model, rows in zip(_MODELS, (issuers, delegations, treasury_accounts), strict=True):
        if rows:
            await _import(work, model.__table__, rows, imported)  # type: ignore[arg-type]
    return imported


async def _import(work: Work, table: Table, rows: Sequence[Row], imported: Imported) -> None:
    keys = list(table.primary_key.columns)
    known = await work.session.execute(
        select(table).where(tuple_(*keys).in_([tuple(row[key.name] for key in keys) for row in rows]))
    )
    before = {tuple(row[key.name] for key in keys): dict(row) for row in known.mappings()}
    today = work.now.astimezone(VN).date()
    fresh = []
    for row in rows:
        _require_own(work, row)
        old = before.get(tuple(row[key.name] for key in keys))
        if old == row:
            imported.unchanged += 1
            continue
        if old is not None:
            _require_ahead(row, today)
        imported.added, imported.changed = imported.added + (old is None), imported.changed + (old is not None)
        fresh.append(row)
    if fresh:
        put = insert(table)
        await work.session.execute(
            put.on_conflict_do_update(
                index_elements=keys,
                set_={column.name: put.excluded[column.name] for column in table.columns if column not in keys},
            ),
            fresh,
        )


def _require_own(work: Work, row: Row) -> None:
    for name in ("code", "agency_code", "issuer_code"):
        if name in row and not work.caller.may_see(row[name]):
            raise IssuingNotYours(f"{row[name]} is not below your agency.", agency_code=row[name])


def _require_ahead(row: Row, today: date) -> None:
    if row["valid_from"] <= today:
        raise IssuingInForce(
            "Add a row with a later valid_from instead of changing one that is in force.",
            agency_code=row.get("code") or row.get("agency_code"),
            valid_from=row["valid_from"].isoformat(),
        )
