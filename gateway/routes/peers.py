"""Who is at the other end: the client's address and certificate, also where proxies stand between us."""

import base64
import binascii
import hashlib
import ipaddress
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from starlette.types import Scope

from gateway.operations.book import lies_within, networks_of

HOPS_MAX = 20
ADDRESSES_MAX = 4_096
"""Addresses of which it is remembered whose they are."""
CERTIFICATE_HEADER = b"client-cert"
CERTIFICATE_CHARACTERS_MAX = 16_384
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;,\s]*))', re.IGNORECASE)
_PORT = re.compile(r"\[(?P<six>[0-9A-Fa-f:.%]+)\](?::\d{1,5})?|(?P<four>[0-9.]+)(?::\d{1,5})?|(?P<bare>[0-9A-Fa-f:.]+)")


class Peers:
    """Believes what a proxy says only when the proxy is one of ours."""

    def __init__(self, *, proxies: Sequence[str], header: str, certificate_proxies: Sequence[str]) -> None:
        """Take networks (CIDR) of proxies that say the client's address in a header, and those that check certificates.

        header is `x-forwarded-for` or `forwarded` (RFC 7239): the one that the proxies write; a client may send
        the other as it likes.
        """
        ours, checking = networks_of(proxies), networks_of(certificate_proxies)
        self._has_proxies, self.see_certificates = bool(ours), bool(checking)
        self._is_ours = lru_cache(ADDRESSES_MAX)(lambda address: lies_within(address, ours))
        self._checks_certificates = lru_cache(ADDRESSES_MAX)(lambda address: lies_within(address, checking))
        self._header = header.lower().encode()
        self._forwarded = header.lower() == "forwarded"

    def address(self, scope: Scope) -> str:
        """Return the address of whoever called: the last one on the way that is none of our proxies."""
        address = peer_of(scope)
        if not self._has_proxies or not self._is_ours(address):
            return address
        for hop in self._hops(scope):
            if hop is None:
                break
            address = hop
            if not self._is_ours(hop):
                break
        return address

    def _hops(self, scope: Scope) -> Iterator[str | None]:
        """Yield the addresses that proxies wrote down, the nearest first; None for what is no address."""
        said = b",".join(value for name, value in scope["headers"] if name == self._header).decode("latin-1")
        for part in reversed(said.split(",")[-HOPS_MAX:] if said else []):
            found = _FOR.search(part) if self._forwarded else None
            text = ((found.group(1) or found.group(2) or "") if found else "") if self._forwarded else part.strip()
            yield _address_in(text)

    def certificate(self, scope: Scope) -> str | None:
        """Return the thumbprint (x5t#S256) of the client's certificate, None when no proxy of ours shows one.

        The header is that of RFC 9440; from anybody else than a listed proxy it is ignored.
        """
        if not self.see_certificates or not self._checks_certificates(peer_of(scope)):
            return None
        shown = [value for name, value in scope["headers"] if name == CERTIFICATE_HEADER]
        return thumbprint_of(shown[0]) if len(shown) == 1 else None


def peer_of(scope: Scope) -> str:
    """Return the address of the other end of the connection, empty when it has none (a Unix socket)."""
    client = scope.get("client")
    return str(client[0]) if client else ""


@lru_cache(ADDRESSES_MAX)
def _address_in(text: str) -> str | None:
    found = _PORT.fullmatch(text)
    if not found:
        return None
    address = found["six"] or found["four"] or found["bare"]
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return None
    return address


@lru_cache(maxsize=1024)
def thumbprint_of(value: bytes) -> str | None:
    """Return the thumbprint of a certificate in a Client-Cert header (a byte sequence of RFC 8941), None for others."""
    text = value.strip()
    if len(text) > CERTIFICATE_CHARACTERS_MAX or not (text.startswith(b":") and text.endswith(b":")):
        return None
    try:
        certificate = base64.b64decode(text[1:-1], validate=True)
    except binascii.Error:
        return None
    if not certificate:
        return None
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).decode().rstrip("=")
