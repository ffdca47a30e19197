"""Grow processes, calendars and the clock's ledger."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE case_file
    ADD same_day boolean NOT NULL DEFAULT false, ADD calendar_code text NOT NULL DEFAULT 'vn',
    ADD facts jsonb NOT NULL DEFAULT '{}', ADD decisions jsonb NOT NULL DEFAULT '[]';
CREATE INDEX ix_case_file_calendar ON case_file (calendar_code, calendar_version, dossier_code)
    WHERE status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped');
ALTER TABLE task ADD outcomes text[] NOT NULL DEFAULT '{}', ADD outcome text;
ALTER TABLE clock_entry ADD note text;

CREATE TABLE calendar_version (
    calendar_code text NOT NULL, nth integer NOT NULL, version text NOT NULL, agencies text[] NOT NULL,
    document jsonb NOT NULL, reason text NOT NULL, published_by text NOT NULL, published_at timestamptz NOT NULL,
    applied_at timestamptz, CONSTRAINT pk_calendar_version PRIMARY KEY (calendar_code, nth));
CREATE UNIQUE INDEX ix_calendar_version_calendar_code_version ON calendar_version (calendar_code, version);
CREATE TABLE due_date_change (
    calendar_code text NOT NULL, calendar_nth integer NOT NULL, dossier_code text NOT NULL, agency_code text NOT NULL,
    previous_due_at timestamptz, due_at timestamptz, problem text, changed_at timestamptz NOT NULL,
    CONSTRAINT pk_due_date_change PRIMARY KEY (calendar_code, calendar_nth, dossier_code),
    CONSTRAINT fk_due_date_change_calendar_code_calendar_nth
        FOREIGN KEY (calendar_code, calendar_nth) REFERENCES calendar_version);

CREATE TABLE drawn_process (
    code text NOT NULL, version integer NOT NULL, nth bigint NOT NULL GENERATED ALWAYS AS IDENTITY, name text NOT NULL,
    procedure_code text, agency_code text, valid_from date NOT NULL, valid_to date, term_amount double precision,
    term_unit text, definition jsonb NOT NULL, drawing text, imported_by text NOT NULL,
    imported_at timestamptz NOT NULL, CONSTRAINT pk_drawn_process PRIMARY KEY (code, version));
CREATE INDEX ix_drawn_process_procedure_code ON drawn_process (procedure_code);
CREATE UNIQUE INDEX ix_drawn_process_nth ON drawn_process (nth)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for table in ("drawn_process", "due_date_change", "calendar_version"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE clock_entry DROP note")
    op.execute("ALTER TABLE task DROP outcomes, DROP outcome")
    op.execute("ALTER TABLE case_file DROP same_day, DROP calendar_code, DROP facts, DROP decisions")
