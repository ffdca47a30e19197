"""Folding: every service's events into one view of each dossier, gap by gap checked, cause before effect."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, case, insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.models import Change, DossierView, PortalDebt, TimelineEntry
from gateway.operations.facts import FOLDS, happened_at, shown
from gateway.portal.messages import dossier_message, progress_message
from gateway.states import REACHED_BY, PortalStatus
from shared import bus
from shared.errors import CauseMissing
from shared.events.envelope import Event, RawEvent
from shared.events.intake import DossierRetracted, DossierSubmitted
from shared.work import Work

CHANNEL = "motcua_gateway"
_FEED_LOCK = 0x66656564  # "feed": taken last and held to the commit, so that positions are given in commit order

_WAKE_AND_LOCK = text("SELECT pg_notify(:channel, ''), pg_advisory_xact_lock(:key)")
_TIMELINE, _DEBTS, _CHANGES = (cast("Table", model.__table__) for model in (TimelineEntry, PortalDebt, Change))

_CORRECT = (
    update(_DEBTS)
    .where(_DEBTS.c.dossier_code == bindparam("code"), _DEBTS.c.version == bindparam("at_version"))
    .values(
        dossier_message=bindparam("message"),
        revision=_DEBTS.c.revision + 1,
        dossier_acknowledged_at=None,
        acknowledged_at=None,
        # What was wholly told is owed anew; what is still open keeps its place and its pauses.
        owed_since=case((_DEBTS.c.acknowledged_at.is_(None), _DEBTS.c.owed_since), else_=bindparam("since")),
        attempts=case((_DEBTS.c.acknowledged_at.is_(None), _DEBTS.c.attempts), else_=0),
        next_attempt_at=case((_DEBTS.c.acknowledged_at.is_(None), _DEBTS.c.next_attempt_at), else_=bindparam("now")),
    )
)

_QUEUE = text(
    """
    INSERT INTO portal_queue (code, version, newest, owed_since, next_attempt_at)
    SELECT code, oldest, newest, since, :now
    FROM unnest(CAST(:codes AS text[]), CAST(:oldest AS int[]), CAST(:newest AS int[]), CAST(:since AS timestamptz[]))
         AS t(code, oldest, newest, since) ORDER BY code
    ON CONFLICT (code) DO UPDATE SET newest = greatest(portal_queue.newest, excluded.newest)
    """
)
"""What is owed of a dossier already keeps its place; nothing of it is owed twice."""
_COUNT = text(
    """
    INSERT INTO portal_tally (id, dossiers, dossiers_told) VALUES (1, :new, 0)
    ON CONFLICT (id) DO UPDATE SET dossiers = portal_tally.dossiers + excluded.dossiers
    """
)


@dataclass(slots=True)
class Folded:
    """What one transaction has folded so far."""

    views: dict[str, DossierView]
    known: dict[str, set[UUID]]
    now: datetime
    discarded: set[tuple[str, str, int]] = field(default_factory=set)
    """Events that two people agreed to drop: no gap, and no cause to wait for."""
    timeline: list[dict[str, Any]] = field(default_factory=list)
    debts: list[dict[str, Any]] = field(default_factory=list)
    corrections: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By dossier: HoSo as it now is, for a status the portal was, or is about to be, told in other words."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    new: int = 0
    """Dossiers not known before."""


async def preload(work: Work, events: Sequence[RawEvent]) -> None:
    """Load and lock the views of a batch, and which of their events are folded already: three statements."""
    codes = sorted({event.subject for event in events})
    views = await queries.lock_views(work.session, codes)
    known = await queries.list_event_ids(work.session, list(views))
    folded = Folded(views, known, work.now)
    for subject, event_id, source, sequence in await bus.list_discarded(work.session, codes):
        folded.known.setdefault(subject, set()).add(event_id)
        folded.discarded.add((subject, source, sequence))
    work.session.info["folded"] = folded


async def fold(work: Work, event: Event[Any]) -> None:
    """Fold one event into its dossier's view, the timeline, the change feed and what the portal is owed.

    Raises CauseMissing when an earlier event of the same source, or the event that caused this one, is still missing.
    """
    folded: Folded = work.session.info["folded"]
    view = _view_of(work, event, folded)
    known = folded.known.setdefault(event.subject, set())
    expected = view.sequences.get(event.source, 0) + 1
    while (event.subject, event.source, expected) in folded.discarded:
        expected += 1
    if event.sequence > expected:
        raise CauseMissing(f"{event.source}'s event {expected} of this dossier has not arrived")
    if event.sequence < expected:
        raise ValueError(f"{event.source}'s event {event.sequence} came again under another id")
    if event.causation_id and event.causation_id not in known:
        raise CauseMissing("the event that led to this one has not arrived")
    if view.code not in folded.views:
        folded.views[view.code] = view
        folded.new += 1
        work.session.add(view)
    view.sequences = view.sequences | {event.source: event.sequence}
    before, fold_facts = view.facts, FOLDS.get(type(event.data))
    if fold_facts:
        view.facts = fold_facts(before, event)
    view.retracted = view.retracted or isinstance(event.data, DossierRetracted)
    view.updated_at = work.now
    known.add(event.id)
    _tell(work, event, view, folded)
    if fold_facts and view.version and event.type not in REACHED_BY:
        _correct(work, event, view, folded, before)


def _view_of(work: Work, event: Event[Any], folded: Folded) -> DossierView:
    view = folded.views.get(event.subject)
    if view is not None:
        return view
    if not isinstance(event.data, DossierSubmitted):
        raise CauseMissing("the dossier's submission has not arrived")
    return DossierView(
        code=event.subject,
        agency_code=event.data.agency_code,
        procedure_code=event.data.procedure_code,
        portal_status=0,
        version=0,
        sequences={},
        facts={},
        retracted=False,
        updated_at=work.now,
    )


def _tell(work: Work, event: Event[Any], view: DossierView, folded: Folded) -> None:
    reached = REACHED_BY.get(event.type)
    detail, happened = shown(event.data), happened_at(event)
    if reached:
        view.portal_status, view.version = int(reached), view.version + 1
        folded.debts.append(_debt(work, event, view, reached, detail))
    if not folded.changes:
        work.last_steps.append(_write)
    about = {"dossier_code": view.code, "happened_at": happened, "portal_status": reached, "detail": detail}
    folded.timeline.append(
        about
        | {
            "event_id": event.id,
            "nth": sum(view.sequences.values()),
            "type": event.type,
            "source": event.source,
            "committed_at": event.time,
            "trace_id": event.traceparent.split("-")[1] if event.traceparent else None,
        }
    )
    folded.changes.append(
        about
        | {
            "agency_code": view.agency_code,
            "procedure_code": view.procedure_code,
            "event_type": event.type,
            "version": view.version,
            "deleted": view.retracted,
        }
    )


def _correct(work: Work, event: Event[Any], view: DossierView, folded: Folded, before: dict[str, Any]) -> None:
    """Owe the portal the dossier anew when an event changed what it shows without reaching a status.

    A due date that moved, a fee that was paid, a result that was revoked: nothing of it may wait for the next status,
    which may never come.
    """
    status = PortalStatus(view.portal_status)
    message = dossier_message(view.code, view.facts, status)
    if message == dossier_message(view.code, before, status):
        return
    for debt in folded.debts:
        if (debt["dossier_code"], debt["version"]) == (view.code, view.version):
            debt["dossier_message"] = message
            return
    folded.corrections[view.code] = {
        "code": view.code,
        "at_version": view.version,
        "message": message,
        "since": event.time,
        "now": work.now,
    }


def _debt(
    work: Work, event: Event[Any], view: DossierView, reached: PortalStatus, detail: dict[str, Any]
) -> dict[str, Any]:
    happened = happened_at(event)
    return {
        "dossier_code": view.code,
        "version": view.version,
        "status": int(reached),
        "happened_at": happened,
        "owed_since": event.time,
        "dossier_message": dossier_message(view.code, view.facts, reached),
        "progress_message": progress_message(view.code, view.facts, reached, happened, detail),
        "next_attempt_at": work.now,
    }


async def _write(session: AsyncSession) -> None:
    """Write what a batch folded in bulk; the feed last, since its lock is held to the commit."""
    folded: Folded = session.info["folded"]
    await session.execute(insert(_TIMELINE), folded.timeline)
    if folded.debts:
        await session.execute(insert(_DEBTS), folded.debts)
    if folded.corrections:
        await session.execute(_CORRECT, sorted(folded.corrections.values(), key=itemgetter("code")))
    if folded.debts or folded.corrections:
        await session.execute(_QUEUE, _owed(folded))
    await write_changes(session, folded.changes)
    if folded.new:
        await session.execute(_COUNT, {"new": folded.new})


async def write_changes(session: AsyncSession, changes: Sequence[dict[str, Any]]) -> None:
    """Write to the feed as the last thing before the commit: positions are given under a lock held until then."""
    await session.execute(_WAKE_AND_LOCK, {"channel": CHANNEL, "key": _FEED_LOCK})
    await session.execute(insert(_CHANGES), list(changes))


def _owed(folded: Folded) -> dict[str, Any]:
    """Return, as columns, the dossiers of which something is owed, from which status to which."""
    rows: dict[str, tuple[int, int, Any]] = {
        one["code"]: (one["at_version"], one["at_version"], one["since"]) for one in folded.corrections.values()
    }
    for debt in folded.debts:
        code, version = debt["dossier_code"], debt["version"]
        oldest, _, since = rows.get(code, (version, version, debt["owed_since"]))
        rows[code] = (oldest, version, since)
    oldest, newest, since = zip(*rows.values(), strict=True)
    columns = {"codes": list(rows), "oldest": list(oldest), "newest": list(newest), "since": list(since)}
    return {**columns, "now": folded.now}
