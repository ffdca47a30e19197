"""Grow the catalogue: search, dated agencies, e-forms, imports."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The extension is trusted: the database's owner may create it.
TABLES = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
ALTER TABLE procedure
    ADD COLUMN revision bigint NOT NULL DEFAULT 0, ADD COLUMN haystack text NOT NULL DEFAULT '',
    ADD COLUMN field_code text NOT NULL DEFAULT '', ADD COLUMN levels text[] NOT NULL DEFAULT '{}',
    ADD COLUMN receivers text[] NOT NULL DEFAULT '{}', ADD COLUMN valid_from date NOT NULL DEFAULT '-infinity',
    ADD COLUMN valid_to date;
ALTER TABLE procedure
    ALTER COLUMN revision DROP DEFAULT, ALTER COLUMN haystack DROP DEFAULT, ALTER COLUMN field_code DROP DEFAULT,
    ALTER COLUMN levels DROP DEFAULT, ALTER COLUMN receivers DROP DEFAULT, ALTER COLUMN valid_from DROP DEFAULT;
CREATE INDEX ix_procedure_haystack ON procedure USING gin (haystack gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX ix_procedure_field_code_code ON procedure (field_code, code);
CREATE INDEX ix_procedure_receivers ON procedure USING gin (receivers);
CREATE INDEX ix_procedure_revision ON procedure (revision);
UPDATE procedure SET digest = '';
ALTER TABLE agency ADD COLUMN revision bigint NOT NULL DEFAULT 0, ADD COLUMN digest bytea NOT NULL DEFAULT '';
ALTER TABLE agency ALTER COLUMN revision DROP DEFAULT, ALTER COLUMN digest DROP DEFAULT;
UPDATE agency SET entry = entry - 'successor';
CREATE TABLE form (
    code text NOT NULL, version integer NOT NULL, entry jsonb NOT NULL, digest bytea NOT NULL,
    procedures text[] NOT NULL, revision bigint NOT NULL, imported_by text NOT NULL, imported_at timestamptz NOT NULL,
    CONSTRAINT pk_form PRIMARY KEY (code, version));
CREATE INDEX ix_form_procedures ON form USING gin (procedures);
CREATE TABLE catalogue_import (
    id uuid CONSTRAINT pk_catalogue_import PRIMARY KEY, kind text NOT NULL, source text NOT NULL, sha256 text NOT NULL,
    started_at timestamptz NOT NULL, started_by text NOT NULL, finished_at timestamptz, done integer NOT NULL,
    report jsonb);
CREATE TABLE working_calendar (
    code text NOT NULL, nth integer NOT NULL, version text NOT NULL, agencies text[] NOT NULL, document jsonb NOT NULL,
    CONSTRAINT pk_working_calendar PRIMARY KEY (code, nth));
ALTER TABLE dossier
    ADD COLUMN calendar_code text, ADD COLUMN competent_agency_code text, ADD COLUMN form_code text, ADD COLUMN form_version integer,
    ADD COLUMN form_data jsonb;
CREATE INDEX ix_dossier_competent_agency_code_submitted_at_code
    ON dossier (competent_agency_code, submitted_at, code) WHERE competent_agency_code IS NOT NULL
"""


def upgrade() -> None:
    """Add columns and tables; what was imported before is written anew by the next start."""
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again; dossiers lose their forms' data."""
    op.execute(
        "ALTER TABLE dossier DROP COLUMN calendar_code, DROP COLUMN competent_agency_code, DROP COLUMN form_code, DROP COLUMN form_version, "
        "DROP COLUMN form_data"
    )
    for table in ("working_calendar", "catalogue_import", "form"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE agency DROP COLUMN revision, DROP COLUMN digest")
    op.execute(
        "ALTER TABLE procedure DROP COLUMN revision, DROP COLUMN haystack, DROP COLUMN field_code, DROP COLUMN levels, "
        "DROP COLUMN receivers, DROP COLUMN valid_from, DROP COLUMN valid_to"
    )
