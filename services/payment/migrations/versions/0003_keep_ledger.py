"""Keep the ledger, settlements and receipt issuers."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE ledger_account (
    code text CONSTRAINT pk_ledger_account PRIMARY KEY,
    kind text NOT NULL, agency_code text NOT NULL, provider text NOT NULL, treasury_account text NOT NULL,
    fee_kind text NOT NULL);
CREATE INDEX ix_ledger_account_agency_code ON ledger_account (agency_code);

CREATE TABLE ledger_entry (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_ledger_entry PRIMARY KEY,
    posted_at timestamptz NOT NULL, on_date date NOT NULL, cause text NOT NULL,
    debit text NOT NULL CONSTRAINT fk_ledger_entry_debit REFERENCES ledger_account,
    credit text NOT NULL CONSTRAINT fk_ledger_entry_credit REFERENCES ledger_account,
    amount_vnd bigint NOT NULL CONSTRAINT ck_ledger_entry_positive CHECK (amount_vnd > 0),
    agency_code text NOT NULL, fee_kind text NOT NULL, dossier_code text, fee_id uuid, payment_id uuid, refund_id uuid,
    provider text, transaction_number text, reverses_id bigint CONSTRAINT uq_ledger_entry_reverses_id UNIQUE,
    note text, posted_by text NOT NULL,
    CONSTRAINT ck_ledger_entry_two_accounts CHECK (debit <> credit));
CREATE INDEX ix_ledger_entry_posted_at ON ledger_entry (posted_at);
CREATE INDEX ix_ledger_entry_on_date ON ledger_entry (on_date);
CREATE INDEX ix_ledger_entry_dossier_code ON ledger_entry (dossier_code);
CREATE UNIQUE INDEX uq_ledger_entry_transaction_once ON ledger_entry (provider, transaction_number, cause, fee_kind)
    WHERE cause IN ('settled', 'unsettled', 'unmatched', 'paid_out');

CREATE TABLE treasury_account (
    agency_code text NOT NULL, valid_from date NOT NULL, account_number text NOT NULL, account_name text NOT NULL,
    treasury_name text NOT NULL, CONSTRAINT pk_treasury_account PRIMARY KEY (agency_code, valid_from));

CREATE TABLE issuer (
    code text NOT NULL, valid_from date NOT NULL, name text NOT NULL, tax_code text, address text, parent_name text,
    place text, forms jsonb NOT NULL, CONSTRAINT pk_issuer PRIMARY KEY (code, valid_from));

CREATE TABLE issuing_delegation (
    agency_code text NOT NULL, valid_from date NOT NULL, issuer_code text NOT NULL, legal_basis text NOT NULL,
    CONSTRAINT pk_issuing_delegation PRIMARY KEY (agency_code, valid_from));
CREATE INDEX ix_issuing_delegation_issuer_code ON issuing_delegation (issuer_code);

ALTER TABLE receipt_series ADD COLUMN form_number text NOT NULL DEFAULT '01BLP0-001', ADD COLUMN last_issued_at timestamptz;
UPDATE receipt_series s SET last_issued_at = (
    SELECT max(issued_at) FROM receipt r WHERE r.issuer_code = s.issuer_code AND r.series = s.series);
ALTER TABLE receipt_series ALTER COLUMN form_number DROP DEFAULT, ALTER COLUMN last_issued_at SET NOT NULL;

ALTER TABLE receipt
    ADD COLUMN form_number text NOT NULL DEFAULT '01BLP0-001', ADD COLUMN kind text NOT NULL DEFAULT 'receipt',
    ADD COLUMN covers text NOT NULL DEFAULT 'both', ADD COLUMN on_behalf_of text, ADD COLUMN payer_address text,
    ADD COLUMN counters_id uuid CONSTRAINT uq_receipt_counters_id UNIQUE
        CONSTRAINT fk_receipt_counters_id REFERENCES receipt,
    ADD COLUMN reason text, ADD COLUMN check_code text CONSTRAINT uq_receipt_check_code UNIQUE,
    ADD COLUMN issued_by text NOT NULL DEFAULT 'payment',
    DROP CONSTRAINT uq_receipt_fee_id, DROP CONSTRAINT uq_receipt_payment_id,
    ADD CONSTRAINT ck_receipt_counted_from_one CHECK (number > 0),
    ADD CONSTRAINT ck_receipt_counters CHECK ((kind = 'receipt') = (counters_id IS NULL)),
    ADD CONSTRAINT ck_receipt_sign CHECK ((kind = 'cancellation') = (amount_vnd < 0));
UPDATE receipt SET on_behalf_of = issuer_code,
    check_code = upper(translate(substr(md5(gen_random_uuid()::text), 1, 16), '0189', 'WXYZ'));
ALTER TABLE receipt
    ALTER COLUMN form_number DROP DEFAULT, ALTER COLUMN kind DROP DEFAULT, ALTER COLUMN covers DROP DEFAULT,
    ALTER COLUMN issued_by DROP DEFAULT, ALTER COLUMN on_behalf_of SET NOT NULL, ALTER COLUMN check_code SET NOT NULL;
CREATE UNIQUE INDEX uq_receipt_one_per_fee ON receipt (fee_id, covers) WHERE kind = 'receipt';
CREATE INDEX ix_receipt_fee_id ON receipt (fee_id);
CREATE INDEX ix_receipt_payment_id ON receipt (payment_id);

CREATE TABLE receipt_document (
    receipt_id uuid CONSTRAINT pk_receipt_document PRIMARY KEY
        CONSTRAINT fk_receipt_document_receipt_id REFERENCES receipt,
    sha256 text NOT NULL, content bytea NOT NULL, made_at timestamptz NOT NULL);

CREATE TABLE statement (
    id uuid CONSTRAINT pk_statement PRIMARY KEY,
    agency_code text NOT NULL, provider text NOT NULL, day date NOT NULL, source text NOT NULL, sha256 text NOT NULL,
    line_count integer NOT NULL, taken_at timestamptz NOT NULL, taken_by text NOT NULL);
CREATE UNIQUE INDEX ix_statement_agency_code_provider_day_sha256 ON statement (agency_code, provider, day, sha256);

CREATE TABLE statement_line (
    statement_id uuid NOT NULL CONSTRAINT fk_statement_line_statement_id REFERENCES statement,
    position integer NOT NULL, transaction_number text NOT NULL, reference text, amount_vnd bigint NOT NULL,
    status text NOT NULL, paid_at timestamptz,
    CONSTRAINT pk_statement_line PRIMARY KEY (statement_id, position));
CREATE INDEX ix_statement_line_transaction_number ON statement_line (transaction_number);

CREATE TABLE reconciliation (
    id uuid CONSTRAINT pk_reconciliation PRIMARY KEY,
    agency_code text NOT NULL, provider text NOT NULL, day date NOT NULL,
    statement_id uuid CONSTRAINT fk_reconciliation_statement_id REFERENCES statement,
    ask_at timestamptz, compared_at timestamptz, compared_by text,
    ours_count integer NOT NULL, ours_vnd bigint NOT NULL, theirs_count integer NOT NULL, theirs_vnd bigint NOT NULL,
    matched_count integer NOT NULL, matched_vnd bigint NOT NULL);
CREATE UNIQUE INDEX ix_reconciliation_agency_code_provider_day ON reconciliation (agency_code, provider, day);
CREATE INDEX ix_reconciliation_ask_at ON reconciliation (ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE difference (
    id uuid CONSTRAINT pk_difference PRIMARY KEY,
    reconciliation_id uuid NOT NULL CONSTRAINT fk_difference_reconciliation_id REFERENCES reconciliation,
    agency_code text NOT NULL, kind text NOT NULL, transaction_number text NOT NULL, reference text,
    ours_vnd bigint NOT NULL, theirs_vnd bigint NOT NULL, paid_at timestamptz, found_at timestamptz NOT NULL,
    cleared_at timestamptz, explanation text, note text, explained_by text, explained_at timestamptz,
    resolution text, resolved_by text, resolved_at timestamptz,
    CONSTRAINT ck_difference_four_eyes CHECK (resolved_by IS NULL OR resolved_by <> explained_by));
CREATE INDEX ix_difference_reconciliation_id ON difference (reconciliation_id);
CREATE UNIQUE INDEX uq_difference_found_once
    ON difference (reconciliation_id, kind, transaction_number, ours_vnd, theirs_vnd) WHERE resolved_at IS NULL
"""

