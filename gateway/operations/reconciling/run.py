"""One reconciliation from its request to its report: the portal's list first, then every dossier that is due.

What the list shows otherwise than we know it is only suspected: each suspect, like each dossier that is due, is looked
up at the portal and judged between two looks at our own record, so that what is merely on its way is never taken for a
difference. A run that is broken off is taken up where it stood.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.operations.reconciling import records
from gateway.operations.reconciling.judging import Finding, Kind, Told, judge
from gateway.operations.reconciling.redriving import redrive
from gateway.portal.messages import dossier_message, with_links
from gateway.portal.port import Portal, PortalSaidNo, PortalUnclear, Words
from gateway.states import PortalStatus
from shared import clock, log
from shared.db import Database
from shared.errors import DomainError

LIST_PAGE = 1000
TRIES = 2
"""At one look-up in a run; the next run tries again."""
STUCK_AFTER = 3
"""Failed attempts after which what is owed is no longer taken to be merely on its way."""
REDRIVES_MAX = 3
"""A difference that comes back so often is left to people."""
UNKNOWN_GRACE = timedelta(minutes=15)
"""What was listed first so recently may still be on its way to us."""
CLOCKS_APART = timedelta(seconds=5)
"""So far may the clocks of two gateways differ."""
OPEN_AGAIN, FINAL_AGAIN = (3.0, 6.0), (15.0, 28.0)
"""Days until a dossier is compared again, drawn between the two, so that a share comes up every day."""
NO_SERVICE_WORDS = "không có dịch vụ"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FACTS = text("SELECT code, facts, portal_status FROM dossier_view WHERE code = ANY(CAST(:codes AS text[]))")
_START = text("UPDATE portal_run SET started_at = coalesce(started_at, :now) WHERE id = :run RETURNING started_at")
_LISTED = text("UPDATE portal_run SET two_way = :two_way WHERE id = :run")
_FINISH = text(
    """
    UPDATE portal_run SET finished_at = :now, period_from = :period,
        dossiers_accepted = (SELECT count(*) FROM portal_debt
                             WHERE status = 2 AND happened_at >= :period AND happened_at < :until),
        dossiers_synced = (SELECT count(*) FROM portal_debt
                           WHERE status = 2 AND happened_at >= :period AND happened_at < :until
                             AND acknowledged_at IS NOT NULL)
    WHERE id = :run
    """
)

_log = log.get(__name__)


class PortalAway(Exception):
    """The portal says nothing definite: the run goes on later."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How fast a run asks."""

    per_second: float = 20
    """Look-ups a second, so that pushes are not held up."""
    concurrency: int = 4
    page: int = 100


@dataclass(slots=True)
class _Page:
    """What became of one page of dossiers."""

    found: dict[str, Finding | None] = field(default_factory=dict)
    """By dossier that was judged: the difference, None for one in step."""
    held: dict[str, Words | None] = field(default_factory=dict)
    on_their_way: int = 0
    unanswered: int = 0


