"""Which hosts data services may live on: those that the operator's setting allows, and no others."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit


class HostNotAllowed(ValueError):
    """The address is none that a data service may have; the message says why."""


class AllowedHosts:
    """Patterns of hosts: `*.gov.vn`, `127.0.0.1`, `ministries:8000`; a pattern without a port allows every port."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(pattern.strip().lower() for pattern in patterns if pattern.strip())

    def check(self, url: str) -> str:
        """Return an address without a slash at its end. Raises HostNotAllowed."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as problem:
            raise HostNotAllowed("This is no address.") from problem
        host = (parts.hostname or "").lower()
        if parts.scheme not in {"http", "https"} or not host:
            raise HostNotAllowed("Must be an http or https address.")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment or "?" in url:
            raise HostNotAllowed("Must hold no user, query or fragment.")
        if any(c in url for c in "\\ \t\r\n") or ".." in parts.path:
            raise HostNotAllowed("Holds characters that no address has.")
        full = f"{host}:{port or (443 if parts.scheme == 'https' else 80)}"
        if not any(fnmatchcase(full if ":" in pattern else host, pattern) for pattern in self.patterns):
            raise HostNotAllowed("This host is not among those that MOTCUA_DATA_SERVICE_HOSTS allows.")
        return url.rstrip("/")
