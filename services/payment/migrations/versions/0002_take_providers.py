"""Take payments by more providers, swept and asked about."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE dossier (code text CONSTRAINT pk_dossier PRIMARY KEY, agency_code text NOT NULL);
INSERT INTO dossier SELECT DISTINCT dossier_code, agency_code FROM fee;

CREATE TABLE exemption (
    id uuid CONSTRAINT pk_exemption PRIMARY KEY,
    code text NOT NULL, name text NOT NULL, legal_basis text NOT NULL,
    kinds text[] NOT NULL, procedures text[] NOT NULL, agency_code text NOT NULL,
    percent integer NOT NULL CONSTRAINT ck_exemption_percent CHECK (percent BETWEEN 1 AND 100),
    valid_from date NOT NULL, valid_to date,
    created_at timestamptz NOT NULL, created_by text NOT NULL,
    CONSTRAINT ck_exemption_dates CHECK (valid_to IS NULL OR valid_to >= valid_from));
CREATE UNIQUE INDEX ix_exemption_code_valid_from ON exemption (code, valid_from);
ALTER TABLE fee
    ADD COLUMN exemption_id uuid CONSTRAINT fk_fee_exemption_id REFERENCES exemption,
    ADD COLUMN exempted_vnd bigint NOT NULL DEFAULT 0;
ALTER TABLE fee ALTER COLUMN exempted_vnd DROP DEFAULT;

CREATE TABLE desk_shift (
    id uuid CONSTRAINT pk_desk_shift PRIMARY KEY,
    agency_code text NOT NULL, cashier text NOT NULL, opened_at timestamptz NOT NULL,
    opening_vnd bigint NOT NULL CONSTRAINT ck_desk_shift_opening CHECK (opening_vnd >= 0),
    closed_at timestamptz, counted_vnd bigint, expected_vnd bigint, note text);
CREATE INDEX ix_desk_shift_agency_code ON desk_shift (agency_code);
CREATE UNIQUE INDEX uq_desk_shift_one_open ON desk_shift (agency_code, cashier) WHERE closed_at IS NULL;

ALTER TABLE payment
    ADD COLUMN qr_payload text,
    ADD COLUMN desk_shift_id uuid CONSTRAINT fk_payment_desk_shift_id REFERENCES desk_shift;
CREATE INDEX ix_payment_desk_shift_id ON payment (desk_shift_id) WHERE desk_shift_id IS NOT NULL;

ALTER TABLE deposit
    ADD COLUMN refunded_vnd bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT ck_deposit_positive CHECK (amount_vnd > 0);
UPDATE deposit d SET refunded_vnd = r.amount_vnd FROM refund r
    WHERE r.provider = d.provider AND r.transaction_number = d.transaction_number;
ALTER TABLE deposit ALTER COLUMN refunded_vnd DROP DEFAULT,
    ADD CONSTRAINT ck_deposit_refunded_at_most_once CHECK (refunded_vnd BETWEEN 0 AND amount_vnd);

DROP INDEX ix_refund_provider_transaction_number;
CREATE INDEX ix_refund_provider_transaction_number ON refund (provider, transaction_number);
ALTER TABLE refund
    ADD COLUMN legal_basis text, ADD COLUMN method text, ADD COLUMN account_number text, ADD COLUMN account_bank text,
    ADD COLUMN account_name text, ADD COLUMN desk_shift_id uuid CONSTRAINT fk_refund_desk_shift_id REFERENCES desk_shift,
    ADD COLUMN ask_at timestamptz, ADD COLUMN asks integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT ck_refund_positive CHECK (amount_vnd > 0);
ALTER TABLE refund ALTER COLUMN asks DROP DEFAULT;
UPDATE refund SET method = 'bank_transfer' WHERE sent_at IS NOT NULL;
CREATE INDEX ix_refund_ask_at ON refund (ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE bank_line (
    id uuid CONSTRAINT pk_bank_line PRIMARY KEY,
    account_number text NOT NULL, agency_code text,
    transaction_number text NOT NULL CONSTRAINT uq_bank_line_transaction_number UNIQUE,
    booked_at timestamptz NOT NULL,
    amount_vnd bigint NOT NULL CONSTRAINT ck_bank_line_positive CHECK (amount_vnd > 0),
    content text NOT NULL, source text NOT NULL, recorded_at timestamptz NOT NULL,
    payment_id uuid CONSTRAINT fk_bank_line_payment_id REFERENCES payment,
    returned_at timestamptz, transfer_reference text, decided_by text, note text);
CREATE INDEX ix_bank_line_payment_id ON bank_line (payment_id);
CREATE INDEX ix_bank_line_unmatched ON bank_line (id) WHERE payment_id IS NULL AND returned_at IS NULL;

ALTER TABLE callback_log ADD COLUMN provider text NOT NULL DEFAULT 'national_platform', ADD COLUMN key_used text;
ALTER TABLE callback_log ALTER COLUMN provider DROP DEFAULT;
CREATE INDEX ix_callback_log_received_at ON callback_log (received_at)
"""

BACK = """
DROP INDEX ix_callback_log_received_at;
ALTER TABLE callback_log DROP COLUMN provider, DROP COLUMN key_used;
DROP TABLE bank_line;
DROP INDEX ix_refund_provider_transaction_number;
CREATE UNIQUE INDEX ix_refund_provider_transaction_number ON refund (provider, transaction_number);
ALTER TABLE refund DROP CONSTRAINT ck_refund_positive, DROP COLUMN legal_basis, DROP COLUMN method,
    DROP COLUMN account_number, DROP COLUMN account_bank, DROP COLUMN account_name, DROP COLUMN desk_shift_id,
    DROP COLUMN ask_at, DROP COLUMN asks;
ALTER TABLE deposit DROP CONSTRAINT ck_deposit_positive, DROP COLUMN refunded_vnd;
ALTER TABLE payment DROP COLUMN qr_payload, DROP COLUMN desk_shift_id;
DROP TABLE desk_shift;
ALTER TABLE fee DROP COLUMN exemption_id, DROP COLUMN exempted_vnd;
DROP TABLE exemption;
DROP TABLE dossier
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for statement in BACK.split(";"):
        op.execute(statement)
