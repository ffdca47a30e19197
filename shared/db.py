"""The database of one service: engine, sessions, and the plumbing tables that every service has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import ClassVar, Protocol

import asyncpg
import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped

COMMAND_TIMEOUT_S = 30
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of a service's tables; each service derives its own from this, with its own metadata."""

    __abstract__ = True

    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), str: Text()}


class Lived(Protocol):
    """What has a lifecycle: a status that only Work.move writes, and the subject its events are about."""

    __tablename__: str
    status: Mapped[str]

    def subject(self) -> str:
        """Return the dossier's code, by which events are ordered."""
        ...

    def key(self) -> str:
        """Return what tells this thing from others in its history."""
        ...


PLUMBING = MetaData(naming_convention=NAMES)

subject_sequence = Table(
    "subject_sequence",
    PLUMBING,
    Column("subject", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    PLUMBING,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("causation_id", Uuid),
    Column("traceparent", Text),
    Column("body", LargeBinary, nullable=False),
)

status_change = Table(
    "status_change",
    PLUMBING,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("entity", Text, nullable=False),
    Column("entity_key", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("from_status", Text),
    Column("to_status", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index(None, "subject"),
)

inbox = Table("inbox", PLUMBING, Column("event_id", Uuid, primary_key=True))

waiting = Table(
    "waiting",
    PLUMBING,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("causation_id", Uuid),
    Column("traceparent", Text),
    Column("body", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("waiting_since", DateTime(timezone=True), nullable=False),
    Column("next_attempt_at", DateTime(timezone=True)),
    Column("parked_at", DateTime(timezone=True)),
    Index(None, "subject", "id"),
    Index(None, "next_attempt_at"),
)

intervention = Table(
    "intervention",
    PLUMBING,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("event_id", Uuid),
    Column("source", Text),
    Column("sequence", BigInteger),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("consented_by", Text),
    Column("consented_at", DateTime(timezone=True)),
)

idempotency_key = Table(
    "idempotency_key",
    PLUMBING,
    Column("client", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    Column("status", SmallInteger),
    Column("headers", JSONB),
    Column("body", LargeBinary),
)


def is_outage(error: BaseException) -> bool:
    """Tell whether an error means that the database is away, not that the work is wrong."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, InterfaceError | OperationalError | PoolTimeout):
        return True
    if isinstance(error, ConnectionError | asyncio.TimeoutError | asyncpg.exceptions.ConnectionDoesNotExistError):
        return True
    cause = error.__cause__ or getattr(error, "orig", None)
    outages = (
        asyncpg.exceptions.PostgresConnectionError,
        asyncpg.exceptions.OperatorInterventionError,
        asyncpg.exceptions.InsufficientResourcesError,
        asyncpg.exceptions.InterfaceError,
        OSError,
    )
    return isinstance(error, outages) or (cause is not None and cause is not error and is_outage(cause))


def _driver_error(error: BaseException) -> BaseException:
    return getattr(getattr(error, "orig", None), "__cause__", None) or getattr(error, "orig", None) or error


def is_conflict(error: BaseException) -> bool:
    """Tell whether PostgreSQL ended a transaction only because it met another (deadlock, serialisation)."""
    return getattr(_driver_error(error), "sqlstate", None) in {"40P01", "40001"}


def is_unstorable_text(error: BaseException) -> bool:
    """Tell whether a text holds a character that PostgreSQL keeps in no text or jsonb column (U+0000)."""
    return getattr(_driver_error(error), "sqlstate", None) in {"22021", "22P05"}


def database_complaint(error: BaseException) -> str | None:
    """Return what the database said, without the values it was about (they may be personal); None for other errors."""
    driver = _driver_error(error)
    if not isinstance(driver, asyncpg.PostgresError):
        return None
    # Class 22 (data exceptions) quotes the value in its message, others only in DETAIL, which is not in args.
    quotes = str(getattr(driver, "sqlstate", "")).startswith("22")
    return type(driver).__name__ if quotes else f"{type(driver).__name__}: {driver.args[0]}"


class Database:
    """One PostgreSQL database through SQLAlchemy on asyncpg, with a bounded pool."""

    def __init__(self, url: str, *, service: str, connections_max: int = 16) -> None:
        self.dsn = url
        self.service = service
        self.engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=connections_max,
            max_overflow=0,
            pool_timeout=COMMAND_TIMEOUT_S,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            # An error's text goes into logs, and parameters may be personal data.
            hide_parameters=True,
            connect_args={
                "timeout": 10,
                "command_timeout": COMMAND_TIMEOUT_S,
                "server_settings": {"application_name": f"motcua-{service}", "jit": "off"},
            },
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Open a session; whoever opens it commits, an error rolls back."""
        async with self._sessions() as session:
            yield session

    async def connect(self) -> asyncpg.Connection:
        """Open a connection of one's own, outside the pool (to LISTEN, to hold a lock)."""
        return await asyncpg.connect(
            self.dsn,
            timeout=10,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"application_name": f"motcua-{self.service}-own", "jit": "off"},
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
