"""Keep a queue of dossiers that the portal is owed something of, and what comparing with the portal found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_NONE = sa.text("0")


def upgrade() -> None:
    _create_queue()
    _extend_dossiers()
    _create_runs()
    _create_differences()


def _create_queue() -> None:
    op.execute("ALTER TABLE portal_debt ADD drive integer NOT NULL DEFAULT 0")
    op.create_table(
        "portal_queue",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("owed_since", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=_NONE),
        sa.Column("next_attempt_at", _TIME, nullable=False),
        # Rows live for seconds: what is dead is cleared away early, and an update stays on its page.
        postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.02},
    )
    op.execute(
        "INSERT INTO portal_queue (code, version, newest, owed_since, attempts, next_attempt_at)"
        " SELECT d.dossier_code, d.version, n.newest, d.owed_since, d.attempts, coalesce(d.next_attempt_at, now())"
        " FROM (SELECT dossier_code, min(version) AS oldest, max(version) AS newest FROM portal_debt"
        "       WHERE acknowledged_at IS NULL GROUP BY 1) AS n"
        " JOIN portal_debt AS d ON d.dossier_code = n.dossier_code AND d.version = n.oldest"
    )
    op.create_index("ix_portal_queue_next_attempt_at", "portal_queue", ["next_attempt_at"])
    op.create_index("ix_portal_queue_failing", "portal_queue", ["owed_since"], postgresql_where=sa.text("attempts > 0"))
    op.drop_index("ix_portal_debt_open", "portal_debt")
    op.create_table(
        "portal_tally",
        sa.Column("id", sa.SmallInteger, primary_key=True),
        sa.Column("dossiers", sa.BigInteger, nullable=False),
        sa.Column("dossiers_told", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO portal_tally SELECT 1, (SELECT count(*) FROM dossier_view), (SELECT count(*) FROM portal_dossier)"
    )


def _extend_dossiers() -> None:
    op.add_column("portal_dossier", sa.Column("told_version", sa.Integer))
    op.add_column("portal_dossier", sa.Column("told_status", sa.SmallInteger))
    op.add_column("portal_dossier", sa.Column("told_digest", sa.LargeBinary))
    op.add_column("portal_dossier", sa.Column("told_at", _TIME))
    op.add_column("portal_dossier", sa.Column("compare_at", _TIME, nullable=False, server_default=sa.text("now()")))
    op.alter_column("portal_dossier", "compare_at", server_default=None)
    op.add_column("portal_dossier", sa.Column("compared_at", _TIME))
    op.create_index("ix_portal_dossier_compare_at", "portal_dossier", ["compare_at"])
    op.create_index(
        "ix_dossier_view_origin_reference",
        "dossier_view",
        [sa.text("(facts #>> '{submitted,origin_reference}')")],
        postgresql_where=sa.text("facts #>> '{submitted,origin_reference}' IS NOT NULL"),
    )


def _create_runs() -> None:
    counts = ("listed", "compared", "in_step", "on_their_way", "unanswered", "differences", "settled", "redriven")
    op.create_table(
        "portal_run",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("day", sa.Date),
        sa.Column("asked_at", _TIME, nullable=False),
        *(sa.Column(name, _TIME) for name in ("started_at", "finished_at", "listed_from", "period_from")),
        sa.Column("two_way", sa.Boolean),
        *(sa.Column(name, sa.Integer, nullable=False, server_default=_NONE) for name in counts),
        sa.Column("dossiers_accepted", sa.BigInteger),
        sa.Column("dossiers_synced", sa.BigInteger),
    )
    op.create_index(
        "ix_portal_run_day", "portal_run", ["day"], unique=True, postgresql_where=sa.text("day IS NOT NULL")
    )
    op.create_index("ix_portal_run_unfinished", "portal_run", ["id"], postgresql_where=sa.text("finished_at IS NULL"))
    op.create_table(
        "portal_run_count",
        sa.Column("run_id", sa.BigInteger, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("agency_code", sa.Text, primary_key=True),
        sa.Column("status", sa.SmallInteger, primary_key=True),
        sa.Column("ours", sa.Integer, nullable=False, server_default=_NONE),
        sa.Column("theirs", sa.Integer, nullable=False, server_default=_NONE),
    )


def _create_differences() -> None:
    op.create_table(
        "portal_difference",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("dossier_code", sa.Text, nullable=False),
        sa.Column("agency_code", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ours", postgresql.JSONB, nullable=False),
        sa.Column("theirs", postgresql.JSONB, nullable=False),
        sa.Column("run_id", sa.BigInteger),
        sa.Column("found_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("redriven_at", _TIME),
        sa.Column("redriven_from", sa.Integer),
        sa.Column("redriven_by", sa.Text),
        sa.Column("redrives", sa.Integer, nullable=False, server_default=_NONE),
        sa.Column("closed_at", _TIME),
        sa.Column("closed_by", sa.Text),
        sa.Column("reason", sa.Text),
    )
    standing = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_portal_difference_standing",
        "portal_difference",
        ["dossier_code", "kind"],
        unique=True,
        postgresql_where=standing,
    )
    op.create_index("ix_portal_difference_dossier_code", "portal_difference", ["dossier_code"])
    op.create_index("ix_portal_difference_open", "portal_difference", ["found_at"], postgresql_where=standing)


def downgrade() -> None:
    for table in ("portal_difference", "portal_run_count", "portal_run", "portal_tally", "portal_queue"):
        op.drop_table(table)
    op.drop_index("ix_dossier_view_origin_reference", "dossier_view")
    for column in ("told_version", "told_status", "told_digest", "told_at", "compare_at", "compared_at"):
        op.drop_column("portal_dossier", column)
    op.execute("ALTER TABLE portal_debt DROP drive")
    op.create_index(
        "ix_portal_debt_open",
        "portal_debt",
        ["dossier_code", "version"],
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
