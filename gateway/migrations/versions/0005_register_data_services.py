"""Register data services; keep what failed, and what is sent again."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE data_service (
    code text CONSTRAINT pk_data_service PRIMARY KEY, agency text NOT NULL, provider text NOT NULL,
    name_vi text NOT NULL, name_en text NOT NULL, created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
    revision integer NOT NULL);
CREATE TABLE data_service_version (
    service text NOT NULL CONSTRAINT fk_data_service_version_service_data_service REFERENCES data_service (code),
    version text NOT NULL, stage text NOT NULL, base_url text NOT NULL, contract jsonb NOT NULL, policy jsonb NOT NULL,
    credentials bytea, created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL, revision integer NOT NULL,
    CONSTRAINT pk_data_service_version PRIMARY KEY (service, version));
CREATE TABLE data_service_window (
    id uuid CONSTRAINT pk_data_service_window PRIMARY KEY,
    service text NOT NULL CONSTRAINT fk_data_service_window_service_data_service REFERENCES data_service (code),
    version text, starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, reason_vi text NOT NULL,
    reason_en text NOT NULL);
CREATE INDEX ix_data_service_window_service ON data_service_window (service);
CREATE TABLE data_service_change (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_data_service_change PRIMARY KEY,
    service text NOT NULL, version text, action text NOT NULL, actor text NOT NULL, at timestamptz NOT NULL,
    detail jsonb NOT NULL);
CREATE INDEX ix_data_service_change_service ON data_service_change (service);
CREATE TABLE data_service_failure (
    fingerprint text CONSTRAINT pk_data_service_failure PRIMARY KEY, service text NOT NULL, version text NOT NULL,
    operation text NOT NULL, kind text NOT NULL, upstream_status smallint, complaint text NOT NULL,
    calls bigint NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL, samples jsonb NOT NULL);
CREATE INDEX ix_data_service_failure_service_last_at ON data_service_failure (service, last_at);
CREATE TABLE data_service_call (
    id uuid CONSTRAINT pk_data_service_call PRIMARY KEY, fingerprint text NOT NULL, service text NOT NULL,
    version text NOT NULL, operation text NOT NULL, client_id text NOT NULL, agency text, key_sha256 bytea NOT NULL,
    correlation_id text NOT NULL, sealed bytea, sealed_bytes integer NOT NULL, failed_at timestamptz NOT NULL,
    done_at timestamptz);
CREATE UNIQUE INDEX ix_data_service_call_service_client_id_key_sha256
    ON data_service_call (service, client_id, key_sha256);
CREATE INDEX ix_data_service_call_fingerprint ON data_service_call (fingerprint);
CREATE INDEX ix_data_service_call_failed_at ON data_service_call (failed_at);
CREATE TABLE data_service_rerun (
    id uuid CONSTRAINT pk_data_service_rerun PRIMARY KEY, service text NOT NULL, asked_by text NOT NULL,
    asked_at timestamptz NOT NULL, reason text NOT NULL, stage text NOT NULL, calls_per_second double precision NOT NULL,
    ended_at timestamptz);
CREATE INDEX ix_data_service_rerun_service ON data_service_rerun (service);
CREATE TABLE data_service_rerun_call (
    rerun_id uuid NOT NULL CONSTRAINT fk_data_service_rerun_call_rerun_id_data_service_rerun
        REFERENCES data_service_rerun (id) ON DELETE CASCADE,
    nth integer NOT NULL, call_id uuid NOT NULL, outcome text, upstream_status smallint, at timestamptz,
    CONSTRAINT pk_data_service_rerun_call PRIMARY KEY (rerun_id, nth));
CREATE INDEX ix_data_service_rerun_call_open ON data_service_rerun_call (rerun_id, nth) WHERE outcome IS NULL
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for table in ("rerun_call", "rerun", "call", "failure", "change", "window", "version"):
        op.execute(f"DROP TABLE data_service_{table}")
    op.execute("DROP TABLE data_service")
