"""Create the plumbing and payment's tables."""

from alembic import op

from shared.migrations import create_plumbing_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE fee (
    id uuid CONSTRAINT pk_fee PRIMARY KEY,
    dossier_code text NOT NULL, agency_code text NOT NULL, procedure_code text NOT NULL, collected text NOT NULL,
    items jsonb NOT NULL, amount_vnd bigint NOT NULL CONSTRAINT ck_fee_positive CHECK (amount_vnd > 0),
    status text NOT NULL, payer_name text NOT NULL, payer_id_number text, payer_address text,
    assessed_at timestamptz NOT NULL, ended_at timestamptz, ended_because text);
CREATE UNIQUE INDEX ix_fee_dossier_code_collected ON fee (dossier_code, collected);

CREATE TABLE payment (
    id uuid CONSTRAINT pk_payment PRIMARY KEY,
    fee_id uuid NOT NULL CONSTRAINT fk_payment_fee_id REFERENCES fee,
    dossier_code text NOT NULL, agency_code text NOT NULL, provider text NOT NULL,
    reference text NOT NULL CONSTRAINT uq_payment_reference UNIQUE,
    amount_vnd bigint NOT NULL, status text NOT NULL, transaction_number text, settles_fee boolean NOT NULL,
    pay_url text, return_url text, opened_at timestamptz NOT NULL, expires_at timestamptz, ended_at timestamptz,
    failure text, ask_at timestamptz, asks integer NOT NULL);
CREATE INDEX ix_payment_fee_id ON payment (fee_id);
CREATE INDEX ix_payment_dossier_code ON payment (dossier_code);
CREATE UNIQUE INDEX uq_payment_one_open_per_fee ON payment (fee_id) WHERE status = 'initiated';
CREATE UNIQUE INDEX ix_payment_provider_transaction_number ON payment (provider, transaction_number);
CREATE INDEX ix_payment_ask_at ON payment (ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE deposit (
    provider text NOT NULL, transaction_number text NOT NULL,
    payment_id uuid NOT NULL CONSTRAINT fk_deposit_payment_id REFERENCES payment,
    amount_vnd bigint NOT NULL, settles_fee boolean NOT NULL,
    paid_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_deposit PRIMARY KEY (provider, transaction_number));
CREATE INDEX ix_deposit_payment_id ON deposit (payment_id);

CREATE TABLE receipt_series (
    issuer_code text NOT NULL, series text NOT NULL, last_number integer NOT NULL,
    CONSTRAINT pk_receipt_series PRIMARY KEY (issuer_code, series));

CREATE TABLE receipt (
    id uuid CONSTRAINT pk_receipt PRIMARY KEY,
    issuer_code text NOT NULL, series text NOT NULL, number integer NOT NULL,
    fee_id uuid NOT NULL CONSTRAINT uq_receipt_fee_id UNIQUE CONSTRAINT fk_receipt_fee_id REFERENCES fee,
    payment_id uuid NOT NULL CONSTRAINT uq_receipt_payment_id UNIQUE
        CONSTRAINT fk_receipt_payment_id REFERENCES payment,
    dossier_code text NOT NULL, payer_name text NOT NULL, items jsonb NOT NULL, amount_vnd bigint NOT NULL,
    issued_at timestamptz NOT NULL);
CREATE UNIQUE INDEX ix_receipt_issuer_code_series_number ON receipt (issuer_code, series, number);
CREATE INDEX ix_receipt_dossier_code ON receipt (dossier_code);

CREATE TABLE refund (
    id uuid CONSTRAINT pk_refund PRIMARY KEY,
    payment_id uuid NOT NULL CONSTRAINT fk_refund_payment_id REFERENCES payment,
    fee_id uuid NOT NULL CONSTRAINT fk_refund_fee_id REFERENCES fee,
    dossier_code text NOT NULL, agency_code text NOT NULL, provider text NOT NULL, transaction_number text NOT NULL,
    amount_vnd bigint NOT NULL, reason text NOT NULL, status text NOT NULL, transfer_reference text, failure text,
    requested_at timestamptz NOT NULL, sent_at timestamptz, ended_at timestamptz,
    CONSTRAINT fk_refund_provider_transaction_number FOREIGN KEY (provider, transaction_number) REFERENCES deposit);
CREATE UNIQUE INDEX ix_refund_provider_transaction_number ON refund (provider, transaction_number);
CREATE INDEX ix_refund_payment_id ON refund (payment_id);
CREATE INDEX ix_refund_dossier_code ON refund (dossier_code);

CREATE TABLE callback_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_callback_log PRIMARY KEY,
    received_at timestamptz NOT NULL, reference text NOT NULL, transaction_number text NOT NULL,
    code text NOT NULL, outcome text NOT NULL);
CREATE INDEX ix_callback_log_reference ON callback_log (reference)
"""


def upgrade() -> None:
    create_plumbing_v1(op)
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for table in ("callback_log", "refund", "receipt", "receipt_series", "deposit", "payment", "fee"):
        op.execute(f"DROP TABLE {table}")
