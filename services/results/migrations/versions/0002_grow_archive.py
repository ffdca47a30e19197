"""Grow the archive: signatures, versions, access log."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
SELECT 1
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for table in ():
        op.execute(f"DROP TABLE {table}")
