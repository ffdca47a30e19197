"""Deciding on what the portal's catalogue has otherwise: people do, one by one, or by a setting all is applied."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import DiffDecided
from gateway.models import CatalogueDiff, CatalogueItem
from gateway.operations.intake_catalogue import IntakeCatalogue
from gateway.operations.pulling import APPLIED, DISMISSED, ENDED, OPEN, Puller, PullPlan
from gateway.portal.catalogue import PROCEDURES, own_code
from gateway.portal.port import Portal
from shared import clock, log
from shared.db import Database
from shared.identifiers import dossier_day

AUTOMATIC = "automatic"
APPLIED_AT_ONCE = 500

_log = log.get(__name__)


async def apply_diff(
    database: Database, intake: IntakeCatalogue, *, diff_id: int, by: str, dry_run: bool
) -> tuple[CatalogueDiff, dict[str, Any]]:
    """Bring one difference into the province's catalogue through intake's import; return it and intake's report.

    Intake is called between two transactions; its key makes a repetition harmless. A procedure is never deleted: one
    that the portal no longer lists is ended as of today. Raises DiffUnknown, DiffDecided, UpstreamAway, IntakeRefused.
    """
    async with database.session() as session:
        diff = await _open(session, diff_id)
        row = await _detail(session, diff.code)
    key, report = f"catalogue-diff-{diff_id}", dict[str, Any]()
    if diff.kind == ENDED:
        if not dry_run:
            await intake.end(diff.code, last_day=dossier_day(clock.now()), key=key)
    elif row is not None:
        report = await intake.bring([row], key=f"{key}-{'dry' if dry_run else 'write'}", dry_run=dry_run)
    if dry_run:
        return diff, report
    async with database.session() as session:
        decided = _decided(await _open(session, diff_id, lock=True), APPLIED, by=by)
        await session.commit()
    return decided, report


async def dismiss_diff(session: AsyncSession, *, diff_id: int, by: str, note: str) -> CatalogueDiff:
    """Leave the province's catalogue as it is, with a reason; the same difference does not come up again.

    Raises DiffUnknown, DiffDecided.
    """
    return _decided(await _open(session, diff_id, lock=True), DISMISSED, by=by, note=log.masked(note))


class AutomaticPuller(Puller):
    """Applies what it finds, difference by difference; what intake refuses stays open for people."""

    def __init__(self, database: Database, portal: Portal, province: IntakeCatalogue, plan: PullPlan) -> None:
        super().__init__(database, portal, province, plan)
        self.intake = province

    async def pull_due(self) -> bool:
        """Pull, then apply."""
        pulled = await super().pull_due()
        if pulled:
            await self._apply_all()
        return pulled

    async def _apply_all(self) -> None:
        async with self.database.session() as session:
            found = await queries.list_diffs(session, state=OPEN, kind=None, after=0, limit=APPLIED_AT_ONCE)
        for diff in found:
            try:
                await apply_diff(self.database, self.intake, diff_id=diff.id, by=AUTOMATIC, dry_run=False)
            except Exception as problem:
                _log.warning("catalogue.not_applied", code=diff.code, reason=type(problem).__name__)


async def _open(session: AsyncSession, diff_id: int, *, lock: bool = False) -> CatalogueDiff:
    diff = await queries.get_diff(session, diff_id, lock=lock)
    if diff.state != OPEN:
        raise DiffDecided(f"It is {diff.state}.", state=diff.state)
    return diff


async def _detail(session: AsyncSession, code: str) -> dict[str, Any] | None:
    item = await session.get(CatalogueItem, (PROCEDURES, code))
    if item is None:
        items = await queries.list_items(session, PROCEDURES)
        item = next((one for one in items.values() if own_code(one.code) == own_code(code)), None)
    return item.detail if item else None


def _decided(diff: CatalogueDiff, state: str, *, by: str, note: str | None = None) -> CatalogueDiff:
    diff.state, diff.decided_at, diff.decided_by, diff.note = state, clock.now(), by, note
    return diff
