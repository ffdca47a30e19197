"""Clients and their tokens."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import InvalidClient, InvalidScope
from gateway.models import Client
from shared import clock
from shared.ids import new_id
from shared.tokens import AUDIENCE


class Issuer:
    """Signs tokens (ES256) with the province's key and publishes its public half."""

    def __init__(self, *, issuer: str, key_file: str, lifetime_s: int) -> None:
        self.issuer = issuer
        self.lifetime_s = lifetime_s
        self.key = ECKey.import_key(json.loads(Path(key_file).read_text())) if key_file else ECKey.generate_key("P-256")
        self.key.ensure_kid()
        self.keys = KeySet([self.key])

    def jwks(self) -> dict[str, object]:
        """Return the public keys (RFC 7517)."""
        return dict(self.keys.as_dict(private=False))

    def token(self, client: Client, scopes: list[str], inherited: Sequence[str] = ()) -> str:
        """Return a signed access token (RFC 9068) for a client; `inherited` are closed agencies that it sees, too."""
        now = clock.now()
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": client.client_id,
            "client_id": client.client_id,
            "agency": client.agency,
            "scope": " ".join(scopes),
            **({"inherited": list(inherited)} if inherited else {}),
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=self.lifetime_s)).timestamp()),
            "jti": str(new_id()),
        }
        return jwt.encode({"alg": "ES256", "kid": self.key.kid, "typ": "at+jwt"}, claims, self.key)


async def authenticate_client(session: AsyncSession, *, client_id: str, secret: str) -> Client:
    """Return the client whose secret this is; raises InvalidClient without saying which of the two was wrong."""
    client = await queries.find_client(session, client_id)
    # Secrets are 256 random bits, so one fast hash is enough; it is computed for unknown clients too.
    given = hashlib.sha256(secret.encode()).hexdigest()
    if client is None or not hmac.compare_digest(given, client.secret_sha256):
        raise InvalidClient("Check client_id and client_secret.", error=InvalidClient.code)
    return client


def granted_scopes(client: Client, asked: str | None) -> list[str]:
    """Return the scopes of a token: all of the client's, or those asked for; raises InvalidScope."""
    if not asked:
        return sorted(client.scopes)
    missing = sorted(set(asked.split()) - set(client.scopes))
    if missing:
        raise InvalidScope(f"Not granted to this client: {' '.join(missing)}.", error=InvalidScope.code)
    return sorted(set(asked.split()))


async def register_clients(session: AsyncSession, clients_file: str) -> int:
    """Register or change the clients that a file lists; returns how many it lists."""
    listed = json.loads(Path(clients_file).read_text())  # noqa: ASYNC240 - once, before anything else runs
    for one in listed:
        values = {name: one[name] for name in ("client_id", "name", "agency", "scopes", "secret_sha256")}
        statement = insert(Client).values(**values, active=one.get("active", True))
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[Client.client_id],
                set_={name: statement.excluded[name] for name in (*values, "active") if name != "client_id"},
            )
        )
    await session.commit()
    return len(listed)