# What happened before there was a ledger, so that what happens next finds its other side.
OPENING = """
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
    SELECT f.id AS fee_id, f.agency_code, f.dossier_code, f.status, f.assessed_at,
           i.item ->> 'kind' AS fee_kind, sum((i.item ->> 'amount_vnd')::bigint)::bigint AS amount_vnd
    FROM fee f, jsonb_array_elements(f.items) AS i(item)
    WHERE f.status IN ('due', 'paid')
    GROUP BY f.id, i.item ->> 'kind' HAVING sum((i.item ->> 'amount_vnd')::bigint) > 0;

CREATE TEMPORARY TABLE opening ON COMMIT DROP AS
    SELECT 1 AS step, 'assessed' AS cause, 'receivable/' || agency_code AS debit,
           'revenue/' || agency_code || '/' || fee_kind AS credit, amount_vnd, assessed_at AS at, agency_code, fee_kind,
           dossier_code, fee_id, NULL::uuid AS payment_id, NULL::uuid AS refund_id, NULL AS provider,
           NULL AS transaction_number
    FROM part
    UNION ALL
    SELECT 2, 'settled', 'clearing/' || d.provider || '/' || t.agency_code || '/unassigned', 'receivable/' || t.agency_code,
           t.amount_vnd, d.paid_at, t.agency_code, t.fee_kind, t.dossier_code, t.fee_id, p.id, NULL, d.provider,
           d.transaction_number
    FROM deposit d JOIN payment p ON p.id = d.payment_id JOIN part t ON t.fee_id = p.fee_id WHERE d.settles_fee
    UNION ALL
    SELECT 3, 'unsettled', 'clearing/' || d.provider || '/' || p.agency_code || '/unassigned',
           'suspense/' || d.provider || '/' || p.agency_code, d.amount_vnd, d.paid_at, p.agency_code, '', p.dossier_code,
           p.fee_id, p.id, NULL, d.provider, d.transaction_number
    FROM deposit d JOIN payment p ON p.id = d.payment_id WHERE NOT d.settles_fee
    UNION ALL
    SELECT 4, 'refund_owed', 'revenue/' || t.agency_code || '/' || t.fee_kind,
           'suspense/' || r.provider || '/' || t.agency_code, t.amount_vnd, r.requested_at, t.agency_code, t.fee_kind,
           t.dossier_code, t.fee_id, r.payment_id, r.id, r.provider, r.transaction_number
    FROM refund r JOIN deposit d USING (provider, transaction_number) JOIN part t ON t.fee_id = r.fee_id
    WHERE d.settles_fee
    UNION ALL
    SELECT 5, 'refund_sent', 'suspense/' || provider || '/' || agency_code, 'transit/' || provider || '/' || agency_code,
           amount_vnd, sent_at, agency_code, '', dossier_code, fee_id, payment_id, id, provider, transaction_number
    FROM refund WHERE status IN ('sent', 'done')
    UNION ALL
    SELECT 6, 'refund_done', 'transit/' || provider || '/' || agency_code, 'treasury/' || agency_code || '/unassigned',
           amount_vnd, ended_at, agency_code, '', dossier_code, fee_id, payment_id, id, provider, transaction_number
    FROM refund WHERE status = 'done';

INSERT INTO ledger_account (code, kind, agency_code, provider, treasury_account, fee_kind)
    SELECT DISTINCT ON (code) code, split_part(code, '/', 1), agency_code,
           CASE WHEN split_part(code, '/', 1) IN ('clearing', 'suspense', 'transit') THEN split_part(code, '/', 2)
                ELSE '' END,
           CASE WHEN split_part(code, '/', 1) IN ('clearing', 'treasury') THEN 'unassigned' ELSE '' END,
           CASE WHEN split_part(code, '/', 1) = 'revenue' THEN split_part(code, '/', 3) ELSE '' END
    FROM (SELECT debit AS code, agency_code FROM opening UNION SELECT credit, agency_code FROM opening) AS named;

INSERT INTO ledger_entry (posted_at, on_date, cause, debit, credit, amount_vnd, agency_code, fee_kind, dossier_code,
                          fee_id, payment_id, refund_id, provider, transaction_number, note, posted_by)
    SELECT now(), (at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, cause, debit, credit, amount_vnd, agency_code, fee_kind,
           dossier_code, fee_id, payment_id, refund_id, provider, transaction_number, 'opening entry', 'migration 0003'
    FROM opening ORDER BY at, step
"""

