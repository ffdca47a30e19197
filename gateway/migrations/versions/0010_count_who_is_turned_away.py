"""Count the requests that the door turned away before they were anybody's call."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE turned_away ("
        " day date NOT NULL, reason text NOT NULL, requests bigint NOT NULL,"
        " CONSTRAINT pk_turned_away PRIMARY KEY (day, reason))"
    )


def downgrade() -> None:
    op.execute("DROP TABLE turned_away")
