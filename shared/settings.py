"""Settings every process has; each service adds its own."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Limits(BaseSettings):
    """What one request, and all of them together, may take of a process. Read from the environment, prefix MOTCUA_."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", frozen=True, use_attribute_docstrings=True)

    head_bytes_max: int = Field(default=32 * 1024, ge=1024)
    """Bytes of a request's headers (431 beyond)."""
    headers_max: int = Field(default=100, ge=10)
    """Headers of a request (431 beyond)."""
    path_bytes_max: int = Field(default=2048, ge=256)
    """Bytes of a path (414 beyond)."""
    query_bytes_max: int = Field(default=8192, ge=256)
    """Bytes of a query (414 beyond)."""
    parameters_max: int = Field(default=100, ge=10)
    """Parameters of a query (414 beyond)."""
    json_bytes_max: int = Field(default=1024 * 1024, ge=1024)
    """Bytes of a body that is no file (413 beyond)."""
    json_depth_max: int = Field(default=64, ge=8)
    """Levels of JSON within JSON (400 beyond)."""
    json_items_max: int = Field(default=50_000, ge=100)
    """Members and items in a JSON body (400 beyond)."""
    body_bytes_max: int = Field(default=60 * 1024 * 1024, ge=1024)
    """Bytes of a file (413 beyond); what takes files may take less."""
    held_bytes_max: int = Field(default=128 * 1024 * 1024, ge=1024)
    """Bytes of all bodies that are no files and in memory at once (503 beyond)."""
    head_s: float = Field(default=10, gt=0)
    """Within so many seconds of its first byte a request's headers are there (408 beyond)."""
    body_grace_s: float = Field(default=20, gt=0)
    """A body, or the taking of an answer, may be so many seconds behind the slowest rate (408 or the end beyond)."""
    bytes_per_s_min: int = Field(default=1024, ge=1)
    """The slowest rate at which a body comes in and an answer is taken."""
    connections_max: int = Field(default=2000, ge=1)
    """Connections from callers (503 beyond)."""
    calls_max: int = Field(default=256, ge=1)
    """Calls in hand; at most half of them to one service behind the gateway."""
    calls_waiting_max: int = Field(default=512, ge=0)
    """Calls that wait to be taken in hand (503 beyond)."""
    call_wait_s: float = Field(default=1.0, gt=0)
    """So long a call waits to be taken in hand (503 beyond)."""
    call_wait_busy_s: float = Field(default=0.1, gt=0)
    """So long it waits once calls have been waiting for all of the time above."""
    calls_vital_max: int = Field(default=64, ge=8)
    """Calls of health, metrics and the ops door in hand besides (503 beyond)."""
    calls_file_max: int = Field(default=16, ge=1)
    """Calls that bring a file in hand besides (503 beyond)."""
    calls_patient_max: int = Field(default=500, ge=1)
    """Calls that wait for news in hand besides (503 beyond)."""


class ServiceSettings(Limits):
    """Read from the environment, prefix MOTCUA_ (MOTCUA_DATABASE_URL and so on)."""

    database_url: SecretStr
    """PostgreSQL of this service: postgresql://role:password@host:port/database."""
    amqp_url: SecretStr
    """RabbitMQ: amqp://user:password@host:port/vhost."""
    partitions: int = 1
    """Queues per subscriber; events of one dossier always share one."""
    issuer: str = "http://127.0.0.1:8000"
    """The `iss` that a token must carry."""
    jwks_url: str = "http://127.0.0.1:8000/.well-known/jwks.json"
    """Where the issuer's public keys are found."""
    audience: str = "motcua"
    """The `aud` that a token must carry."""
    client_claim: str = "sub"
    """Which claim of a token names the client: `sub`, `client_id`, `azp`."""
    scope_claim: str = "scope"
    """Which claim holds the scopes, a text or a list; `realm_access.roles` is a claim within another."""
    agency_claim: str = "agency"
    """Which claim holds the agency's code."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    otlp_endpoint: str = ""
    """OTLP/HTTP collector for traces; empty sends none."""
    database_connections_max: int = 16
    """Connections that this process keeps to its database."""
    attempts_max: int = 8
    """Attempts at an event before its dossier is parked for people."""
    retry_first_s: float = 0.5
    """Wait before the second attempt at an event; every later one is twice as long."""
    retry_last_s: float = 300.0
    """The longest wait between two attempts."""
    inbox_retention_days: int = 14
    """How long an event is known as handled; one that comes again later than that would be handled again."""
