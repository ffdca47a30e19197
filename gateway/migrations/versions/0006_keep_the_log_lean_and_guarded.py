"""Keep the log lean and guarded: smaller rows, anchors, sealed figures, and an owner whom nobody logs in as.

The run-time role (decision 33) may only add to the log; partitions are made and dropped by functions of the owner's
that themselves refuse. What a record's hash covers is unchanged: a trace id is hashed as its 32 digits, as before.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = (
    "number, stored_at, at, duration_us, request_bytes, response_bytes, trace_id, status, client_id, agency, service,"
    " method, path, dossier_code, request_sha256, response_sha256, hash, signature"
)

LOG = """
CREATE TABLE transaction_log (
    number bigint NOT NULL, stored_at timestamptz NOT NULL, at timestamptz NOT NULL, duration_us bigint NOT NULL,
    request_bytes bigint NOT NULL, response_bytes bigint NOT NULL, trace_id uuid, status smallint NOT NULL,
    client_id text NOT NULL, agency text, service text NOT NULL, method text NOT NULL, path text NOT NULL,
    dossier_code text, request_sha256 bytea, response_sha256 bytea, hash bytea NOT NULL, signature bytea
) PARTITION BY RANGE (stored_at);
CREATE INDEX ix_transaction_log_order ON transaction_log
    USING brin (number, stored_at, at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ix_transaction_log_trace_id ON transaction_log
    USING brin (trace_id uuid_bloom_ops (n_distinct_per_range = 4500)) WITH (pages_per_range = 128, autosummarize = on);
CREATE INDEX ix_transaction_log_dossier_code ON transaction_log (dossier_code) WHERE dossier_code IS NOT NULL;
REVOKE UPDATE, DELETE, TRUNCATE ON transaction_log FROM CURRENT_USER
"""

TABLES = """
CREATE TABLE transaction_anchor (
    number bigint CONSTRAINT pk_transaction_anchor PRIMARY KEY, hash bytea NOT NULL, stamped_at timestamptz NOT NULL,
    token bytea NOT NULL);
CREATE TABLE transaction_cause (
    day date NOT NULL, service text NOT NULL, client_id text NOT NULL, status smallint NOT NULL, calls bigint NOT NULL,
    CONSTRAINT pk_transaction_cause PRIMARY KEY (day, service, client_id, status));
CREATE TABLE transaction_retention (
    months integer CONSTRAINT pk_transaction_retention PRIMARY KEY
    CONSTRAINT ck_transaction_retention_whole CHECK (months >= 1));
INSERT INTO transaction_retention VALUES (24);
ALTER TABLE transaction_seal ADD calls bigint, ADD summary_sha256 bytea;
CREATE TABLE transaction_seal_day (
    last_number bigint NOT NULL
        CONSTRAINT fk_transaction_seal_day_last_number_transaction_seal REFERENCES transaction_seal,
    day date NOT NULL, service text NOT NULL, client_id text NOT NULL,
    calls bigint NOT NULL, refused bigint NOT NULL, failed bigint NOT NULL,
    request_bytes bigint NOT NULL, response_bytes bigint NOT NULL, duration_us bigint NOT NULL,
    CONSTRAINT pk_transaction_seal_day PRIMARY KEY (last_number, day, service, client_id))
"""

# The old table's records go into the new one as they are; their partitions keep names and bounds.
REWRITE = """
DO $$
DECLARE part record;
BEGIN
    SET LOCAL statement_timeout = 0;
    ALTER TABLE transaction_log RENAME TO outgrown;
    ALTER TABLE outgrown DROP CONSTRAINT pk_transaction_log;
    DROP INDEX ix_transaction_log_at, ix_transaction_log_trace_id, ix_transaction_log_dossier_code;
    FOR part IN SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
                WHERE inhparent = 'outgrown'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', part.relname, 'outgrown_' || part.relname);
    END LOOP;
END $$
"""
REFILL = f"""
DO $$
DECLARE part record;
BEGIN
    SET LOCAL statement_timeout = 0;
    FOR part IN SELECT substr(c.relname, 10) AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
                FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'outgrown'::regclass
    LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF transaction_log %s', part.name, part.bound);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM CURRENT_USER', part.name);
    END LOOP;
    INSERT INTO transaction_log ({COLUMNS})
    SELECT {COLUMNS.replace("trace_id", "nullif(trace_id, '')::uuid")} FROM outgrown ORDER BY stored_at, number;
    DROP TABLE outgrown;
