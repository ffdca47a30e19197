"""Runs a service's Alembic migrations; every service's first one creates the plumbing tables by the function here."""

import asyncio
import importlib
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.config import Config
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db import PLUMBING

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "120s"
_ROLE = "motcua.role"

_PLUMBING_V1 = """
CREATE TABLE subject_sequence (subject text CONSTRAINT pk_subject_sequence PRIMARY KEY, last bigint NOT NULL);
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
    event_id uuid NOT NULL, type text NOT NULL, subject text NOT NULL, sequence bigint NOT NULL,
    time timestamptz NOT NULL, causation_id uuid, traceparent text, body bytea NOT NULL);
CREATE TABLE status_change (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_status_change PRIMARY KEY,
    event_id uuid NOT NULL, entity text NOT NULL, entity_key text NOT NULL, subject text NOT NULL,
    action text NOT NULL, from_status text, to_status text NOT NULL, actor text NOT NULL, at timestamptz NOT NULL);
CREATE INDEX ix_status_change_subject ON status_change (subject);
CREATE TABLE inbox (event_id uuid CONSTRAINT pk_inbox PRIMARY KEY);
CREATE TABLE waiting (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_waiting PRIMARY KEY,
    event_id uuid NOT NULL CONSTRAINT uq_waiting_event_id UNIQUE, subject text NOT NULL, type text NOT NULL,
    source text NOT NULL, sequence bigint NOT NULL, time timestamptz NOT NULL, causation_id uuid, traceparent text,
    body bytea NOT NULL, reason text NOT NULL, attempts integer NOT NULL, waiting_since timestamptz NOT NULL,
    next_attempt_at timestamptz, parked_at timestamptz);
CREATE INDEX ix_waiting_subject_id ON waiting (subject, id);
CREATE INDEX ix_waiting_next_attempt_at ON waiting (next_attempt_at);
CREATE TABLE intervention (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_intervention PRIMARY KEY,
    subject text NOT NULL, event_id uuid, source text, sequence bigint,
    action text NOT NULL, reason text NOT NULL, actor text NOT NULL,
    at timestamptz NOT NULL, consented_by text, consented_at timestamptz);
CREATE TABLE idempotency_key (
    client text NOT NULL, key text NOT NULL, fingerprint bytea NOT NULL, created_at timestamptz NOT NULL,
    status smallint, headers jsonb, body bytea, CONSTRAINT pk_idempotency_key PRIMARY KEY (client, key));
CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at);
"""


def create_plumbing_v1(op: Operations | Any) -> None:  # noqa: ANN401 - alembic's op is a module that looks like Operations
    """Create the tables of shared.db.PLUMBING as they were at the beginning."""
    for statement in filter(None, map(str.strip, _PLUMBING_V1.split(";"))):
        op.execute(statement)


def run_env(metadata: MetaData) -> None:
    """Be the body of a service's env.py: migrate online with short lock waits."""
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection, metadata)
        return
    asyncio.run(_migrate_by_url(context.config, metadata))


async def _migrate_by_url(config: Config, metadata: MetaData) -> None:
    engine = create_async_engine(config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    role = config.get_main_option(_ROLE)
    async with engine.begin() as connection:
        if role:
            quoted = engine.dialect.identifier_preparer.quote_identifier(role)
            await connection.exec_driver_sql(f"SET ROLE {quoted}")
        await connection.run_sync(_migrate, metadata)
    await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData) -> None:
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    context.configure(
        connection=connection,
        target_metadata=[metadata, PLUMBING],
        compare_type=True,
        include_name=partial(_is_ours, _partitions(connection)),
    )
    with context.begin_transaction():
        context.run_migrations()


def _partitions(connection: Connection) -> frozenset[str]:
    rows = connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relispartition")
    return frozenset(name for (name,) in rows)


def _is_ours(partitions: frozenset[str], name: str | None, kind: str, _parents: object) -> bool:
    """Tell whether alembic compares a thing: partitions come and go with time, no migration names them."""
    return kind != "table" or name not in partitions


def config(package: str, database_url: str, *, role: str = "") -> Config:
    """Return Alembic's configuration for a package's migrations, run as a role if one is named."""
    folder = Path(importlib.import_module(package).__file__ or "").parent / "migrations"
    found = Config()
    found.set_main_option("script_location", str(folder))
    url = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    # A percent sign, as in an escaped password, is the configuration's own sign.
    found.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    found.set_main_option(_ROLE, role)
    return found


def upgrade(package: str, database_url: str, *, role: str = "") -> None:
    """Bring a package's database to its newest version; package is `services.intake`, `gateway` and so on.

    role: what is made belongs to it; whoever logs in must be a member.
    """
    command.upgrade(config(package, database_url, role=role), "head")


def check(package: str, database_url: str) -> None:
    """Raise alembic's CommandError when the models and the migrated database differ."""
    command.check(config(package, database_url))
