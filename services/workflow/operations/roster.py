"""The roster: officials, units and roles as a file or a directory gives them, applied as a whole in a few statements.

What is given stands for all accounts of the agencies named in it: who is no longer there has left and is deactivated,
never deleted; an assignment that is no longer there ends yesterday. The same roster again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.workflow.errors import RosterRefused
from services.workflow.operations import rights
from services.workflow.queries import accounts
from shared.work import Work

SMALL_AGENCY = 10
"""Below so many accounts the share of leavers says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitGiven:
    """A unit of an agency; parent None: directly below the agency."""

    agency: str
    code: str
    name: str
    parent: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialGiven:
    """An official's account."""

    username: str
    agency: str
    name: str
    email: str | None = None
    active: bool = True
    directory_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentGiven:
    """A role that an official holds in a unit; valid_from None: as known already, otherwise from today."""

    username: str
    agency: str
    unit: str
    role: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(slots=True)
class Roster:
    """All that is given."""

    units: list[UnitGiven] = field(default_factory=list)
    officials: list[OfficialGiven] = field(default_factory=list)
    assignments: list[AssignmentGiven] = field(default_factory=list)
    agency_names: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RosterReport:
    """What a roster changed."""

    created: int = 0
    changed: int = 0
    deactivated: int = 0
    units_changed: int = 0
    assignments_begun: int = 0
    assignments_changed: int = 0
    assignments_ended: int = 0


async def apply_roster(
    work: Work, roster: Roster, *, source: str, leavers_max: float, enforced: bool | None = None
) -> RosterReport:
    """Bring accounts, units and assignments in step with a roster.

    source is `import` or `directory`. leavers_max is the share of an agency's accounts that may leave at once.
    enforced says whether only officials of the roster may work on their agencies' tasks; None leaves it as it is, and
    enforces agencies that are new. Operations of other processes follow within seconds.

    Raises RosterRefused when more would leave; then nothing was changed.
    """
    session = work.session
    # Two rosters at a time would each see the other's people as leavers.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('roster'))"))
    await _stage(session, roster)
    today = {"today": rights.today(work.now), "now": work.now, "source": source}
    await _refuse_exodus(session, leavers_max)
    report = RosterReport()
    await session.execute(_AGENCIES, today | {"enforced": enforced, **_names(roster)})
    report.units_changed = await _count(session, _UNITS, today)
    report.created, report.changed = (await session.execute(_OFFICIALS, today)).one()
    report.deactivated = await _count(session, _LEAVERS, today)
    report.assignments_ended = await _count(session, _ENDED, today) + await _count(session, _NEVER_BEGUN, today)
    report.assignments_begun, report.assignments_changed = (await session.execute(_ASSIGNMENTS, today)).one()
    accounts.forget_enforced()
    return report


def _names(roster: Roster) -> dict[str, list[str]]:
    return {"named": list(roster.agency_names), "names": list(roster.agency_names.values())}


async def _count(session: AsyncSession, statement: TextClause, parameters: Mapping[str, Any]) -> int:
    return await session.scalar(statement, parameters) or 0


async def _refuse_exodus(session: AsyncSession, leavers_max: float) -> None:
    rows = (await session.execute(_EXODUS, {"share": leavers_max, "small": SMALL_AGENCY})).all()
    if rows:
        worst = ", ".join(f"{row.agency_code}: {row.leaving} of {row.present}" for row in rows[:10])
        raise RosterRefused(
            f"More than {leavers_max:.0%} would leave at once ({worst}): check the roster, or allow more.",
            agencies=[row.agency_code for row in rows],
        )


async def _stage(session: AsyncSession, roster: Roster) -> None:
    for table in ("given_unit", "given_official", "given_assignment"):
        await session.execute(text(f"DROP TABLE IF EXISTS {table}"))
    for statement in filter(None, map(str.strip, _STAGE.split(";"))):
        await session.execute(text(statement))
    await session.execute(_GIVEN_UNITS, _columns(roster.units, _UNIT_FIELDS))
    await session.execute(_GIVEN_OFFICIALS, _columns(roster.officials, _OFFICIAL_FIELDS))
    await session.execute(_GIVEN_ASSIGNMENTS, _columns(roster.assignments, _ASSIGNMENT_FIELDS))
    await session.execute(_UNITS_NAMED_ONLY)
    for table in ("given_unit", "given_official", "given_assignment"):
        await session.execute(text(f"ANALYZE {table}"))


