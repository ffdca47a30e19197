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
    transaction_log_partition: Literal["month", "day"] = "month"
    """How the log is partitioned from now on; by day where a month is more than a few ten million calls."""
    timestamp_authority_url: str = ""
    """RFC 3161 authority that stamps the log every day and when the process ends; without one it is not anchored."""
    timestamp_authority_trust: str = ""
    """PEM file of the certificates that the authority's own must lead to."""
    timestamp_authority_policy: str = ""
    """OID of the policy to stamp under; empty takes the authority's own."""
    timestamp_every_s: int = Field(default=86_400, ge=60)
    """The log is stamped at least so often, when something was written."""
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
    outgoing_allowed: str = ""
    """Networks and hosts, separated by commas, that others may have us call although they are not public."""
    outgoing_refused: str = ""
    """Networks that we never call for others although they are public."""
    outgoing_ports: str = "443,8443"
    """Ports and ranges of ports (`8000-8099`) that others may have us call."""
    outgoing_http: bool = False
    """Others may have us call without encryption; for trying things out."""
    sealing_keys: SecretStr = SecretStr("")
    """Keys of 32 bytes in base64, separated by commas, the newest first: they seal what is kept and nobody may read,
    the secrets of webhooks, e-documents, credentials for data services, failed calls. Without one none is taken."""
    webhook_schedule_s: str = "5,30,120,600,1800,7200,21600,43200,86400,86400"
    """Pauses between attempts at a message, in seconds; after the last it is given up."""
    webhook_timeout_s: float = 15
    webhook_disable_after_days: float = 5
    """A subscription whose receiver did nothing but fail for so long is disabled."""
    webhook_history_days: float = 30
    """So long messages that were delivered or given up can be looked up and sent again."""
    edoc_days: float = 30
    """So long the content of an electronic document waits for its recipients; then it is erased."""
    edoc_bytes_max: int = 20 * 1024 * 1024
    """The largest edXML envelope that is taken."""
    portal_catalogue_every_s: float = 86_400
    """How often the portal's catalogue is pulled; 0: only when somebody asks."""
    portal_catalogue_apply: Literal["people", "automatic"] = "people"
    """Who brings differences into the province's catalogue: people, one by one, or the gateway, all."""
    portal_catalogue_shrink_max: float = Field(default=0.05, ge=0, le=1)
    """A list that is shorter than the last whole one by more than this share ends nothing."""
    portal_catalogue_lists: str = "LayDanhSachTTHC,LayDanhMucLinhVuc,LayDanhMucCoQuan"
    """The portal's lists that are kept; further ones (LayDanhMucTinhThanh, …) are cached and not compared."""
    portal_reconcile_hour: int = Field(default=2, ge=0, le=23)
    """Hour in Vietnam at which the portal is compared with what it was told, every day."""
    portal_reconcile_per_s: float = Field(default=20, gt=0)
    """Dossiers that are looked up at the portal in a second, so that pushes are not held up."""
    rabbitmq_api_url: SecretStr = SecretStr("")
    """Management API with user and password, for the ops page; empty leaves the broker's own figures out."""
    data_service_hosts: str = ""
    """Hosts that data services may have, patterns separated by commas (`*.gov.vn, 10.1.2.3:8443`); empty: none."""
    data_service_cache_bytes_max: int = Field(default=64 * 1024 * 1024, ge=0)
    """Kept answers of data services, in memory, of each process."""
    data_service_connections_max: int = 500
    """Connections to all data services at once."""
    data_service_kept_calls_max: int = 10_000
    """Failed calls that are kept to be sent again; beyond it the oldest go."""
    data_service_kept_days: int = 7
    """For so long a failed call can be sent again."""

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
