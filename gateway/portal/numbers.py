"""The numbers that the portal's REST dialect gave our dossiers, and digests of what it acknowledged last of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.models import PortalNumber
from gateway.portal.rest_words import Parts
from shared import clock
from shared.db import Database


@dataclass(frozen=True, slots=True)
class Known:
    """A dossier's number at the portal, and what it is known to hold of it; None is not known."""

    code: str
    number: str
    dossier_digest: bytes | None = None
    lists_digest: bytes | None = None
    state_digest: bytes | None = None


def known_as(parts: Parts, number: str) -> Known:
    """Return that the portal holds a dossier exactly so."""
    return Known(parts.code, number, parts.dossier_digest, parts.lists_digest, parts.state_digest)


class Numbers:
    """The table of numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, codes: Collection[str]) -> dict[str, Known]:
        """Return what is known of dossiers, by code."""
        async with self._database.session() as session:
            rows = await session.scalars(select(PortalNumber).where(PortalNumber.code.in_(codes)))
            return {
                row.code: Known(row.code, row.number, row.dossier_digest, row.lists_digest, row.state_digest)
                for row in rows
            }

    async def keep(self, known: Sequence[Known]) -> None:
        """Remember what the portal acknowledged."""
        if not known:
            return
        now = clock.now()
        statement = insert(PortalNumber).values(
            [
                {
                    "code": one.code,
                    "number": one.number,
                    "dossier_digest": one.dossier_digest,
                    "lists_digest": one.lists_digest,
                    "state_digest": one.state_digest,
                    "noted_at": now,
                }
                for one in sorted(known, key=lambda one: one.code)
            ]
        )
        newer = {name: statement.excluded[name] for name in _KEPT}
        async with self._database.session() as session:
            await session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=newer))
            await session.commit()

    async def doubt(self) -> None:
        """Take nothing for known but the numbers: the portal was told in other words meanwhile."""
        known = PortalNumber.dossier_digest.is_not(None) | PortalNumber.state_digest.is_not(None)
        unknown = dict.fromkeys(("dossier_digest", "lists_digest", "state_digest"))
        async with self._database.session() as session:
            await session.execute(update(PortalNumber).where(known).values(unknown))
            await session.commit()

    async def forget(self, codes: Collection[str]) -> None:
        """Forget dossiers that the portal says it does not have."""
        if codes:
            async with self._database.session() as session:
                await session.execute(delete(PortalNumber).where(PortalNumber.code.in_(codes)))
                await session.commit()


_KEPT = ("number", "dossier_digest", "lists_digest", "state_digest", "noted_at")
