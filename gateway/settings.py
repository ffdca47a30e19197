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
    rabbitmq_api_url: SecretStr = SecretStr("")
    """Management API with user and password, for the ops page; empty leaves the broker's own figures out."""
