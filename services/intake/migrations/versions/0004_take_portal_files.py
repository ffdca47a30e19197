"""Take the files of dossiers that another portal hands over; those whose dossier never comes expire."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE document ADD COLUMN expires_at timestamptz")
    op.execute("CREATE INDEX ix_document_expires_at ON document (expires_at) WHERE expires_at IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE document DROP COLUMN expires_at")
