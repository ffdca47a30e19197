"""Settings of the gateway."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


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
    signing_key_file: str = ""
    """ES256 private key as JWK (JSON); the tokens' `kid` is its thumbprint."""
    evidence_key_file: str = ""
    """Ed25519 private key as JWK that signs the transaction log; without it one that lasts as long as the process."""
    evidence_folder: str = ""
    """Where the witness writes how far the log had come; keep it out of the reach of who administers the database."""
    transaction_log_months: int = Field(default=24, ge=1)
    """So many whole months of the log are kept; older ones are verified, sealed and dropped."""
    token_lifetime_s: int = 600
    clients_file: str = ""
    """JSON list of {client_id, name, agency, scopes, secret_sha256}: registered or changed at every start."""
    portal_url: str = "http://127.0.0.1:8090"
    portal_username: str = "motcua"
    portal_password: SecretStr = SecretStr("")
    portal_unit: str = "000.00.00.H32"
    """madonvi: this province's identifier in the portal's words."""
    portal_dstcode: str = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
    portal_timeout_s: float = 60
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
    exchange_keys: SecretStr = SecretStr("")
    """Keys of 32 bytes in base64, separated by commas, the newest first: they seal the secrets of webhooks and
    e-documents. Without one neither is taken."""
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
    rabbitmq_api_url: SecretStr = SecretStr("")
    """Management API with user and password, for the ops page; empty leaves the broker's own figures out."""
