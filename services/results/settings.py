"""Settings of results."""

from pydantic import SecretStr

from services.results.states import SignaturePolicy
from shared.settings import ServiceSettings


class ResultsSettings(ServiceSettings):
    """What results needs besides what every service needs."""

    storage_url: str
    """Where documents lie: file:///folder, or s3://bucket/prefix (keys and endpoint from the AWS_* environment)."""
    document_bytes_max: int = 50 * 1024 * 1024
    """Size of the largest document that is taken, in bytes."""
    storage_keys: SecretStr = SecretStr("")
    """Keys of 32 bytes in base64, separated by commas: the first encrypts documents, any decrypts; empty: none."""
    signature_policy: SignaturePolicy = SignaturePolicy.REQUIRED
    """Of kinds without a rule of their own: `required` (every PDF is signed) or `validated` (it may be unsigned)."""
    trust_folder: str = ""
    """Folder of trust lists: a folder each of *.pem and *.crl; read again when a file changes. Empty trusts nobody."""
    signature_workers_max: int = 1
    """Processes that check signatures."""
    grant_days: int = 30
    """How long an owner can download a result that was returned online."""
    consent_hours: int = 24
    """How long what an owner consented to may be read."""
    scrub_bytes_per_s: int = 4 * 1024 * 1024
    """How fast the archive reads itself to find damaged files; 0 does not."""
    scrub_every_days: int = 30
    """Rest from the beginning of one reading of all files to the beginning of the next."""
    access_retention_days: int = 3650
    """How long it is known who read what."""
    verify_bytes_max: int = 50 * 1024 * 1024
    """Largest file that is taken for a public check, in bytes."""
