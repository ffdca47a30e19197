"""Pulling the portal's catalogue, daily or when asked: its lists, details of what changed, how it differs from ours.

Nothing here changes the province's catalogue. A procedure that a whole list no longer has is proposed to be ended; a
list that cannot be whole (half an answer, rows without a code) ends nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.models import CatalogueDiff, CatalogueItem, CataloguePull
from gateway.portal.catalogue import AGENCIES, FIELDS, PROCEDURES, Listed, digest, listed, own_code
from gateway.portal.port import Portal, PortalSaidNo, PortalUnclear, Words
from shared import clock, log
from shared.db import Database, is_outage
from shared.errors import DomainError
from shared.ids import new_id
from shared.leading import for_ever, leading

SCHEDULE = "schedule"
LOOK_S = 2.0
COMPARED_AT_ONCE = 500
DETAILS_AT_ONCE = 4
_LOCK_KEY = 0x63617461  # "cata": the lock of the active puller
COMPLETE, INCOMPLETE, FAILED = "complete", "incomplete", "failed"
OPEN, APPLIED, DISMISSED, SETTLED = "open", "applied", "dismissed", "settled"
NEW, CHANGED, ENDED = "new", "changed", "ended"

_log = log.get(__name__)


class Province(Protocol):
    """The province's own catalogue, which intake has. Every call may raise UpstreamAway, UpstreamTimeout."""

    async def compare(self, rows: Sequence[Words]) -> Sequence[Mapping[str, Any]]:
        """Return {code, kind, fields} of rows that are not as they stand there."""

    async def in_force(self, code: str) -> bool:
        """Tell whether a procedure takes dossiers today."""


@dataclass(frozen=True, slots=True)
class PullPlan:
    """How often and how much."""

    every_s: float | None = 86_400
    """None: only when somebody asks."""
    details_max: int = 5_000
    """Details asked for in one pull: what is new or changed first, then what was asked for longest ago."""
    refreshed_max: int = 200
    """So many of those that seem unchanged: their details may have changed all the same."""
    shrink_max: float = 0.05
    """A list that is shorter than the last whole one by more than this share is not believed."""
    lists: Sequence[str] = (PROCEDURES, FIELDS, AGENCIES)


@dataclass(slots=True)
class _Pulled:
    counts: dict[str, Any] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


async def ask_pull(session: AsyncSession, *, by: str, accept_smaller: bool = False) -> CataloguePull:
    """Ask for a pull; one that waits already is that pull. The caller commits."""
    waiting = await queries.find_waiting_pull(session)
    if waiting is not None:
        waiting.accept_smaller = waiting.accept_smaller or accept_smaller
        return waiting
    pull = CataloguePull(id=new_id(), asked_at=clock.now(), asked_by=by, accept_smaller=accept_smaller, counts={})
    session.add(pull)
    await session.flush()
    return pull


