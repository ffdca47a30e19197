"""Let a dossier that was entered by mistake be struck off."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE dossier ADD retracted_at timestamptz, ADD retracted_by text, ADD retraction_reason text")


def downgrade() -> None:
    op.execute("ALTER TABLE dossier DROP retracted_at, DROP retracted_by, DROP retraction_reason")
