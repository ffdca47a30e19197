"""Grow worklists: accounts, delegations, consultations, escalation, slips, late data."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE case_file
    ADD competent_agency_code text, ADD applicant_name text, ADD extensions smallint NOT NULL DEFAULT 0, ADD slips smallint NOT NULL DEFAULT 0,
    ADD entered_late boolean NOT NULL DEFAULT false, ADD expects_result boolean NOT NULL DEFAULT false,
    ADD result_issued_at timestamptz, ADD result_returned_at timestamptz,
    ADD escalation_level smallint NOT NULL DEFAULT 0;
UPDATE case_file SET competent_agency_code = agency_code;
ALTER TABLE case_file ALTER competent_agency_code SET NOT NULL;
ALTER TABLE process_version ADD procedure_name text;
ALTER TABLE task
    ADD acting_for text, ADD late_reason text, ADD minutes_late integer,
    ADD consultations_open smallint NOT NULL DEFAULT 0, ADD escalation_level smallint NOT NULL DEFAULT 0;

CREATE INDEX ix_case_file_under_way_branch ON case_file
    ((split_part(competent_agency_code, '.', 1) || '.' || split_part(competent_agency_code, '.', 2)), due_at, dossier_code)
    WHERE status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped');
CREATE INDEX ix_case_file_status_branch ON case_file
    ((split_part(competent_agency_code, '.', 1) || '.' || split_part(competent_agency_code, '.', 2)), status, due_at, dossier_code);
CREATE INDEX ix_case_file_received_for_others ON case_file
    ((split_part(agency_code, '.', 1) || '.' || split_part(agency_code, '.', 2)), due_at, dossier_code)
    WHERE agency_code <> competent_agency_code;
CREATE INDEX ix_case_file_late ON case_file (due_at, dossier_code) WHERE status = 'completed' AND due_at < completed_at;
CREATE INDEX ix_case_file_late_branch ON case_file
    ((split_part(competent_agency_code, '.', 1) || '.' || split_part(competent_agency_code, '.', 2)), due_at, dossier_code)
    WHERE status = 'completed' AND due_at < completed_at;
CREATE INDEX ix_case_file_completed ON case_file (completed_at) WHERE status = 'completed';
CREATE INDEX ix_case_file_escalation ON case_file (escalation_level, due_at, dossier_code) WHERE status = 'running';
CREATE INDEX ix_case_file_steps_unentered ON case_file (result_issued_at, dossier_code)
    WHERE result_issued_at IS NOT NULL AND status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped');
CREATE INDEX ix_case_file_result_unentered ON case_file (completed_at, dossier_code)
    WHERE status = 'completed' AND expects_result AND result_issued_at IS NULL;
CREATE INDEX ix_case_file_result_unreturned ON case_file (completed_at, dossier_code)
    WHERE status = 'completed' AND result_issued_at IS NOT NULL AND result_returned_at IS NULL;

DROP INDEX ix_task_official;
CREATE INDEX ix_task_at_work_role ON task (role, due_at, id) WHERE status IN ('open', 'claimed', 'returned');
CREATE INDEX ix_task_at_work_branch ON task
    ((split_part(agency_code, '.', 1) || '.' || split_part(agency_code, '.', 2)), due_at, id)
    WHERE status IN ('open', 'claimed', 'returned');
CREATE INDEX ix_task_at_work_branch_unit ON task
    ((split_part(agency_code, '.', 1) || '.' || split_part(agency_code, '.', 2)), unit, due_at, id)
    WHERE status IN ('open', 'claimed', 'returned');
CREATE INDEX ix_task_at_work_official ON task (official, due_at, id)
    WHERE official IS NOT NULL AND status IN ('open', 'claimed', 'returned');
CREATE INDEX ix_task_returned ON task (due_at, id) WHERE status = 'returned';
CREATE INDEX ix_task_done_official ON task (official, due_at, id) WHERE status = 'done';
CREATE INDEX ix_task_done_branch_unit ON task
    ((split_part(agency_code, '.', 1) || '.' || split_part(agency_code, '.', 2)), unit, due_at, id)
    WHERE status = 'done';
CREATE INDEX ix_task_completed ON task (completed_at) WHERE status = 'done';
CREATE INDEX ix_task_escalation ON task (escalation_level, due_at, id) WHERE status IN ('open', 'claimed');

CREATE TABLE staffed_agency (
    agency_code text CONSTRAINT pk_staffed_agency PRIMARY KEY, name text NOT NULL, enforced boolean NOT NULL,
    changed_at timestamptz NOT NULL);
CREATE TABLE unit (
    agency_code text NOT NULL, code text NOT NULL, name text NOT NULL, parent_code text, valid_from date NOT NULL,
    valid_to date, CONSTRAINT pk_unit PRIMARY KEY (agency_code, code));
CREATE INDEX ix_unit_agency_code_parent_code ON unit (agency_code, parent_code);
CREATE TABLE account (
    username text CONSTRAINT pk_account PRIMARY KEY, directory_id text, agency_code text NOT NULL, name text NOT NULL,
    email text, active boolean NOT NULL, source text NOT NULL, changed_at timestamptz NOT NULL,
    deactivated_at timestamptz);
CREATE INDEX ix_account_directory_id ON account (directory_id);
CREATE INDEX ix_account_agency_code_username ON account (agency_code, username);
CREATE TABLE assignment (
    username text NOT NULL CONSTRAINT fk_assignment_username REFERENCES account, agency_code text NOT NULL,
    unit_code text NOT NULL, role text NOT NULL, valid_from date NOT NULL, valid_to date,
    CONSTRAINT pk_assignment PRIMARY KEY (username, agency_code, unit_code, role, valid_from),
    CONSTRAINT fk_assignment_agency_code_unit_code FOREIGN KEY (agency_code, unit_code) REFERENCES unit);
CREATE INDEX ix_assignment_agency_code_unit_code_role ON assignment (agency_code, unit_code, role);

CREATE TABLE consultation (
    id uuid CONSTRAINT pk_consultation PRIMARY KEY,
    dossier_code text NOT NULL CONSTRAINT fk_consultation_dossier_code REFERENCES case_file,
    task_id uuid NOT NULL CONSTRAINT fk_consultation_task_id REFERENCES task,
    asking_agency_code text NOT NULL, consulted_agency_code text NOT NULL, procedure_code text NOT NULL,
    status text NOT NULL, question text NOT NULL, documents jsonb NOT NULL, asked_by text NOT NULL,
    asked_at timestamptz NOT NULL, respond_by timestamptz NOT NULL, opinion text, answer text, closed_by text,
    closed_at timestamptz, waive_reason text);
CREATE INDEX ix_consultation_dossier_code ON consultation (dossier_code);
CREATE INDEX ix_consultation_awaited ON consultation (consulted_agency_code, respond_by, id)
    WHERE status IN ('asked', 'late');
CREATE INDEX ix_consultation_due ON consultation (respond_by, id) WHERE status = 'asked';
CREATE TABLE delegation (
    id uuid CONSTRAINT pk_delegation PRIMARY KEY, agency_code text NOT NULL, delegator text NOT NULL, delegate text,
    delegate_unit text, units text[], procedures text[], starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL,
    reason text NOT NULL, made_by text NOT NULL, made_at timestamptz NOT NULL, ended_by text, end_reason text);
CREATE INDEX ix_delegation_delegator_ends_at ON delegation (delegator, ends_at);
CREATE INDEX ix_delegation_delegate_ends_at ON delegation (delegate, ends_at);
CREATE INDEX ix_delegation_agency_code_delegate_unit_ends_at ON delegation (agency_code, delegate_unit, ends_at);

CREATE TABLE notice (
    id uuid CONSTRAINT pk_notice PRIMARY KEY, target text NOT NULL, level smallint NOT NULL,
    level_key text NOT NULL, dossier_code text NOT NULL, task_id uuid, agency_code text NOT NULL, unit text,
    official text, addressee text NOT NULL, due_at timestamptz NOT NULL, told_at timestamptz NOT NULL);
CREATE UNIQUE INDEX uq_notice_once ON notice (target, level, due_at);
CREATE INDEX ix_notice_agency_code_told_at_id ON notice (agency_code, told_at, id);
CREATE INDEX ix_notice_told_at_id ON notice (told_at, id);
CREATE TABLE slip (
    dossier_code text NOT NULL, form text NOT NULL, nth smallint NOT NULL, issued_at timestamptz NOT NULL,
    issued_by text NOT NULL, content jsonb NOT NULL, CONSTRAINT pk_slip PRIMARY KEY (dossier_code, form, nth));
CREATE TABLE early_result (
    dossier_code text CONSTRAINT pk_early_result PRIMARY KEY, issued_at timestamptz, returned_at timestamptz)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "early_result",
        "slip",
        "notice",
        "delegation",
        "consultation",
        "assignment",
        "account",
        "unit",
        "staffed_agency",
    ):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE process_version DROP procedure_name")
    op.execute(
        "ALTER TABLE task DROP acting_for, DROP late_reason, DROP minutes_late, DROP consultations_open, DROP escalation_level"
    )
    op.execute(
        "DROP INDEX ix_task_at_work_role, ix_task_at_work_branch, ix_task_at_work_branch_unit, ix_task_at_work_official"
    )
    op.execute("DROP INDEX ix_task_returned, ix_task_done_official, ix_task_done_branch_unit, ix_task_completed")
    op.execute("CREATE INDEX ix_task_official ON task (official, due_at, id) WHERE official IS NOT NULL")
    op.execute("DROP INDEX ix_case_file_late, ix_case_file_completed, ix_case_file_received_for_others")
    op.execute(
        "ALTER TABLE case_file DROP competent_agency_code, DROP applicant_name, DROP extensions, DROP slips, DROP entered_late, "
        "DROP expects_result, DROP result_issued_at, DROP result_returned_at, DROP escalation_level"
    )
