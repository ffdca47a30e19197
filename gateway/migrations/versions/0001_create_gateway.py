"""Create the gateway's tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.migrations import create_plumbing_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_plumbing_v1(op)
    _create_clients_and_log()
    _create_views()
    _create_sync()


def _create_clients_and_log() -> None:
    op.create_table(
        "client",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("agency", sa.Text),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("secret_sha256", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.text("true")),
    )
    op.create_table(
        "transaction_log",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("client_id", "service", "method", "path")),
        sa.Column("status", sa.SmallInteger, nullable=False),
        *(sa.Column(n, sa.BigInteger, nullable=False) for n in ("duration_us", "request_bytes", "response_bytes")),
        sa.Column("trace_id", sa.Text, nullable=False),
        sa.Column("dossier_code", sa.Text),
    )
    op.create_index("ix_transaction_log_at", "transaction_log", ["at"])
    op.create_index("ix_transaction_log_trace_id", "transaction_log", ["trace_id"])
    op.create_index(
        "ix_transaction_log_dossier_code",
        "transaction_log",
        ["dossier_code"],
        postgresql_where=sa.text("dossier_code IS NOT NULL"),
    )


def _create_views() -> None:
    op.create_table(
        "dossier_view",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("agency_code", sa.Text, nullable=False),
        sa.Column("procedure_code", sa.Text, nullable=False),
        sa.Column("portal_status", sa.SmallInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sequences", postgresql.JSONB, nullable=False),
        sa.Column("facts", postgresql.JSONB, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
    )
    op.create_index("ix_dossier_view_agency_code", "dossier_view", ["agency_code"])
    op.create_table(
        "timeline",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("dossier_code", sa.Text, nullable=False),
        sa.Column("nth", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("happened_at", _TIME, nullable=False),
        sa.Column("committed_at", _TIME, nullable=False),
        sa.Column("folded_at", _TIME, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("portal_status", sa.SmallInteger),
        sa.Column("trace_id", sa.Text),
        sa.Column("detail", postgresql.JSONB, nullable=False),
    )
    op.create_index("ix_timeline_dossier_code_nth", "timeline", ["dossier_code", "nth"], unique=True)
    op.create_index("ix_timeline_trace_id", "timeline", ["trace_id"])


def _create_sync() -> None:
    op.create_table(
        "portal_debt",
        sa.Column("dossier_code", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("happened_at", _TIME, nullable=False),
        sa.Column("owed_since", _TIME, nullable=False),
        sa.Column("dossier_message", postgresql.JSONB),
        sa.Column("progress_message", postgresql.JSONB),
        sa.Column("dossier_acknowledged_at", _TIME),
        sa.Column("acknowledged_at", _TIME),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("next_attempt_at", _TIME),
        sa.Column("last_error", sa.Text),
    )
    op.create_index(
        "ix_portal_debt_open",
        "portal_debt",
        ["dossier_code", "version"],
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
    op.create_index("ix_portal_debt_acknowledged_at", "portal_debt", ["acknowledged_at"])
    op.create_table(
        "portal_dossier",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("acknowledged_version", sa.Integer, nullable=False),
    )
    op.create_table(
        "change",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        *(sa.Column(n, sa.Text, nullable=False) for n in ("dossier_code", "agency_code", "procedure_code")),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("happened_at", _TIME, nullable=False),
        sa.Column("portal_status", sa.SmallInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("detail", postgresql.JSONB, nullable=False),
    )


def downgrade() -> None:
    for table in ("change", "portal_dossier", "portal_debt", "timeline", "dossier_view", "transaction_log", "client"):
        op.drop_table(table)