class Puller:
    """Pulls when it is time or somebody asked; one of several replicas is active."""

    def __init__(self, database: Database, portal: Portal, province: Province, plan: PullPlan) -> None:
        self.database = database
        self.portal = portal
        self.province = province
        self.plan = plan

    async def run(self) -> None:
        """Pull for ever."""
        await for_ever("puller", self._lead, pause_s=LOOK_S)

    async def _lead(self) -> None:
        async with leading(self.database, _LOCK_KEY, poll_s=LOOK_S) as connection:
            while True:
                await connection.fetchval("SELECT 1")
                await self.pull_due()
                await asyncio.sleep(LOOK_S)

    async def pull_due(self) -> bool:
        """Carry out the pull that waits, or a day's own; return whether there was one."""
        async with self.database.session() as session:
            last = await queries.last_pull_at(session)
            waiting = await queries.find_waiting_pull(session)
            every_s = self.plan.every_s
            due = every_s is not None and (last is None or (clock.now() - last).total_seconds() >= every_s)
            if waiting is None and due:
                waiting = await ask_pull(session, by=SCHEDULE)
            await session.commit()
            if waiting is None:
                return False
            pull_id, accept_smaller = waiting.id, waiting.accept_smaller
        pulled = _Pulled()
        try:
            await self._pull(pull_id, pulled, shrink_max=1.0 if accept_smaller else self.plan.shrink_max)
            outcome = INCOMPLETE if pulled.doubts else COMPLETE
        except Exception as problem:
            # Our own database being away ends no pull; the portal or intake being away does.
            if is_outage(problem) and not isinstance(problem, PortalUnclear | DomainError):
                raise
            outcome = FAILED
            pulled.doubts.append(f"{type(problem).__name__}: {problem}")
        await self._end(pull_id, outcome, pulled)
        return True

    async def _end(self, pull_id: Any, outcome: str, pulled: _Pulled) -> None:  # noqa: ANN401 - a UUID
        async with self.database.session() as session:
            pull = await queries.get_pull(session, pull_id)
            pull.finished_at, pull.outcome, pull.counts = clock.now(), outcome, pulled.counts
            pull.reason = log.masked("; ".join(pulled.doubts))[:1000] or None
            await session.commit()
        _log.info("catalogue.pulled", outcome=outcome, **pulled.counts)

    async def _pull(self, pull_id: Any, pulled: _Pulled, *, shrink_max: float) -> None:  # noqa: ANN401 - a UUID
        for name in self.plan.lists:
            rows = await self.portal.list_catalogue(name)
            async with self.database.session() as session:
                await _keep_list(session, name, rows, pulled, shrink_max=shrink_max)
                await session.commit()
        await self._ask_details(pulled)
        await self._compare(pull_id, pulled)

    async def _ask_details(self, pulled: _Pulled) -> None:
        """Ask LayThuTuc for what is new or changed, and a few others: once a change, never once a dossier."""
        async with self.database.session() as session:
            missing = await queries.count_without_detail(session)
            most = min(self.plan.details_max, missing + self.plan.refreshed_max)
            codes = await queries.list_without_detail(session, most)
        failed = 0
        for start in range(0, len(codes), DETAILS_AT_ONCE):
            some = codes[start : start + DETAILS_AT_ONCE]
            found = await asyncio.gather(*(self.portal.find_procedure(code) for code in some), return_exceptions=True)
            failed += await self._keep_details(dict(zip(some, found, strict=True)))
            if failed >= DETAILS_AT_ONCE:
                break
        pulled.counts["details"] = len(codes) - failed
        if failed:
            pulled.doubts.append("LayThuTuc: not every procedure's details came; the next pull asks again")

    async def _keep_details(self, found: Mapping[str, Words | BaseException | None]) -> int:
        async with self.database.session() as session:
            for code, detail in found.items():
                if isinstance(detail, BaseException) and not isinstance(detail, PortalUnclear | PortalSaidNo):
                    raise detail
                if isinstance(detail, dict) and own_code(str(detail.get("MATTHC"))) == own_code(code):
                    item = await session.get_one(CatalogueItem, (PROCEDURES, code))
                    item.detail, item.detail_at = detail, clock.now()
            await session.commit()
        return sum(not isinstance(detail, dict) for detail in found.values())

    async def _compare(self, pull_id: Any, pulled: _Pulled) -> None:  # noqa: ANN401 - a UUID
        async with self.database.session() as session:
            items = await queries.list_items(session, PROCEDURES)
        rows = [item.detail for item in items.values() if item.detail and item.gone_at is None]
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(rows), COMPARED_AT_ONCE):
            found += await self.province.compare(rows[start : start + COMPARED_AT_ONCE])
        gone = [item.code for item in items.values() if item.gone_at is not None]
        ended = [code for code in gone if await self.province.in_force(code)]
        kinds = {one["code"]: (NEW if one["kind"] == "added" else CHANGED, list(one["fields"])) for one in found}
        kinds |= {code: (ENDED, []) for code in ended}
        async with self.database.session() as session:
            await _keep_diffs(session, pull_id, kinds)
            await session.commit()
        for kind in (NEW, CHANGED, ENDED):
            pulled.counts[kind] = sum(known == kind for known, _ in kinds.values())


async def _keep_list(
    session: AsyncSession, name: str, rows: Sequence[Words], pulled: _Pulled, *, shrink_max: float
) -> None:
    """Keep what a list says; what it lacks is gone only when it is whole."""
    items, now = await queries.list_items(session, name), clock.now()
    before = sum(item.gone_at is None for item in items.values())
    found: Listed = listed(name, rows, before=before, shrink_max=shrink_max)
    pulled.counts[name] = len(found.rows)
    for code, row in found.rows.items():
        item, seen = items.get(code), digest(row)
        if item is None:
            session.add(CatalogueItem(name=name, code=code, entry=row, digest=seen, seen_at=now))
            continue
        if item.digest != seen or item.gone_at is not None:
            item.entry, item.digest, item.detail_at, item.gone_at = row, seen, None, None
        item.seen_at = now
    if found.doubt:
        pulled.doubts.append(found.doubt)
        return
    for code, item in items.items():
        if code not in found.rows and item.gone_at is None:
            item.gone_at = now


async def _keep_diffs(session: AsyncSession, pull_id: Any, kinds: Mapping[str, tuple[str, list[Any]]]) -> None:  # noqa: ANN401 - a UUID
    """Let the open differences be those that were found; one that is no longer found is settled."""
    now = clock.now()
    standing = {one.code: one for one in await queries.list_open_diffs(session)}
    dismissed = {one.code: (one.kind, one.fields) for one in await queries.list_dismissed(session, list(kinds))}
    kinds = {code: found for code, found in kinds.items() if dismissed.get(code) != found}
    for code, diff in standing.items():
        if code not in kinds:
            diff.state, diff.decided_at, diff.note = SETTLED, now, "a later pull no longer found it"
    for code, (kind, fields) in kinds.items():
        known = standing.get(code)
        if known is None:
            diff = CatalogueDiff(pull_id=pull_id, code=code, kind=kind, fields=fields, found_at=now, state=OPEN)
            session.add(diff)
        elif (known.kind, known.fields) != (kind, fields):
            known.pull_id, known.kind, known.fields, known.found_at = pull_id, kind, fields, now
