"""Tombstones and a snapshot beside the feed; webhooks; electronic documents."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE dossier_view ADD retracted boolean NOT NULL DEFAULT false;
ALTER TABLE dossier_view ALTER retracted DROP DEFAULT;
ALTER TABLE change ADD deleted boolean NOT NULL DEFAULT false;
ALTER TABLE change ALTER deleted DROP DEFAULT;
CREATE INDEX ix_change_dossier_code_position ON change (dossier_code, position);
CREATE TABLE subscription (
    id uuid CONSTRAINT pk_subscription PRIMARY KEY, client_id text NOT NULL, agency text NOT NULL,
    inherited text[] NOT NULL, url text NOT NULL, description text NOT NULL, event_types text[] NOT NULL,
    only_agency text, only_procedure text, secret bytea NOT NULL, old_secret bytea, old_secret_until timestamptz,
    enabled boolean NOT NULL, disabled_because text, disabled_at timestamptz, failing_since timestamptz,
    last_success_at timestamptz, position bigint NOT NULL, created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL);
CREATE INDEX ix_subscription_agency_id ON subscription (agency, id);
CREATE TABLE delivery (
    nth bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_delivery PRIMARY KEY,
    id uuid NOT NULL CONSTRAINT uq_delivery_id UNIQUE,
    subscription_id uuid NOT NULL CONSTRAINT fk_delivery_subscription_id REFERENCES subscription ON DELETE CASCADE,
    dossier_code text NOT NULL, event_type text NOT NULL, position bigint, body text NOT NULL,
    created_at timestamptz NOT NULL, tries integer NOT NULL, attempts integer NOT NULL,
    next_attempt_at timestamptz NOT NULL, finished_at timestamptz, outcome text);
CREATE INDEX ix_delivery_open ON delivery (subscription_id, dossier_code, nth) WHERE finished_at IS NULL;
CREATE INDEX ix_delivery_subscription_id_nth ON delivery (subscription_id, nth);
CREATE INDEX ix_delivery_finished_at ON delivery (finished_at) WHERE finished_at IS NOT NULL;
CREATE TABLE delivery_attempt (
    delivery_nth bigint NOT NULL CONSTRAINT fk_delivery_attempt_delivery_nth REFERENCES delivery ON DELETE CASCADE,
    number integer NOT NULL, at timestamptz NOT NULL, http_status smallint, reason text, duration_ms integer NOT NULL,
    CONSTRAINT pk_delivery_attempt PRIMARY KEY (delivery_nth, number));
CREATE TABLE edoc_agency (
    code text CONSTRAINT pk_edoc_agency PRIMARY KEY, name text NOT NULL, parent text, email text, fax text,
    mobile text, added_by text NOT NULL, added_at timestamptz NOT NULL, cancelled_at timestamptz);
CREATE TABLE edoc (
    id uuid CONSTRAINT pk_edoc PRIMARY KEY, sender text NOT NULL, document_id text NOT NULL, kind text NOT NULL,
    about uuid, sha256 text NOT NULL, size_bytes integer NOT NULL, content bytea, sent_by text NOT NULL,
    sent_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
    CONSTRAINT uq_edoc_sender_document_id UNIQUE (sender, document_id));
ALTER TABLE edoc ALTER content SET STORAGE EXTERNAL;
CREATE INDEX ix_edoc_expires_at ON edoc (expires_at) WHERE content IS NOT NULL;
CREATE TABLE edoc_recipient (
    nth bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_edoc_recipient PRIMARY KEY,
    edoc_id uuid NOT NULL CONSTRAINT fk_edoc_recipient_edoc_id REFERENCES edoc ON DELETE CASCADE,
    agency text NOT NULL, progress text NOT NULL, note text, changed_at timestamptz NOT NULL,
    CONSTRAINT uq_edoc_recipient_edoc_id_agency UNIQUE (edoc_id, agency));
CREATE INDEX ix_edoc_recipient_agency_nth ON edoc_recipient (agency, nth)
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE edoc_recipient, edoc, edoc_agency, delivery_attempt, delivery, subscription")
    op.execute("DROP INDEX ix_change_dossier_code_position")
    op.execute("ALTER TABLE change DROP deleted")
    op.execute("ALTER TABLE dossier_view DROP retracted")
