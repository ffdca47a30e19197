"""Take drafts, uploads in pieces, rules of submission; track dossiers; let earlier results stand for papers."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Dossiers that are there already were entered when they were submitted, and get a tracking code nobody was told.
TABLES = """
ALTER TABLE dossier
    ADD COLUMN tracking_code text, ADD COLUMN owner_key text, ADD COLUMN case_code text,
    ADD COLUMN entered_at timestamptz, ADD COLUMN late_reason text,
    ADD COLUMN handled_as text NOT NULL DEFAULT 'partial', ADD COLUMN handled_because text[] NOT NULL DEFAULT '{}',
    ADD COLUMN claims_reuse boolean NOT NULL DEFAULT false,
    ADD COLUMN acceptance_entered_at timestamptz, ADD COLUMN acceptance_late_reason text,
    ADD COLUMN current_due_at timestamptz, ADD COLUMN returned_at timestamptz;
UPDATE dossier SET entered_at = submitted_at, acceptance_entered_at = accepted_at,
    tracking_code = upper(translate(gen_random_uuid()::text, '-', ''));
ALTER TABLE dossier
    ALTER COLUMN tracking_code SET NOT NULL, ALTER COLUMN entered_at SET NOT NULL,
    ALTER COLUMN handled_as DROP DEFAULT, ALTER COLUMN handled_because DROP DEFAULT,
    ALTER COLUMN claims_reuse DROP DEFAULT;
CREATE UNIQUE INDEX uq_dossier_tracking_code ON dossier (tracking_code);
CREATE INDEX ix_dossier_agency_code_submitted_at_code ON dossier (agency_code, submitted_at, code);
CREATE INDEX ix_dossier_agency_code_procedure_code_submitted_at_code
    ON dossier (agency_code, procedure_code, submitted_at, code);
CREATE INDEX ix_dossier_procedure_code_owner_key ON dossier (procedure_code, owner_key) WHERE owner_key IS NOT NULL;
ALTER TABLE document
    ADD COLUMN reuse jsonb, ADD COLUMN reuse_answer text, ADD COLUMN reuse_refusal text, ADD COLUMN reuse_event uuid;
CREATE INDEX ix_supplement_request_respond_by ON supplement_request (respond_by) WHERE answered_at IS NULL;
CREATE TABLE draft (
    id uuid CONSTRAINT pk_draft PRIMARY KEY, client text NOT NULL, reference text, body jsonb NOT NULL,
    revision integer NOT NULL, created_at timestamptz NOT NULL, saved_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, dossier_code text);
CREATE INDEX ix_draft_client_id ON draft (client, id);
CREATE INDEX ix_draft_expires_at ON draft (expires_at);
CREATE TABLE upload (
    id uuid CONSTRAINT pk_upload PRIMARY KEY, client text NOT NULL, name text NOT NULL, size_bytes bigint NOT NULL,
    sha256 text NOT NULL, received_bytes bigint NOT NULL, media_type text, started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, document_id uuid);
CREATE INDEX ix_upload_expires_at ON upload (expires_at);
CREATE TABLE upload_piece (
    upload_id uuid NOT NULL CONSTRAINT fk_upload_piece_upload_id_upload REFERENCES upload ON DELETE CASCADE,
    start_byte bigint NOT NULL, bytes bytea NOT NULL,
    CONSTRAINT pk_upload_piece PRIMARY KEY (upload_id, start_byte));
ALTER TABLE upload_piece ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE submission_rule (
    id uuid CONSTRAINT pk_submission_rule PRIMARY KEY, entry jsonb NOT NULL, revision integer NOT NULL,
    set_at timestamptz NOT NULL, set_by text NOT NULL);
CREATE INDEX ix_submission_rule_set_at ON submission_rule (set_at)
"""


def upgrade() -> None:
    """Add columns and tables."""
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again; drafts, unfinished uploads and rules are lost, dossiers lose their tracking codes."""
    for table in ("submission_rule", "upload_piece", "upload", "draft"):
        op.execute(f"DROP TABLE {table}")
    op.execute(
        "DROP INDEX ix_supplement_request_respond_by, ix_dossier_agency_code_submitted_at_code, "
        "ix_dossier_agency_code_procedure_code_submitted_at_code"
    )
    op.execute(
        "ALTER TABLE document DROP COLUMN reuse, DROP COLUMN reuse_answer, DROP COLUMN reuse_refusal, "
        "DROP COLUMN reuse_event"
    )
    op.execute(
        "ALTER TABLE dossier DROP COLUMN tracking_code, DROP COLUMN owner_key, DROP COLUMN case_code, "
        "DROP COLUMN entered_at, DROP COLUMN late_reason, DROP COLUMN handled_as, DROP COLUMN handled_because, "
        "DROP COLUMN acceptance_entered_at, DROP COLUMN acceptance_late_reason, DROP COLUMN current_due_at, "
        "DROP COLUMN returned_at, DROP COLUMN claims_reuse"
    )
