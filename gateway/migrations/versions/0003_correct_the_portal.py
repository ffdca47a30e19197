"""Let what the portal was told of a status be corrected afterwards."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE portal_debt ADD revision integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE portal_debt DROP revision")