def _columns(rows: Sequence[object], fields: Sequence[str]) -> dict[str, list[object]]:
    return {name: [getattr(row, name) for row in rows] for name in fields}


_UNIT_FIELDS = ("agency", "code", "name", "parent", "valid_from", "valid_to")
_OFFICIAL_FIELDS = ("username", "agency", "name", "email", "active", "directory_id")
_ASSIGNMENT_FIELDS = ("username", "agency", "unit", "role", "valid_from", "valid_to")

_STAGE = """
CREATE TEMPORARY TABLE given_unit (agency text, code text, name text, parent text, valid_from date, valid_to date)
    ON COMMIT DROP;
CREATE TEMPORARY TABLE given_official (
    username text PRIMARY KEY, agency text, name text, email text, active boolean, directory_id text) ON COMMIT DROP;
CREATE TEMPORARY TABLE given_assignment (
    username text, agency text, unit text, role text, valid_from date, valid_to date) ON COMMIT DROP
"""
_GIVEN_UNITS = text(
    """
    INSERT INTO given_unit
    SELECT DISTINCT ON (agency, code) * FROM unnest(
        CAST(:agency AS text[]), CAST(:code AS text[]), CAST(:name AS text[]), CAST(:parent AS text[]),
        CAST(:valid_from AS date[]), CAST(:valid_to AS date[])) AS t(agency, code, name, parent, valid_from, valid_to)
    """
)
_GIVEN_OFFICIALS = text(
    """
    INSERT INTO given_official
    SELECT DISTINCT ON (username) * FROM unnest(
        CAST(:username AS text[]), CAST(:agency AS text[]), CAST(:name AS text[]), CAST(:email AS text[]),
        CAST(:active AS boolean[]), CAST(:directory_id AS text[]))
        AS t(username, agency, name, email, active, directory_id)
    """
)
_GIVEN_ASSIGNMENTS = text(
    """
    INSERT INTO given_assignment
    SELECT DISTINCT ON (username, agency, unit, role, valid_from) * FROM unnest(
        CAST(:username AS text[]), CAST(:agency AS text[]), CAST(:unit AS text[]), CAST(:role AS text[]),
        CAST(:valid_from AS date[]), CAST(:valid_to AS date[])) AS t(username, agency, unit, role, valid_from, valid_to)
    """
)
_UNITS_NAMED_ONLY = text(
    """
    INSERT INTO given_unit (agency, code, name)
    SELECT DISTINCT a.agency, a.unit, a.unit FROM given_assignment AS a
    WHERE NOT EXISTS (SELECT FROM given_unit AS g WHERE g.agency = a.agency AND g.code = a.unit)
      AND NOT EXISTS (SELECT FROM unit AS u WHERE u.agency_code = a.agency AND u.code = a.unit)
    """
)
_EXODUS = text(
    """
    SELECT o.agency_code, count(*) AS present, count(*) FILTER (WHERE g.username IS NULL OR NOT g.active) AS leaving
    FROM account AS o LEFT JOIN given_official AS g ON g.username = o.username
    WHERE o.active AND o.agency_code IN (SELECT agency FROM given_official)
    GROUP BY o.agency_code
    HAVING count(*) >= CAST(:small AS bigint) AND count(*) FILTER (WHERE g.username IS NULL OR NOT g.active)
            > CAST(:share AS double precision) * count(*)
    ORDER BY leaving DESC
    """
)
_AGENCIES = text(
    """
    INSERT INTO staffed_agency AS s (agency_code, name, enforced, changed_at)
    SELECT g.agency, coalesce(n.name, g.agency), coalesce(CAST(:enforced AS boolean), true), :now
    FROM (SELECT DISTINCT agency FROM given_official) AS g
    LEFT JOIN unnest(CAST(:named AS text[]), CAST(:names AS text[])) AS n(agency, name) ON n.agency = g.agency
    ON CONFLICT (agency_code) DO UPDATE
        SET name = CASE WHEN excluded.name = s.agency_code THEN s.name ELSE excluded.name END,
            enforced = coalesce(CAST(:enforced AS boolean), s.enforced), changed_at = excluded.changed_at
        WHERE (s.name <> excluded.name AND excluded.name <> s.agency_code)
           OR s.enforced <> coalesce(CAST(:enforced AS boolean), s.enforced)
    """
)
_UNITS = text(
    """
    WITH written AS (
        INSERT INTO unit AS u (agency_code, code, name, parent_code, valid_from, valid_to)
        SELECT g.agency, g.code, g.name, g.parent, coalesce(g.valid_from, k.valid_from, :today), g.valid_to
        FROM given_unit AS g LEFT JOIN unit AS k ON k.agency_code = g.agency AND k.code = g.code
        ON CONFLICT (agency_code, code) DO UPDATE
            SET name = excluded.name, parent_code = excluded.parent_code, valid_from = excluded.valid_from,
                valid_to = excluded.valid_to
            WHERE (u.name, u.parent_code, u.valid_from, u.valid_to)
                IS DISTINCT FROM (excluded.name, excluded.parent_code, excluded.valid_from, excluded.valid_to)
        RETURNING 1)
    SELECT count(*) FROM written
    """
)
_OFFICIALS = text(
    """
    WITH written AS (
        INSERT INTO account AS o
            (username, directory_id, agency_code, name, email, active, source, changed_at, deactivated_at)
        SELECT username, directory_id, agency, name, email, active, :source, :now,
               CASE WHEN active THEN NULL ELSE CAST(:now AS timestamptz) END
        FROM given_official
        ON CONFLICT (username) DO UPDATE
            SET directory_id = coalesce(excluded.directory_id, o.directory_id), agency_code = excluded.agency_code,
                name = excluded.name, email = excluded.email, active = excluded.active, source = excluded.source,
                changed_at = excluded.changed_at,
                deactivated_at = CASE WHEN NOT excluded.active THEN coalesce(o.deactivated_at, excluded.changed_at) END
            WHERE (o.agency_code, o.name, o.email, o.active, o.source, o.directory_id)
                IS DISTINCT FROM (excluded.agency_code, excluded.name, excluded.email, excluded.active,
                                  excluded.source, coalesce(excluded.directory_id, o.directory_id))
        RETURNING (xmax = 0) AS created)
    SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM written
    """
)
_LEAVERS = text(
    """
    WITH left_now AS (
        UPDATE account AS o SET active = false, deactivated_at = :now, changed_at = :now
        WHERE o.active AND o.agency_code IN (SELECT agency FROM given_official)
          AND NOT EXISTS (SELECT FROM given_official AS g WHERE g.username = o.username)
        RETURNING 1)
    SELECT count(*) FROM left_now
    """
)
_STILL_HELD = """
    EXISTS (SELECT FROM given_assignment AS g
            WHERE g.username = a.username AND g.agency = a.agency_code AND g.unit = a.unit_code AND g.role = a.role
              AND (g.valid_from IS NULL OR g.valid_from = a.valid_from))
"""
_ENDED = text(
    f"""
    WITH ended AS (
        UPDATE assignment AS a SET valid_to = :today - 1
        WHERE (a.valid_to IS NULL OR a.valid_to >= :today) AND a.valid_from < :today
          AND a.username IN (SELECT username FROM given_official) AND NOT {_STILL_HELD}
        RETURNING 1)
    SELECT count(*) FROM ended
    """
)
_NEVER_BEGUN = text(
    f"""
    WITH dropped AS (
        DELETE FROM assignment AS a
        WHERE a.valid_from >= :today AND a.username IN (SELECT username FROM given_official) AND NOT {_STILL_HELD}
        RETURNING 1)
    SELECT count(*) FROM dropped
    """
)
_ASSIGNMENTS = text(
    """
    WITH given AS (
        SELECT DISTINCT ON (g.username, g.agency, g.unit, g.role, coalesce(g.valid_from, k.valid_from, :today))
               g.username, g.agency, g.unit, g.role, coalesce(g.valid_from, k.valid_from, :today) AS valid_from,
               g.valid_to
        FROM given_assignment AS g
        LEFT JOIN assignment AS k ON g.valid_from IS NULL AND k.username = g.username AND k.agency_code = g.agency
            AND k.unit_code = g.unit AND k.role = g.role AND (k.valid_to IS NULL OR k.valid_to >= :today)
        WHERE EXISTS (SELECT FROM given_official AS o WHERE o.username = g.username)
    ), written AS (
        INSERT INTO assignment AS a (username, agency_code, unit_code, role, valid_from, valid_to)
        SELECT * FROM given
        ON CONFLICT (username, agency_code, unit_code, role, valid_from) DO UPDATE SET valid_to = excluded.valid_to
            WHERE a.valid_to IS DISTINCT FROM excluded.valid_to
        RETURNING (xmax = 0) AS created)
    SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM written
    """
)
