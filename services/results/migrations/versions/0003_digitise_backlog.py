"""Digitise the backlog."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE backlog_run (
    id uuid NOT NULL CONSTRAINT pk_backlog_run PRIMARY KEY,
    index_sha256 text NOT NULL CONSTRAINT uq_backlog_run_index_sha256 UNIQUE,
    index_name text NOT NULL,
    rows_total integer NOT NULL,
    next_row integer NOT NULL,
    imported_by text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE TABLE backlog_chunk (
    run_id uuid NOT NULL CONSTRAINT fk_backlog_chunk_run_id REFERENCES backlog_run (id),
    first_row integer NOT NULL,
    last_row integer NOT NULL,
    kept integer NOT NULL,
    duplicates integer NOT NULL,
    rejected integer NOT NULL,
    kept_bytes bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_backlog_chunk PRIMARY KEY (run_id, first_row)
);
CREATE TABLE backlog_reject (
    run_id uuid NOT NULL CONSTRAINT fk_backlog_reject_run_id REFERENCES backlog_run (id),
    row_no integer NOT NULL,
    cells jsonb NOT NULL,
    reasons jsonb NOT NULL,
    CONSTRAINT pk_backlog_reject PRIMARY KEY (run_id, row_no)
);
CREATE TABLE digitised_result (
    id uuid NOT NULL CONSTRAINT pk_digitised_result PRIMARY KEY,
    run_id uuid NOT NULL CONSTRAINT fk_digitised_result_run_id REFERENCES backlog_run (id),
    row_no integer NOT NULL,
    agency_code text NOT NULL,
    kind_code text NOT NULL,
    kind_name text NOT NULL,
    number text NOT NULL,
    owner_kind text NOT NULL,
    owner_name text NOT NULL,
    identity_kind text,
    identity_number text,
    issued_on date NOT NULL,
    issued_by text,
    valid_until date,
    procedure_code text,
    dossier_code text,
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    media_type text NOT NULL,
    pages integer,
    signature text NOT NULL,
    digitised_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT uq_digitised_result_agency_code_kind_code_number UNIQUE (agency_code, kind_code, number),
    CONSTRAINT uq_digitised_result_sha256 UNIQUE (sha256),
    CONSTRAINT uq_digitised_result_run_id_row_no UNIQUE (run_id, row_no),
    CONSTRAINT ck_digitised_result_signature CHECK (signature IN ('none', 'valid')),
    CONSTRAINT ck_digitised_result_identity CHECK ((identity_kind IS NULL) = (identity_number IS NULL))
);
CREATE INDEX ix_digitised_result_number ON digitised_result (number);
CREATE INDEX ix_digitised_result_identity_number_kind_code ON digitised_result (identity_number, kind_code);
CREATE INDEX ix_digitised_result_agency_code_id ON digitised_result (agency_code, id);
CREATE INDEX ix_digitised_result_agency_code_kind_code_id ON digitised_result (agency_code, kind_code, id);
CREATE INDEX ix_result_agency_code_status_id ON result (agency_code, status, id);
CREATE TABLE digitised_day (
    agency_code text NOT NULL,
    day date NOT NULL,
    results integer NOT NULL,
    CONSTRAINT pk_digitised_day PRIMARY KEY (agency_code, day)
);
CREATE TABLE digitised_access (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_digitised_access PRIMARY KEY,
    digitised_id uuid NOT NULL CONSTRAINT fk_digitised_access_digitised_id REFERENCES digitised_result (id),
    client_id text NOT NULL,
    agency_code text,
    purpose text NOT NULL,
    read_at timestamptz NOT NULL
);
CREATE INDEX ix_digitised_access_digitised_id_id ON digitised_access (digitised_id, id);
CREATE TABLE digitisation_plan (
    agency_code text NOT NULL CONSTRAINT pk_digitisation_plan PRIMARY KEY,
    volume integer NOT NULL,
    starts_on date NOT NULL,
    deadline date NOT NULL,
    deadline_basis text NOT NULL,
    version integer NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    CONSTRAINT ck_digitisation_plan_volume CHECK (volume > 0),
    CONSTRAINT ck_digitisation_plan_deadline CHECK (deadline >= starts_on)
)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_result_agency_code_status_id")
    for table in (
        "digitisation_plan",
        "digitised_access",
        "digitised_day",
        "digitised_result",
        "backlog_reject",
        "backlog_chunk",
        "backlog_run",
    ):
        op.execute(f"DROP TABLE {table}")
