"""The portal, told of our procedures by its own codes."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from gateway.models import CatalogueItem
from gateway.portal.catalogue import PROCEDURES, PortalCodes, codes_of, in_portal_codes, own_code
from gateway.portal.port import Portal, RowAnswer, Words
from shared import clock
from shared.db import Database

FRESH_S = 60


class InPortalCodes:
    """Passes everything on to a portal; HoSo go out with the codes of the catalogue that was pulled last."""

    def __init__(self, portal: Portal, database: Database) -> None:
        self._portal = portal
        self._database = database
        self._known: Mapping[str, PortalCodes] = {}
        self._fresh_until = 0.0
        self.shows = portal.shows

    async def send_dossiers(self, messages: Sequence[Words], *, updating: bool) -> dict[str, RowAnswer]:
        """Tell dossiers (HoSo) by the portal's codes."""
        known = await self._codes()
        return await self._portal.send_dossiers([in_portal_codes(one, known) for one in messages], updating=updating)

    async def send_progress(self, messages: Sequence[Words]) -> dict[str, RowAnswer]:
        """Tell progress (TienDo)."""
        return await self._portal.send_progress(messages)

    async def look_up(self, code: str) -> Words | None:
        """Return the HoSo that the portal holds, in its codes."""
        return await self._portal.look_up(code)

    async def list_held(self, *, after: str = "", limit: int = 1000) -> Sequence[Words]:
        """Return what the portal holds of us."""
        return await self._portal.list_held(after=after, limit=limit)

    async def list_catalogue(self, name: str) -> Sequence[Words]:
        """Return a list of the portal's catalogue."""
        return await self._portal.list_catalogue(name)

    async def find_procedure(self, code: str) -> Words | None:
        """Return a procedure with its details."""
        return await self._portal.find_procedure(code)

    async def _codes(self) -> Mapping[str, PortalCodes]:
        if clock.monotonic() >= self._fresh_until:
            wanted = select(CatalogueItem.code, CatalogueItem.entry).where(CatalogueItem.name == PROCEDURES)
            async with self._database.session() as session:
                rows = (await session.execute(wanted)).all()
            codes = {row.code: codes_of(row.entry) for row in rows}
            self._known = {own_code(code): found for code, found in codes.items()} | codes
            self._fresh_until = clock.monotonic() + FRESH_S
        return self._known
