"""Access tokens for tests: an issuer of one's own, whose keys a service is handed instead of fetching them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared import clock
from shared.ids import new_id
from shared.tokens import AUDIENCE

ISSUER = "http://127.0.0.1:8000"
"""What ServiceSettings expects when nothing is set."""


class Issuer:
    """Signs tokens (ES256) that a service accepts after `trusted_by(app)`."""

    def __init__(self, name: str = ISSUER) -> None:
        self.name = name
        self.key = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"})

    def keys(self) -> KeySet:
        """Return the public half, as a JWKS endpoint would."""
        return KeySet([ECKey.import_key(self.key.as_dict(private=False))])

    def trusted_by(self, app: FastAPI) -> None:
        """Hand the keys to a running app (its lifespan made `app.state.tokens`)."""
        app.state.tokens.use_keys(self.keys())

    def token(
        self,
        scopes: Iterable[str],
        *,
        client_id: str = "one-stop",
        agency: str | None = "H32",
        lives: timedelta = timedelta(minutes=10),
        **claims: Any,
    ) -> str:
        """Return a signed token; a negative `lives` makes an expired one, `claims` overwrite the usual ones."""
        now = clock.now()
        usual = {
            "iss": self.name,
            "aud": AUDIENCE,
            "sub": client_id,
            "agency": agency,
            "scope": " ".join(scopes),
            "iat": int(now.timestamp()),
            "exp": int((now + lives).timestamp()),
        }
        return jwt.encode({"alg": "ES256", "kid": "test"}, usual | claims, self.key, algorithms=["ES256"])

    def headers(
        self,
        scopes: Iterable[str],
        *,
        client_id: str = "one-stop",
        agency: str | None = "H32",
        key: str | None = None,
        **claims: Any,
    ) -> dict[str, str]:
        """Return the headers of a call: the token, and an Idempotency-Key (a new one unless given)."""
        token = self.token(scopes, client_id=client_id, agency=agency, **claims)
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(new_id())}
