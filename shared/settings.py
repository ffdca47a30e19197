"""Settings every process has; each service adds its own."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read from the environment, prefix MOTCUA_ (MOTCUA_DATABASE_URL and so on)."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", frozen=True, use_attribute_docstrings=True)

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