class Run:
    """One run over one portal and one database."""

    def __init__(self, database: Database, portal: Portal, *, public_url: str, plan: RunPlan) -> None:
        self.database = database
        self.portal = portal
        self.public_url = public_url
        self.plan = plan
        self._histories: dict[str, tuple[tuple[int, ...], datetime | None]] = {}
        """Statuses the list gave otherwise than ours, by dossier, with when ours was told."""

    async def carry_out(self, run: int) -> None:
        """Do the whole run, or what is left of it. Raises PortalAway when the portal stops answering."""
        async with self.database.session() as session:
            started = await session.scalar(_START, {"run": run, "now": clock.now()})
            two_way = await session.scalar(text("SELECT two_way FROM portal_run WHERE id = :run"), {"run": run})
            await session.commit()
        if two_way is None:
            await self._read_list(run, started)
        place, until = (_LONG_AGO, ""), clock.now()
        while due := await self._due(until, place):
            await self.compare([code for code, _ in due], run=run)
            place = (due[-1][1], due[-1][0])
        async with self.database.session() as session:
            values = {"run": run, "now": clock.now(), "period": period_of(started), "until": started}
            await session.execute(_FINISH, values)
            await session.commit()

    async def _due(self, until: datetime, place: tuple[datetime, str]) -> list[tuple[str, datetime]]:
        async with self.database.session() as session:
            return await records.list_due(session, until, place, self.plan.page)

    async def _read_list(self, run: int, started: datetime) -> None:
        """Read the portal's list to its end; let what it shows otherwise be compared by this run."""
        after, two_way = "", True
        while True:
            asked_at = clock.now()
            try:
                rows = await self.portal.list_held(after=after, limit=LIST_PAGE)
            except PortalSaidNo as problem:
                if NO_SERVICE_WORDS not in str(problem).lower():
                    raise PortalAway(str(problem)) from problem
                two_way = False
                break
            except PortalUnclear as problem:
                raise PortalAway(str(problem)) from problem
            if not rows:
                break
            await self._suspect(run, rows, asked_at)
            after = records.of_page(rows)[-1]
            await self._keep_pace(1)
        async with self.database.session() as session:
            settled = await records.settle_unlisted(session, started, clock.now()) if two_way else 0
            await session.execute(_LISTED, {"run": run, "two_way": two_way})
            await records.add_to_run(session, run, settled=settled)
            await session.commit()

    async def _suspect(self, run: int, rows: Sequence[Words], asked_at: datetime) -> None:
        """Take up a page of the list: who differs is compared soon, who is not known at all is noted."""
        now = clock.now()
        names = records.of_page(rows)
        async with self.database.session() as session:
            known = await records.load_known(session, names)
            told = await records.load_told(session, names)
            listed = list(zip(names, rows, strict=True))
            unknown = [row for name, row in listed if name and name not in known]
            strangers = [row for row in unknown if not _fresh(row, now)]
            suspects = [code for code, row in listed if code in told and self._odd(told[code], row, asked_at)]
            for row in strangers:
                await self._note_stranger(session, run, row, now)
            await records.compare_sooner(session, suspects, now)
            await records.add_to_run(
                session,
                run,
                listed=len(rows),
                differences=len(strangers),
                on_their_way=len(unknown) - len(strangers),
            )
            await session.commit()

    def _odd(self, told: Told, row: Words, asked_at: datetime) -> bool:
        history = statuses_of(row)
        # What was told about when the list was asked for may or may not stand in it.
        settled = told.told_at is not None and told.told_at < asked_at - CLOCKS_APART
        if settled and history is not None and history != told.statuses:
            self._histories[told.code] = (history, told.told_at)
            return True
        return str(row.get("TrangThaiHoSo")) != str(told.status or (told.statuses or (0,))[-1])

    async def _note_stranger(self, session: AsyncSession, run: int, row: Words, now: datetime) -> None:
        name = records.of_page([row])[0]
        theirs = {"status": row.get("TrangThaiHoSo"), "submitted_there": "MaHoSoDVCQG" in row}
        finding = Finding(Kind.MISSING_HERE, {}, theirs, None)
        agency = name.partition("-")[0]
        await records.note_found(session, name, agency, finding, run=run, now=now)
        status = str(theirs["status"])
        count = {"run": run, "day": now.astimezone(clock.VN).date(), "agency": agency, "ours": 0, "theirs": 1}
        await records.add_counts(session, [count | {"status": int(status) if status.isdecimal() else 0}])

    async def compare(self, codes: Sequence[str], *, run: int | None) -> int:
        """Look dossiers up at the portal and keep what differs; return how many differ.

        Raises PortalAway when it answers for none of them.
        """
        page = _Page()
        before = await self._judged_now(codes, page)
        page.held = await self._look_up(list(before), page)
        if before and not page.held:
            raise PortalAway("no look-up was answered")
        async with self.database.session() as session:
            after = await records.load_told(session, list(page.held))
            facts = await self._ours_now(session, list(page.held))
            for code, held in page.held.items():
                if after.get(code) != before[code]:
                    page.on_their_way += 1
                elif before[code].attempts is None or held is None:
                    page.found[code] = self._judge(before[code], held, facts.get(code))
                else:
                    page.on_their_way += 1
            await self._leave_explained(session, page)
            await self._keep(session, page, before, run)
            await session.commit()
        await self._keep_pace(len(before))
        return sum(finding is not None for finding in page.found.values())

    async def _judged_now(self, codes: Sequence[str], page: _Page) -> dict[str, Told]:
        """Return the dossiers of which nothing is on its way; one that is stuck is looked at, too."""
        async with self.database.session() as session:
            told = await records.load_told(session, codes)
        judged = {code: one for code, one in told.items() if one.attempts is None or one.attempts >= STUCK_AFTER}
        page.on_their_way += len(told) - len(judged)
        return {code: one for code, one in judged.items() if one.version or one.told_at}

    async def _look_up(self, codes: Sequence[str], page: _Page) -> dict[str, Words | None]:
        slots = asyncio.Semaphore(self.plan.concurrency)
        held: dict[str, Words | None] = {}

        async def ask(code: str) -> None:
            async with slots:
                for _ in range(TRIES):
                    with suppress(PortalUnclear, PortalSaidNo):
                        held[code] = await self.portal.look_up(code)
                        return
            page.unanswered += 1

        await asyncio.gather(*(ask(code) for code in codes))
        return held

    async def _ours_now(self, session: AsyncSession, codes: Sequence[str]) -> dict[str, Words]:
        rows = await session.execute(_FACTS, {"codes": list(codes)})
        return {
            row.code: with_links(dossier_message(row.code, row.facts, PortalStatus(row.portal_status)), self.public_url)
            for row in rows
            if row.portal_status
        }

    async def _leave_explained(self, session: AsyncSession, page: _Page) -> None:
        """Take what a person explained, and what has not changed since, for being in step."""
        differing = {code: finding for code, finding in page.found.items() if finding}
        if differing:
            explained = await records.list_explained(session, list(differing))
            for code, finding in differing.items():
                if explained.get((code, str(finding.kind))) == (finding.ours, finding.theirs):
                    page.found[code] = None

    def _judge(self, told: Told, held: Words | None, ours_now: Words | None) -> Finding | None:
        history, as_of = self._histories.get(told.code, (None, None))
        if as_of != told.told_at:
            history = None
        return judge(told, held, history=history, ours_now=ours_now, shows=self.portal.shows)

    async def _keep(self, session: AsyncSession, page: _Page, told: Mapping[str, Told], run: int | None) -> None:
        now = clock.now()
        kinds = {code: finding.kind if finding else None for code, finding in page.found.items()}
        settled = await records.settle_others(session, kinds, now)
        await records.note_compared(session, {code: _again(told[code], now) for code in page.found}, now)
        redriven = 0
        for code, finding in page.found.items():
            if finding:
                redriven += await self._note_difference(session, told[code], finding, run, now)
        if run is None:
            return
        differing = sum(finding is not None for finding in page.found.values())
        await records.add_counts(session, _counted(page, told, run, now))
        await records.add_to_run(
            session,
            run,
            compared=len(page.found),
            in_step=len(page.found) - differing,
            on_their_way=page.on_their_way,
            unanswered=page.unanswered,
            differences=differing,
            settled=settled,
            redriven=redriven,
        )

    async def _note_difference(
        self, session: AsyncSession, told: Told, finding: Finding, run: int | None, now: datetime
    ) -> int:
        """Keep a difference and tell the dossier anew where that can settle it; return 1 if it is."""
        found, redrives = await records.note_found(session, told.code, told.agency_code, finding, run=run, now=now)
        _log.warning("portal.differs", subject=told.code, kind=str(finding.kind))
        if finding.remedy is None or redrives >= REDRIVES_MAX:
            return 0
        try:
            async with session.begin_nested():
                lost = finding.kind is Kind.MISSING_THERE
                await redrive(session, told.code, finding.remedy, now, lost=lost)
                await records.note_redriven(
                    session, [found], first=finding.remedy, actor="reconciliation", reason=None, now=now
                )
        except DomainError as problem:
            _log.warning("portal.not_redriven", subject=told.code, reason=problem.code)
            return 0
        return 1

    async def _keep_pace(self, calls: int) -> None:
        await asyncio.sleep(clock.wait_s(calls / self.plan.per_second))


