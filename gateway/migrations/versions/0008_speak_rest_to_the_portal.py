"""Keep the portal's numbers for our dossiers, and its catalogue with how it differs from ours."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE portal_number (
    code text CONSTRAINT pk_portal_number PRIMARY KEY, number text NOT NULL,
    dossier_digest bytea, lists_digest bytea, state_digest bytea, noted_at timestamptz NOT NULL);

CREATE TABLE catalogue_item (
    name text NOT NULL, code text NOT NULL, entry jsonb NOT NULL, digest bytea NOT NULL,
    detail jsonb, detail_at timestamptz, seen_at timestamptz NOT NULL, gone_at timestamptz,
    CONSTRAINT pk_catalogue_item PRIMARY KEY (name, code));

CREATE TABLE catalogue_pull (
    id uuid CONSTRAINT pk_catalogue_pull PRIMARY KEY, asked_at timestamptz NOT NULL, asked_by text NOT NULL,
    accept_smaller boolean NOT NULL, finished_at timestamptz, outcome text, counts jsonb NOT NULL, reason text);
CREATE INDEX ix_catalogue_pull_asked_at ON catalogue_pull (asked_at);
CREATE INDEX ix_catalogue_pull_waiting ON catalogue_pull (asked_at) WHERE finished_at IS NULL;

CREATE TABLE catalogue_diff (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_catalogue_diff PRIMARY KEY,
    pull_id uuid NOT NULL CONSTRAINT fk_catalogue_diff_pull_id REFERENCES catalogue_pull (id),
    code text NOT NULL, kind text NOT NULL, fields jsonb NOT NULL, found_at timestamptz NOT NULL,
    state text NOT NULL, decided_at timestamptz, decided_by text, note text);
CREATE UNIQUE INDEX uq_catalogue_diff_open ON catalogue_diff (code) WHERE state = 'open';
CREATE INDEX ix_catalogue_diff_state_id ON catalogue_diff (state, id)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for table in ("catalogue_diff", "catalogue_pull", "catalogue_item", "portal_number"):
        op.execute(f"DROP TABLE {table}")
