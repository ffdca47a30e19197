"""Register clients: validity, networks, quotas, certificates; secrets, keys and grants apart; who changed what."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE client
    ADD valid_from timestamptz, ADD valid_until timestamptz,
    ADD networks text[] NOT NULL DEFAULT '{}',
    ADD calls_per_minute integer, ADD calls_per_day bigint, ADD concurrency_max integer,
    ADD certificates text[] NOT NULL DEFAULT '{}', ADD certificate_bound boolean NOT NULL DEFAULT false,
    ADD version bigint NOT NULL DEFAULT 1,
    ADD created_at timestamptz NOT NULL DEFAULT now(), ADD changed_at timestamptz NOT NULL DEFAULT now(),
    ADD file_sha256 text;

CREATE TABLE client_secret (
    id uuid CONSTRAINT pk_client_secret PRIMARY KEY,
    client_id text NOT NULL CONSTRAINT fk_client_secret_client_id REFERENCES client (client_id),
    sha256 text NOT NULL, created_at timestamptz NOT NULL, created_by text NOT NULL,
    expires_at timestamptz, revoked_at timestamptz, revoked_by text, last_used_at timestamptz,
    CONSTRAINT uq_client_secret_client_id_sha256 UNIQUE (client_id, sha256));
INSERT INTO client_secret (id, client_id, sha256, created_at, created_by)
    SELECT gen_random_uuid(), client_id, secret_sha256, now(), 'file' FROM client;
ALTER TABLE client DROP secret_sha256;

CREATE TABLE client_key (
    id uuid CONSTRAINT pk_client_key PRIMARY KEY,
    client_id text NOT NULL CONSTRAINT fk_client_key_client_id REFERENCES client (client_id),
    thumbprint text NOT NULL, jwk jsonb NOT NULL, created_at timestamptz NOT NULL, created_by text NOT NULL,
    expires_at timestamptz, revoked_at timestamptz, revoked_by text, last_used_at timestamptz,
    CONSTRAINT uq_client_key_client_id_thumbprint UNIQUE (client_id, thumbprint));

CREATE TABLE client_grant (
    client_id text NOT NULL CONSTRAINT fk_client_grant_client_id REFERENCES client (client_id),
    place smallint NOT NULL, service text NOT NULL,
    methods text[] NOT NULL DEFAULT '{}', paths text[] NOT NULL DEFAULT '{}',
    CONSTRAINT pk_client_grant PRIMARY KEY (client_id, place));

CREATE TABLE client_change (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_client_change PRIMARY KEY,
    client_id text NOT NULL, at timestamptz NOT NULL, actor text NOT NULL, action text NOT NULL,
    detail jsonb NOT NULL);
CREATE INDEX ix_client_change_client_id_id ON client_change (client_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON client_change FROM CURRENT_USER;

CREATE TABLE client_assertion (
    client_id text NOT NULL, jti_sha256 bytea NOT NULL, expires_at timestamptz NOT NULL,
    CONSTRAINT pk_client_assertion PRIMARY KEY (client_id, jti_sha256));
CREATE INDEX ix_client_assertion_expires_at ON client_assertion (expires_at);

CREATE TABLE client_day (
    client_id text NOT NULL, day date NOT NULL, calls bigint NOT NULL,
    CONSTRAINT pk_client_day PRIMARY KEY (client_id, day))
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        op.execute(statement)


def downgrade() -> None:
    # The newest secret that still holds is the one that an older version knows.
    op.execute("ALTER TABLE client ADD secret_sha256 text NOT NULL DEFAULT ''")
    op.execute(
        "UPDATE client SET secret_sha256 = s.sha256 FROM (SELECT DISTINCT ON (client_id) client_id, sha256"
        " FROM client_secret WHERE revoked_at IS NULL ORDER BY client_id, created_at DESC) s"
        " WHERE s.client_id = client.client_id"
    )
    op.execute("ALTER TABLE client ALTER secret_sha256 DROP DEFAULT")
    for table in ("client_day", "client_assertion", "client_change", "client_grant", "client_key", "client_secret"):
        op.execute(f"DROP TABLE {table}")
    dropped = (
        "valid_from valid_until networks calls_per_minute calls_per_day concurrency_max certificates"
        " certificate_bound version created_at changed_at file_sha256"
    )
    op.execute("ALTER TABLE client " + ", ".join(f"DROP {column}" for column in dropped.split()))