BACK = """
DROP TABLE difference;
DROP TABLE reconciliation;
DROP TABLE statement_line;
DROP TABLE statement;
DROP TABLE receipt_document;
DELETE FROM receipt WHERE kind <> 'receipt';
DROP INDEX uq_receipt_one_per_fee;
DROP INDEX ix_receipt_fee_id;
DROP INDEX ix_receipt_payment_id;
ALTER TABLE receipt
    DROP CONSTRAINT ck_receipt_counted_from_one, DROP CONSTRAINT ck_receipt_sign,
    DROP COLUMN form_number, DROP COLUMN kind, DROP COLUMN covers, DROP COLUMN on_behalf_of, DROP COLUMN payer_address,
    DROP COLUMN counters_id, DROP COLUMN reason, DROP COLUMN check_code, DROP COLUMN issued_by,
    ADD CONSTRAINT uq_receipt_fee_id UNIQUE (fee_id), ADD CONSTRAINT uq_receipt_payment_id UNIQUE (payment_id);
ALTER TABLE receipt_series DROP COLUMN form_number, DROP COLUMN last_issued_at;
DROP TABLE issuing_delegation;
DROP TABLE issuer;
DROP TABLE treasury_account;
DROP TABLE ledger_entry;
DROP TABLE ledger_account
"""

KEEP = """
CREATE FUNCTION only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is only added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""
KEPT = ("ledger_account", "ledger_entry", "receipt", "receipt_document", "statement", "statement_line")
"""Not even the owner changes them, unless it first takes back what is done here."""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)
    for statement in OPENING.split(";"):
        op.execute(statement)
    op.execute(KEEP)
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION only_added_to()"
        )
    # Foreign keys lock the account they point to, for which PostgreSQL wants the right to change it.
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entry FROM CURRENT_USER")


def downgrade() -> None:
    for table in KEPT:
        op.execute(f"DROP TRIGGER only_added_to ON {table}")
    op.execute("DROP FUNCTION only_added_to")
    for statement in BACK.split(";"):
        op.execute(statement)
