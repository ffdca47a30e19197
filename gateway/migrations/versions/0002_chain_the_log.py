"""Make the transaction log evidence: numbered, chained, signed, partitioned by month, only added to."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
DROP TABLE transaction_log;
CREATE TABLE transaction_log (
    number bigint NOT NULL, stored_at timestamptz NOT NULL, at timestamptz NOT NULL,
    client_id text NOT NULL, agency text, service text NOT NULL, method text NOT NULL, path text NOT NULL,
    status smallint NOT NULL, duration_us bigint NOT NULL, request_bytes bigint NOT NULL, response_bytes bigint NOT NULL,
    trace_id text NOT NULL, dossier_code text, request_sha256 bytea, response_sha256 bytea,
    hash bytea NOT NULL, signature bytea,
    CONSTRAINT pk_transaction_log PRIMARY KEY (stored_at, number)
) PARTITION BY RANGE (stored_at);
CREATE INDEX ix_transaction_log_at ON transaction_log (at);
CREATE INDEX ix_transaction_log_trace_id ON transaction_log (trace_id);
CREATE INDEX ix_transaction_log_dossier_code ON transaction_log (dossier_code) WHERE dossier_code IS NOT NULL;
REVOKE UPDATE, DELETE, TRUNCATE ON transaction_log FROM CURRENT_USER;

CREATE TABLE transaction_head (
    number bigint CONSTRAINT pk_transaction_head PRIMARY KEY, hash bytea NOT NULL, stored_at timestamptz NOT NULL);

CREATE TABLE transaction_day (
    day date NOT NULL, service text NOT NULL, client_id text NOT NULL,
    calls bigint NOT NULL, refused bigint NOT NULL, failed bigint NOT NULL,
    request_bytes bigint NOT NULL, response_bytes bigint NOT NULL, duration_us bigint NOT NULL,
    CONSTRAINT pk_transaction_day PRIMARY KEY (day, service, client_id));

CREATE TABLE transaction_seal (
    last_number bigint CONSTRAINT pk_transaction_seal PRIMARY KEY, last_hash bytea NOT NULL,
    first_number bigint NOT NULL, stored_from timestamptz NOT NULL, stored_to timestamptz NOT NULL,
    sealed_at timestamptz NOT NULL, signature bytea NOT NULL)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for table in ("transaction_seal", "transaction_day", "transaction_head", "transaction_log"):
        op.execute(f"DROP TABLE {table}")
    op.execute(
        "CREATE TABLE transaction_log (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_transaction_log PRIMARY KEY,"
        " at timestamptz NOT NULL, client_id text NOT NULL, service text NOT NULL, method text NOT NULL,"
        " path text NOT NULL, status smallint NOT NULL, duration_us bigint NOT NULL, request_bytes bigint NOT NULL,"
        " response_bytes bigint NOT NULL, trace_id text NOT NULL, dossier_code text)"
    )
    op.execute("CREATE INDEX ix_transaction_log_at ON transaction_log (at)")
    op.execute("CREATE INDEX ix_transaction_log_trace_id ON transaction_log (trace_id)")
    op.execute(
        "CREATE INDEX ix_transaction_log_dossier_code ON transaction_log (dossier_code) WHERE dossier_code IS NOT NULL"
    )