def statuses_of(row: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the statuses that a row of the portal's list gives, in order; None where it gives none."""
    history = str(row.get("LichSuTrangThai") or "")
    return tuple(int(one) for one in history.split(",") if one.strip().isdecimal()) or None


def period_of(moment: datetime) -> datetime:
    """Return when the month began in which the day before a moment lies, in Vietnam: index 1.4 is told by month."""
    local = moment.astimezone(clock.VN) - timedelta(days=1)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _fresh(row: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether what the portal lists reached it only a moment ago."""
    try:
        since = datetime.strptime(str(row.get("NgayCapNhat")), "%Y%m%d%H%M%S").replace(tzinfo=clock.VN)
    except ValueError:
        return False
    return now - since < UNKNOWN_GRACE


def _again(told: Told, now: datetime) -> datetime:
    days = FINAL_AGAIN if told.final else OPEN_AGAIN
    return now + timedelta(days=random.uniform(*days))  # noqa: S311 - a spread, no secret


def _counted(page: _Page, told: Mapping[str, Told], run: int, now: datetime) -> list[dict[str, Any]]:
    """Return the page's dossiers as counts of both sides by day, agency and status."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    def count(code: str, status: int, side: str) -> None:
        one = told[code]
        day = (one.told_at or now).astimezone(clock.VN).date()
        key = (day, one.agency_code or code.partition("-")[0], status)
        names = dict(zip(("day", "agency", "status"), key, strict=True))
        rows.setdefault(key, {"run": run, **names, "ours": 0, "theirs": 0})[side] += 1

    for code in page.found:
        one, held = told[code], page.held[code]
        count(code, one.status or one.statuses[-1], "ours")
        if held is not None and str(held.get("TrangThaiHoSo")).isdecimal():
            count(code, int(held["TrangThaiHoSo"]), "theirs")
    return sorted(rows.values(), key=lambda row: (row["day"], row["agency"], row["status"]))
