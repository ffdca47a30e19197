"""What the national portal is owed, what it holds, and what comparing the two found."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class PortalDebt(GatewayBase):
    """One status that the portal must be told; acknowledged in order, per dossier, by definite answers only."""

    __tablename__ = "portal_debt"

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """1, 2, 3… per dossier, without a gap."""
    status: Mapped[int] = mapped_column(SmallInteger)
    happened_at: Mapped[datetime]
    owed_since: Mapped[datetime]
    dossier_message: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """HoSo as of this status; erased once acknowledged (it is personal data)."""
    progress_message: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """TienDo of this status; erased once acknowledged."""
    dossier_acknowledged_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How often HoSo was corrected since: an acknowledgement of older words does not count for newer ones."""
    drive: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How often it was told anew: an acknowledgement of an earlier telling does not count."""
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    next_attempt_at: Mapped[datetime | None]
    last_error: Mapped[str | None]

    __table_args__ = (Index(None, "acknowledged_at"),)


class PortalQueue(GatewayBase):
    """A dossier of which the portal is owed something, and which status is next; one row a dossier, none when paid.

    Folding puts dossiers in, the payer moves them on and takes them out, each in the transaction of its debts: finding
    what is due costs the same whatever the backlog.
    """

    __tablename__ = "portal_queue"

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    """The oldest status that is owed."""
    newest: Mapped[int]
    """The newest status that is owed; all between the two are."""
    owed_since: Mapped[datetime]
    """Of the oldest."""
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Failed so far, of the oldest."""
    next_attempt_at: Mapped[datetime]

    __table_args__ = (
        Index(None, "next_attempt_at"),
        Index("ix_portal_queue_failing", "owed_since", postgresql_where=text("attempts > 0")),
    )


class PortalDossier(GatewayBase):
    """What the portal is known to hold, by its own acknowledgements, and when to compare it with what it says."""

    __tablename__ = "portal_dossier"

    code: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    acknowledged_version: Mapped[int]
    told_version: Mapped[int | None]
    """Of the HoSo acknowledged last."""
    told_status: Mapped[int | None] = mapped_column(SmallInteger)
    told_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SHA-256 of the HoSo acknowledged last, in canonical form."""
    told_at: Mapped[datetime | None]
    compare_at: Mapped[datetime]
    """A run on or after this moment compares it."""
    compared_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "compare_at"),)


class PortalTally(GatewayBase):
    """One row with totals that would cost a scan of whole tables to count."""

    __tablename__ = "portal_tally"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    dossiers: Mapped[int] = mapped_column(BigInteger)
    """Dossiers we know."""
    dossiers_told: Mapped[int] = mapped_column(BigInteger)
    """Dossiers that the portal has acknowledged to hold."""


class PortalRun(GatewayBase):
    """One run of the reconciliation."""

    __tablename__ = "portal_run"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    asked_by: Mapped[str]
    """A client, or `schedule`."""
    day: Mapped[date | None]
    """Of a scheduled run: its day in Vietnam; one run a day."""
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    listed_from: Mapped[datetime | None]
    two_way: Mapped[bool | None]
    """Whether the portal could be asked what it holds; None until it was."""
    listed: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Rows of the portal's own list."""
    compared: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Dossiers looked up at the portal."""
    in_step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    on_their_way: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Dossiers not judged because something of them is still owed; they are compared afterwards."""
    unanswered: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Dossiers of which the portal said nothing definite; the next run compares them."""
    differences: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    settled: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Earlier differences that this run found gone."""
    redriven: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    dossiers_accepted: Mapped[int | None] = mapped_column(BigInteger)
    """Of the period: index 1.4's denominator."""
    dossiers_synced: Mapped[int | None] = mapped_column(BigInteger)
    """Of these, whose acceptance the portal acknowledged: index 1.4's numerator."""
    period_from: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_portal_run_day", "day", unique=True, postgresql_where=text("day IS NOT NULL")),
        Index("ix_portal_run_unfinished", "id", postgresql_where=text("finished_at IS NULL")),
    )


class PortalRunCount(GatewayBase):
    """How many dossiers of a day, an agency and a status a run found on both sides."""

    __tablename__ = "portal_run_count"

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """The day in Vietnam on which the dossier was told last."""
    agency_code: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    ours: Mapped[int] = mapped_column(server_default=text("0"))
    theirs: Mapped[int] = mapped_column(server_default=text("0"))


class PortalDifference(GatewayBase):
    """Something that the portal says otherwise than we told it; without personal data."""

    __tablename__ = "portal_difference"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    dossier_code: Mapped[str]
    """Ours, or the portal's number of a dossier that we do not know."""
    agency_code: Mapped[str | None]
    kind: Mapped[str]
    """`missing_there`, `missing_here`, `status_differs`, `content_differs` or `order_differs`."""
    state: Mapped[str]
    """`open` → `redriven` → `settled`, or `explained` by a person."""
    ours: Mapped[dict[str, Any]] = mapped_column(JSONB)
    theirs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    """The run that found it first."""
    found_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """When it was found last."""
    redriven_at: Mapped[datetime | None]
    redriven_from: Mapped[int | None]
    """The first status told anew; 0: HoSo alone."""
    redriven_by: Mapped[str | None]
    redrives: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    reason: Mapped[str | None]
    """Of the person who re-drove or explained it."""

    __table_args__ = (
        Index(
            "uq_portal_difference_standing",
            "dossier_code",
            "kind",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(None, "dossier_code"),
        Index("ix_portal_difference_open", "found_at", postgresql_where=text("closed_at IS NULL")),
    )
