"""Tombstones and a snapshot beside the feed."""

from alembic import op

revision = "0009"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE dossier_view ADD retracted boolean NOT NULL DEFAULT false;
ALTER TABLE dossier_view ALTER retracted DROP DEFAULT;
ALTER TABLE change ADD deleted boolean NOT NULL DEFAULT false;
ALTER TABLE change ALTER deleted DROP DEFAULT;
CREATE INDEX ix_change_dossier_code_position ON change (dossier_code, position)
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_change_dossier_code_position")
    op.execute("ALTER TABLE change DROP deleted")
    op.execute("ALTER TABLE dossier_view DROP retracted")
