"""Tokens: what stands in them, which key signs them, and how a changed key file is taken up."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet

from gateway.models import Client
from gateway.operations.keyring import (
    ALGORITHM,
    KeysRefused,
    KeyState,
    SigningKey,
    new_key,
    public_set,
    read_keys,
    signing_key,
)
from shared import clock, log
from shared.ids import new_id

LOOK_S = 2

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose tokens are taken at this door."""

    issuer: str
    jwks_url: str
    address: str
    """Of the door itself."""
    external: bool
    """Tokens come from elsewhere, none from here."""


class Issuer:
    """Signs tokens (ES256) with the province's key and publishes the public halves of all its keys."""

    def __init__(self, *, issuer: str, key_file: str, lifetime_s: int, audience: str) -> None:
        self.issuer = issuer
        self.lifetime_s = lifetime_s
        self.audience = audience
        self._file = Path(key_file) if key_file else None
        self._text = self._file.read_bytes() if self._file else b""
        self._use(read_keys(self._text) if self._file else [new_key(KeyState.SIGNING, clock.now())])

    def _use(self, keys: Sequence[SigningKey]) -> None:
        self._signing = signing_key(keys)
        self.keys: KeySet = public_set(keys)

    def jwks(self) -> dict[str, object]:
        """Return the public keys (RFC 7517)."""
        return dict(self.keys.as_dict(private=False))

    def token(
        self, client: Client, scopes: list[str], inherited: Sequence[str] = (), certificate: str | None = None
    ) -> str:
        """Return a signed access token (RFC 9068) for a client.

        `inherited` are closed agencies that it sees, too; `certificate` is the thumbprint of the certificate without
        which the token is worth nothing (RFC 8705 §3.1).
        """
        now = clock.now()
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client.client_id,
            "client_id": client.client_id,
            "agency": client.agency,
            "scope": " ".join(scopes),
            **({"inherited": list(inherited)} if inherited else {}),
            **({"cnf": {"x5t#S256": certificate}} if certificate else {}),
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=self.lifetime_s)).timestamp()),
            "jti": str(new_id()),
        }
        header = {"alg": ALGORITHM, "kid": self._signing.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._signing.key)

    async def watch(self, changed: Callable[[KeySet], None]) -> None:
        """Take up what is changed in the key file, for ever; a file that cannot be read changes nothing."""
        while self._file is not None:
            await asyncio.sleep(LOOK_S)
            try:
                text = await asyncio.to_thread(self._file.read_bytes)
                if text == self._text:
                    continue
                self._use(read_keys(text))
            except (OSError, KeysRefused) as problem:
                _log.warning("issuer.keys_unreadable", reason=type(problem).__name__)
                continue
            self._text = text
            _log.info("issuer.keys_changed", signing=self._signing.kid, published=len(self.keys.keys))
            changed(self.keys)
