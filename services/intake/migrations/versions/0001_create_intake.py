"""Create the tables of intake."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.migrations import create_plumbing_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create plumbing, catalogue, dossiers and what belongs to them."""
    create_plumbing_v1(op)
    _create_catalogue()
    _create_dossier()
    _create_document()
    _create_supplement_request()


def downgrade() -> None:
    """Refuse: dossiers are never dropped."""
    raise NotImplementedError("The first migration has no way back: drop the database.")


def _create_catalogue() -> None:
    op.create_table(
        "procedure",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("entry", JSONB, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("imported_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name="pk_procedure"),
    )
    op.create_table(
        "agency",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("entry", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_agency"),
    )
    op.create_table(
        "field",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_field"),
    )
    op.create_table(
        "catalogue_revision",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_revision"),
        sa.CheckConstraint("id = 1", name="single"),
    )
    op.execute("INSERT INTO catalogue_revision (id, revision) VALUES (1, 0)")


def _create_dossier() -> None:
    op.create_table(
        "agency_day",
        sa.Column("agency_code", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("agency_code", "day", name="pk_agency_day"),
    )
    op.create_table(
        "dossier",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("procedure_code", sa.Text, nullable=False),
        sa.Column("procedure_version", sa.Integer, nullable=False),
        sa.Column("procedure_name", sa.Text, nullable=False),
        sa.Column("agency_code", sa.Text, nullable=False),
        sa.Column("agency_name", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("return_method", sa.Text, nullable=False),
        sa.Column("applicant", JSONB, nullable=False),
        sa.Column("owner", JSONB, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("fees", JSONB, nullable=False),
        sa.Column("duration", JSONB),
        sa.Column("same_day", sa.Boolean, nullable=False),
        sa.Column("submitted_at", TIME, nullable=False),
        sa.Column("submitted_by", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("origin_reference", sa.Text),
        *_decision_columns(),
        sa.PrimaryKeyConstraint("code", name="pk_dossier"),
    )
    op.create_index(
        "uq_dossier_origin_origin_reference",
        "dossier",
        ["origin", "origin_reference"],
        unique=True,
        postgresql_where=sa.text("origin_reference IS NOT NULL"),
    )
    op.create_index("ix_dossier_submitted_at_code", "dossier", ["submitted_at", "code"])
    op.create_index(
        "ix_dossier_agency_code_status_submitted_at_code",
        "dossier",
        ["agency_code", "status", "submitted_at", "code"],
    )


def _decision_columns() -> list[sa.Column]:
    return [
        sa.Column("accepted_at", TIME),
        sa.Column("accepted_by", sa.Text),
        sa.Column("acceptance_note", sa.Text),
        sa.Column("late_entry", sa.Boolean),
        sa.Column("due_at", TIME),
        sa.Column("calendar_version", sa.Text),
        sa.Column("rejected_at", TIME),
        sa.Column("rejected_by", sa.Text),
        sa.Column("rejection_reason", sa.Text),
        sa.Column("rejection_legal_basis", sa.Text),
        sa.Column("withdrawal_reason", sa.Text),
        sa.Column("withdrawal_requested_at", TIME),
        sa.Column("withdrawal_refused_at", TIME),
        sa.Column("withdrawal_refusal", sa.Text),
        sa.Column("withdrawn_at", TIME),
        sa.Column("case_completed_at", TIME),
    ]


def _create_document() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("dossier_code", sa.Text),
        sa.Column("component_code", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("sha256", sa.Text),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("reused_result", sa.Text),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.ForeignKeyConstraint(
            ["dossier_code"],
            ["dossier.code"],
            name="fk_document_dossier_code",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_document_dossier_code", "document", ["dossier_code"])


def _create_supplement_request() -> None:
    op.create_table(
        "supplement_request",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("dossier_code", sa.Text, nullable=False),
        sa.Column("cause", sa.Uuid),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("respond_by", TIME, nullable=False),
        sa.Column("answered_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_supplement_request"),
        sa.ForeignKeyConstraint(["dossier_code"], ["dossier.code"], name="fk_supplement_request_dossier_code"),
    )
    op.create_index("ix_supplement_request_dossier_code", "supplement_request", ["dossier_code"])
