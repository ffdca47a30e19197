"""Settings of the gateway."""

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.operations.book import networks_of
from shared.settings import ServiceSettings


def listed(text: str) -> list[str]:
    """Return the parts of a text between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


class GatewaySettings(ServiceSettings):
    """Read from the environment, prefix MOTCUA_."""

    intake_url: str = "http://127.0.0.1:8001"
    workflow_url: str = "http://127.0.0.1:8002"
    payment_url: str = "http://127.0.0.1:8003"
    results_url: str = "http://127.0.0.1:8004"
    upstream_timeout_s: float = 30
    upstream_connections_max: int = 200
    body_bytes_max: int = 60 * 1024 * 1024
    public_calls_per_minute: int = 60
    """Public checks of results and receipts that one address may make in a minute."""
    public_url: str = ""
    """The address under which clients reach this gateway; empty: it is the issuer's."""
    issuer_is_external: bool = False
    """Tokens come from another issuer (MOTCUA_ISSUER, MOTCUA_JWKS_URL) and none from here."""
    signing_key_file: str = ""
    """ES256 private keys as JWK set (see `motcua keys`), or a single JWK; read again when it changes."""
    trusted_proxies: str = ""
    """Networks (CIDR, with commas) of proxies before us, whose word on a client's address is taken."""
    address_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The header that those proxies write; the other one, which a client may send, is ignored."""
    certificate_proxies: str = ""
    """Networks of proxies that check clients' certificates and set, or remove, the header Client-Cert (RFC 9440)."""
    failed_logins_per_minute: int = Field(default=10, ge=1)
    """Wrong credentials that one address may send for one client in a minute; six times as many for all clients."""
    replicas: int = Field(default=1, ge=1)
    """Gateways that share the calls: each allows its part of the quotas per minute and at a time."""
    evidence_key_file: str = ""
    """Ed25519 private key as JWK that signs the transaction log; without it one that lasts as long as the process."""
    evidence_folder: str = ""
    """Where the witness writes how far the log had come; keep it out of the reach of who administers the database."""
    transaction_log_months: int = Field(default=24, ge=1)
    """So many whole months of the log are kept; older ones are verified, sealed and dropped."""
    token_lifetime_s: int = 600
    clients_file: str = ""
    """JSON list of clients (docs/clients.md); at a start, entries are taken over that are new or were changed in it."""
    portal_url: str = "http://127.0.0.1:8090"
    portal_dialect: Literal["legacy", "rest"] = "legacy"
    """How the portal is spoken to: in sessions and envelopes (2020), or OAuth and REST (2026)."""
    portal_rest_concurrency: int = Field(default=8, ge=1, le=64)
    """Dossiers of one chunk that are told side by side in the REST dialect, which takes one a call."""
    portal_username: str = "motcua"
    """Name of the province's login; the client id in the REST dialect."""
    portal_password: SecretStr = SecretStr("")
    portal_unit: str = "000.00.00.H32"
    """madonvi: this province's identifier in the portal's words."""
    portal_dstcode: str = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
    portal_timeout_s: float = 60
    portal_file_origins: str = ""
    """Where files of dossiers born on the portal may be fetched (https://host[:port], separated by commas); empty for
    the portal's own."""
    portal_file_timeout_s: float = 30
    """Patience with one file."""
    portal_batch_max: int = 100
    portal_concurrency: int = 4
    portal_retry_first_s: float = 1
    portal_retry_last_s: float = 300
    portal_enabled: bool = True
    portal_catalogue_every_s: float = 86_400
    """How often the portal's catalogue is pulled; 0: only when somebody asks."""
    portal_catalogue_apply: Literal["people", "automatic"] = "people"
    """Who brings differences into the province's catalogue: people, one by one, or the gateway, all."""
    portal_catalogue_shrink_max: float = Field(default=0.05, ge=0, le=1)
    """A list that is shorter than the last whole one by more than this share ends nothing."""
    portal_catalogue_lists: str = "LayDanhSachTTHC,LayDanhMucLinhVuc,LayDanhMucCoQuan"
    """The portal's lists that are kept; further ones (LayDanhMucTinhThanh, …) are cached and not compared."""
    rabbitmq_api_url: SecretStr = SecretStr("")
    """Management API with user and password, for the ops page; empty leaves the broker's own figures out."""

    @property
    def address(self) -> str:
        """The address under which clients reach this gateway."""
        return self.public_url or self.issuer

    @field_validator("trusted_proxies", "certificate_proxies")
    @classmethod
    def _networks(cls, given: str) -> str:
        networks_of(listed(given))
        return given

    @model_validator(mode="after")
    def _own_address(self) -> Self:
        if self.issuer_is_external and not self.public_url:
            raise ValueError("with MOTCUA_ISSUER_IS_EXTERNAL set MOTCUA_PUBLIC_URL, too")
        return self
