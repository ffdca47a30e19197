"""Create the plumbing and workflow's tables."""

from alembic import op

from shared.migrations import create_plumbing_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE process_version (
    procedure_code text NOT NULL, version integer NOT NULL, definition jsonb NOT NULL,
    CONSTRAINT pk_process_version PRIMARY KEY (procedure_code, version));

CREATE TABLE case_file (
    dossier_code text CONSTRAINT pk_case_file PRIMARY KEY,
    status text NOT NULL, agency_code text NOT NULL, procedure_code text NOT NULL, process_code text NOT NULL,
    process_version integer NOT NULL, started_at timestamptz NOT NULL, late_entry boolean NOT NULL,
    due_at timestamptz, term_amount double precision, term_unit text, calendar_version text NOT NULL,
    fee_outstanding_vnd bigint NOT NULL, paused_since timestamptz, pause_reason text, supplement_id uuid,
    respond_by timestamptz, clock_at timestamptz NOT NULL, clock_entries integer NOT NULL, completed_at timestamptz);
CREATE INDEX ix_case_file_under_way ON case_file (due_at, dossier_code)
    WHERE status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped');
CREATE INDEX ix_case_file_status ON case_file (status, due_at, dossier_code);

CREATE TABLE task (
    id uuid CONSTRAINT pk_task PRIMARY KEY,
    dossier_code text NOT NULL CONSTRAINT fk_task_dossier_code REFERENCES case_file,
    position integer NOT NULL, agency_code text NOT NULL, step_key text NOT NULL, step_name text NOT NULL,
    unit text NOT NULL, role text NOT NULL, minutes integer NOT NULL, after text[] NOT NULL,
    awaits_payment boolean NOT NULL, output text, status text NOT NULL, official text, opened_at timestamptz,
    due_at timestamptz, completed_at timestamptz, recorded_at timestamptz, note text);
CREATE INDEX ix_task_dossier_code ON task (dossier_code);
CREATE INDEX ix_task_at_work ON task (due_at, id) WHERE status IN ('open', 'claimed', 'returned');
CREATE INDEX ix_task_at_work_unit ON task (unit, due_at, id) WHERE status IN ('open', 'claimed', 'returned');
CREATE INDEX ix_task_official ON task (official, due_at, id) WHERE official IS NOT NULL;
CREATE INDEX ix_task_done_unit ON task (unit, due_at, id) WHERE status = 'done';

CREATE TABLE clock_entry (
    dossier_code text NOT NULL CONSTRAINT fk_clock_entry_dossier_code REFERENCES case_file,
    nth integer NOT NULL, kind text NOT NULL, at timestamptz NOT NULL, reason text NOT NULL, event_id uuid NOT NULL,
    calendar_version text NOT NULL, due_at timestamptz,
    CONSTRAINT pk_clock_entry PRIMARY KEY (dossier_code, nth));
"""


def upgrade() -> None:
    """Create everything."""
    create_plumbing_v1(op)
    for statement in filter(None, map(str.strip, TABLES.split(";"))):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: cases are never dropped."""
    raise NotImplementedError("The first migration has no way back: drop the database.")
