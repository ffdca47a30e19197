"""Grow the archive: signatures, versions, validity, hand-overs, re-use, scrubbing, access log."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE case_slice ADD COLUMN channel text;

ALTER TABLE result
    ADD COLUMN origin text NOT NULL DEFAULT 'digital',
    ADD COLUMN signatures jsonb NOT NULL DEFAULT '[]'::jsonb,
    ADD COLUMN owner_name text,
    ADD COLUMN owner_id_number text,
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN supersedes uuid CONSTRAINT fk_result_supersedes REFERENCES result (id),
    ADD COLUMN valid_from date,
    ADD COLUMN valid_until date,
    ADD CONSTRAINT ck_result_validity CHECK (valid_until IS NULL OR valid_from IS NULL OR valid_until >= valid_from);
UPDATE result SET owner_name = c.owner ->> 'name', owner_id_number = c.owner ->> 'id_number'
    FROM case_slice c WHERE c.dossier_code = result.dossier_code;
CREATE INDEX ix_result_owner_id_number_kind_code ON result (owner_id_number, kind_code)
    WHERE owner_id_number IS NOT NULL;
CREATE UNIQUE INDEX uq_result_supersedes ON result (supersedes) WHERE status <> 'draft';

ALTER TABLE document_access
    ADD COLUMN via text NOT NULL DEFAULT 'download',
    ADD COLUMN dossier_code text,
    ADD COLUMN consent_id uuid;
CREATE INDEX ix_document_access_client_id_id ON document_access (client_id, id);
CREATE INDEX ix_document_access_read_at ON document_access (read_at);

CREATE TABLE kind_policy (
    kind_code text NOT NULL CONSTRAINT pk_kind_policy PRIMARY KEY,
    digital text NOT NULL,
    paper text NOT NULL,
    reason text NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL
);

CREATE TABLE hand_over (
    id uuid NOT NULL CONSTRAINT pk_hand_over PRIMARY KEY,
    result_id uuid NOT NULL CONSTRAINT fk_hand_over_result_id REFERENCES result (id),
    nth integer NOT NULL,
    reissue boolean NOT NULL,
    reason text,
    method text NOT NULL,
    outcome text NOT NULL,
    started_at timestamptz NOT NULL,
    started_by text NOT NULL,
    concluded_at timestamptz,
    receiver_name text,
    receiver_relation text,
    document_kind text,
    document_last_digits text,
    document_number_hash text,
    checked_by text,
    postal_service text,
    tracking_number text,
    failure text,
    grant_sha256 text,
    grant_until timestamptz,
    downloads bigint NOT NULL DEFAULT 0,
    downloaded_at timestamptz,
    CONSTRAINT uq_hand_over_result_id_nth UNIQUE (result_id, nth),
    CONSTRAINT ck_hand_over_concluded CHECK (outcome = 'under_way' OR concluded_at IS NOT NULL)
);
CREATE UNIQUE INDEX uq_hand_over_tracking_number ON hand_over (tracking_number);
CREATE UNIQUE INDEX uq_hand_over_grant_sha256 ON hand_over (grant_sha256);
CREATE UNIQUE INDEX uq_hand_over_under_way ON hand_over (result_id) WHERE outcome = 'under_way';

CREATE TABLE consent (
    id uuid NOT NULL CONSTRAINT pk_consent PRIMARY KEY,
    owner_id_number text NOT NULL,
    consent_by text NOT NULL,
    consent_at timestamptz NOT NULL,
    consent_text text NOT NULL,
    purpose text NOT NULL,
    dossier_code text,
    client_id text NOT NULL,
    agency_code text,
    kind_codes jsonb NOT NULL,
    result_ids jsonb NOT NULL,
    searched_at timestamptz NOT NULL,
    valid_until timestamptz NOT NULL
);
CREATE INDEX ix_consent_owner_id_number_id ON consent (owner_id_number, id);
CREATE INDEX ix_consent_client_id_id ON consent (client_id, id);

CREATE TABLE reuse (
    dossier_code text NOT NULL,
    document_id uuid NOT NULL,
    component_code text NOT NULL,
    result_id uuid NOT NULL,
    verdict text NOT NULL,
    consent_by text NOT NULL,
    consent_at timestamptz NOT NULL,
    consent_text text NOT NULL,
    purpose text NOT NULL,
    judged_at timestamptz NOT NULL,
    CONSTRAINT pk_reuse PRIMARY KEY (dossier_code, document_id)
);
CREATE INDEX ix_reuse_result_id ON reuse (result_id);

CREATE TABLE dossier_papers (
    dossier_code text NOT NULL CONSTRAINT pk_dossier_papers PRIMARY KEY,
    agency_code text NOT NULL,
    procedure_code text NOT NULL,
    submitted_at timestamptz NOT NULL,
    papers integer NOT NULL,
    digitised integer NOT NULL,
    reused integer NOT NULL
);
CREATE INDEX ix_dossier_papers_submitted_at ON dossier_papers (submitted_at);

CREATE TABLE scrub_round (
    started_at timestamptz NOT NULL CONSTRAINT pk_scrub_round PRIMARY KEY,
    position text NOT NULL,
    files bigint NOT NULL,
    bytes_read bigint NOT NULL,
    found integer NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX uq_scrub_round_open ON scrub_round ((ended_at IS NULL)) WHERE ended_at IS NULL;

CREATE TABLE finding (
    sha256 text NOT NULL CONSTRAINT pk_finding PRIMARY KEY,
    problem text NOT NULL,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    mended_at timestamptz
)
"""
DROPPED = ("finding", "scrub_round", "dossier_papers", "reuse", "consent", "hand_over", "kind_policy")
COLUMNS = {
    "document_access": ("via", "dossier_code", "consent_id"),
    "result": (
        "origin",
        "signatures",
        "owner_name",
        "owner_id_number",
        "version",
        "supersedes",
        "valid_from",
        "valid_until",
    ),
    "case_slice": ("channel",),
}


def upgrade() -> None:
    """Add what the archive grows by."""
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Take it away again; what it held is lost."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)