END $$
"""

OPEN = """
CREATE FUNCTION transaction_log_open(since date, until date, by_day boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    today date; month text; part text; starts date; ends date; made integer := 0; holder record;
BEGIN
    IF until - since NOT BETWEEN 0 AND 800
       OR (SELECT count(*) FROM pg_inherits WHERE inhparent = 'public.transaction_log'::regclass) > 4000 THEN
        RAISE EXCEPTION 'The log is given room for 800 days at once, and in 4000 parts at most.' USING ERRCODE = '42501';
    END IF;
    PERFORM pg_advisory_xact_lock(1836019316);
    FOR today IN SELECT d::date FROM generate_series(since, until, interval '1 day') AS d LOOP
        month := 'transaction_log_' || to_char(today, 'YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || month) IS NOT NULL;
        IF by_day OR EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid
                             WHERE inhparent = 'public.transaction_log'::regclass
                               AND starts_with(relname, month || '_')) THEN
            part := 'transaction_log_' || to_char(today, 'YYYY_MM_DD');
            starts := today;
            ends := today + 1;
            CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
        ELSE
            part := month;
            starts := date_trunc('month', today);
            ends := starts + interval '1 month';
        END IF;
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.transaction_log FOR VALUES FROM (%L) TO (%L)', part,
                       starts::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh', ends::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh');
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON public.%I FROM CURRENT_USER', part);
        FOR holder IN SELECT DISTINCT a.grantee::regrole::text AS name FROM pg_class c, aclexplode(c.relacl) a
                      WHERE c.oid = to_regclass('public.' || part) AND a.grantee NOT IN (0, c.relowner) LOOP
            EXECUTE format('REVOKE ALL ON public.%I FROM %s', part, holder.name);
        END LOOP;
        made := made + 1;
    END LOOP;
    RETURN made;
END $$
"""

DROP = """
CREATE FUNCTION transaction_log_drop(part text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    bound text; ends timestamptz; kept integer; lowest bigint; highest bigint; records bigint; sealed boolean;
BEGIN
    SELECT pg_get_expr(c.relpartbound, c.oid) INTO bound FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
    WHERE inhparent = 'public.transaction_log'::regclass AND c.relname = part;
    IF bound IS NULL THEN
        RAISE EXCEPTION 'This is no part of the transaction log.' USING ERRCODE = '42501';
    END IF;
    ends := (regexp_match(bound, 'TO \\(''([^'']+)''\\)'))[1]::timestamptz;
    kept := coalesce((SELECT max(months) FROM transaction_retention), 24);
    IF ends > (date_trunc('month', now() AT TIME ZONE 'Asia/Ho_Chi_Minh') - make_interval(months => kept))
              AT TIME ZONE 'Asia/Ho_Chi_Minh' THEN
        RAISE EXCEPTION 'This part of the log is not older than % whole months.', kept USING ERRCODE = '42501';
    END IF;
    EXECUTE format('SELECT min(number), max(number), count(*) FROM public.%I', part) INTO lowest, highest, records;
    IF records > 0 THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I JOIN public.transaction_seal ON last_number = number'
                       ' AND last_hash = hash WHERE number = $1 AND first_number = $2 AND calls = $3'
                       ' AND summary_sha256 IS NOT NULL)', part)
        INTO sealed USING highest, lowest, records;
        IF NOT sealed THEN
            RAISE EXCEPTION 'This part of the log is not sealed as it is.' USING ERRCODE = '42501';
        END IF;
    END IF;
    EXECUTE format('DROP TABLE public.%I', part);
END $$
"""

GRANT = """
CREATE FUNCTION transaction_log_guard(run_time text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part regclass; every text := 'SELECT, INSERT, UPDATE, DELETE';
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', run_time);
    EXECUTE format('GRANT %s ON ALL TABLES IN SCHEMA public TO %I', every, run_time);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', run_time);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT %s ON TABLES TO %I', every, run_time);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %I', run_time);
    FOR part IN SELECT 'public.transaction_log'::regclass UNION ALL
                SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.transaction_log'::regclass LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', part, run_time);
    END LOOP;
    EXECUTE format('GRANT SELECT, INSERT ON transaction_log TO %I', run_time);
    EXECUTE format('REVOKE UPDATE, DELETE ON transaction_seal, transaction_seal_day, transaction_anchor FROM %I', run_time);
    EXECUTE format('REVOKE DELETE ON transaction_head, transaction_day, transaction_cause FROM %I', run_time);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON transaction_retention, alembic_version FROM %I', run_time);
    EXECUTE format('GRANT EXECUTE ON FUNCTION transaction_log_open, transaction_log_drop TO %I', run_time);
END $$
"""

CLOSED = """
REVOKE EXECUTE ON FUNCTION transaction_log_open, transaction_log_drop, transaction_log_guard FROM PUBLIC
"""


def upgrade() -> None:
    op.execute(REWRITE)
    for statement in (*LOG.split(";"), *TABLES.split(";")):
        op.execute(statement)
    for statement in (REFILL, OPEN, DROP, GRANT, CLOSED):
        op.execute(statement)


def downgrade() -> None:
    """Leave the records in their new columns: only what was added beside them goes."""
    for function in ("guard", "drop", "open"):
        op.execute(f"DROP FUNCTION transaction_log_{function}")
    for table in ("transaction_seal_day", "transaction_retention", "transaction_cause", "transaction_anchor"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE transaction_seal DROP calls, DROP summary_sha256")
