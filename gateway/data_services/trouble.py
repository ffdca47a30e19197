"""What can go wrong with a call, as one exception: its kind groups failures, its complaint holds no values."""

from enum import StrEnum


class Kind(StrEnum):
    """Why a call failed."""

    REFUSED = "refused"
    DNS = "dns"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    TRUNCATED = "truncated"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    STATUS = "status"
    RESTING = "resting"
    CREDENTIALS = "credentials"


class Trouble(Exception):
    """A call to a data service failed."""

    def __init__(self, kind: Kind, complaint: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(complaint)
        self.kind = kind
        self.complaint = complaint
        self.retry_after_s = retry_after_s
