"""The portal loses what it was told, as a restore from an older backup would let it."""

import sqlite3

from pydantic import BaseModel, ConfigDict, Field

from deploy.portal.statuses import ACCEPTANCE


class Loss(BaseModel):
    """What is lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dossiers: list[str] = Field(min_length=1, max_length=10_000)
    keep: int = Field(0, ge=0, description="So many of its first statuses a dossier keeps; 0: it is gone.")


def lose(db: sqlite3.Connection, loss: Loss) -> int:
    """Forget what came after the statuses that are kept; return how many dossiers lost something."""
    return sum(_lose(db, code, loss.keep) for code in loss.dossiers)


def _lose(db: sqlite3.Connection, code: str, keep: int) -> bool:
    told = db.execute("select seq, status from status where dossier = ? order by seq", (code,)).fetchall()
    if len(told) <= keep:
        return False
    first_lost = told[keep]["seq"]
    for table in ("status", "tien_do"):
        db.execute(f"delete from {table} where dossier = ? and seq >= ?", (code, first_lost))
    if keep == 0:
        db.execute("delete from dossier where code = ?", (code,))
    else:
        last = told[keep - 1]
        accepted = any(row["status"] == ACCEPTANCE for row in told[:keep])
        db.execute(
            "update dossier set status = ?, accepted = ?, digest = null, seq = ? where code = ?",
            (last["status"], accepted, last["seq"], code),
        )
    return True
