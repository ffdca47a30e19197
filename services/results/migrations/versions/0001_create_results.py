"""Create the tables of results."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.migrations import create_plumbing_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create plumbing, slices of cases, results and the access log."""
    create_plumbing_v1(op)
    _create_case_slice()
    _create_result()
    _create_document_access()


def downgrade() -> None:
    """Refuse: results are never dropped."""
    raise NotImplementedError("The first migration has no way back: drop the database.")


def _create_case_slice() -> None:
    op.create_table(
        "case_slice",
        sa.Column("dossier_code", sa.Text, nullable=False),
        sa.Column("agency_code", sa.Text, nullable=False),
        sa.Column("procedure_code", sa.Text, nullable=False),
        sa.Column("owner", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("completed_event_id", sa.Uuid),
        sa.Column("fee_announced", sa.Boolean, nullable=False),
        sa.Column("fees_due_vnd", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("dossier_code", name="pk_case_slice"),
    )


def _create_result() -> None:
    op.create_table(
        "result",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("dossier_code", sa.Text, nullable=False),
        sa.Column("agency_code", sa.Text, nullable=False),
        sa.Column("kind_code", sa.Text, nullable=False),
        sa.Column("kind_name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Text),
        sa.Column("issued_by", sa.Text),
        sa.Column("issued_at", sa.DateTime(timezone=True)),
        sa.Column("return_method", sa.Text),
        sa.Column("returned_by", sa.Text),
        sa.Column("returned_at", sa.DateTime(timezone=True)),
        sa.Column("receiver_id_checked", sa.Boolean),
        sa.Column("tracking_number", sa.Text),
        sa.Column("superseded_by", sa.Uuid),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("end_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_result"),
        sa.ForeignKeyConstraint(["dossier_code"], ["case_slice.dossier_code"], name="fk_result_dossier_code"),
        sa.ForeignKeyConstraint(["superseded_by"], ["result.id"], name="fk_result_superseded_by"),
        sa.UniqueConstraint("agency_code", "kind_code", "number", name="uq_result_agency_code_kind_code_number"),
        sa.CheckConstraint(
            "status = 'draft' OR (number IS NOT NULL AND issued_at IS NOT NULL)", name="ck_result_issued"
        ),
        sa.CheckConstraint("status <> 'returned' OR returned_at IS NOT NULL", name="ck_result_returned"),
        sa.CheckConstraint("status <> 'superseded' OR superseded_by IS NOT NULL", name="ck_result_superseded"),
    )
    op.create_index("ix_result_dossier_code", "result", ["dossier_code"])
    op.create_index("ix_result_number", "result", ["number"])
    op.create_index("ix_result_sha256", "result", ["sha256"])
    op.create_index("ix_result_agency_code_id", "result", ["agency_code", "id"])


def _create_document_access() -> None:
    op.create_table(
        "document_access",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("result_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("agency_code", sa.Text),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document_access"),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name="fk_document_access_result_id"),
    )
    op.create_index("ix_document_access_result_id_id", "document_access", ["result_id", "id"])
