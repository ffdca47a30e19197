"""Settings of results."""

from shared.settings import ServiceSettings


class ResultsSettings(ServiceSettings):
    """What results needs besides what every service needs."""

    storage_url: str
    """Where documents lie: file:///folder, or s3://bucket/prefix (keys and endpoint from the AWS_* environment)."""
    document_bytes_max: int = 50 * 1024 * 1024
    """Size of the largest document that is taken, in bytes."""
