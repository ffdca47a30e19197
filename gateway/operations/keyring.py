"""The keys that tokens are signed with: several at once, each published before it signs and until its tokens expired.

The file is a JWK set (RFC 7517 §5) of private ES256 keys. Two members of ours say where a key is in its life, `state`
(`next`, `signing`, `former`) and `since`; a single JWK, as earlier versions wrote it, is a key that signs.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

KEYS_MAX = 8
PUBLISHED_BEFORE = timedelta(minutes=10)
"""Verifiers keep published keys for five minutes (shared/tokens.py) and caches on the way a little longer."""
CURVE, ALGORITHM = "P-256", "ES256"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class KeyState(StrEnum):
    """Where a key is in its life."""

    NEXT = "next"
    """Published, does not sign yet."""
    SIGNING = "signing"
    FORMER = "former"
    """Signs no more; published until its last token has expired."""


class KeysRefused(ValueError):
    """The file holds no keys to sign with, or the step is not possible now; the message says what to do."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key with its state and since when it is in it."""

    key: ECKey
    state: KeyState
    since: datetime

    @property
    def kid(self) -> str:
        """The key's id: its thumbprint (RFC 7638) unless the file says another."""
        return str(self.key.kid)


def new_key(state: KeyState, now: datetime) -> SigningKey:
    """Return a new key."""
    key = ECKey.generate_key(CURVE, private=True)
    key.ensure_kid()
    if str(key.kid).startswith("-"):
        # On a command line it would read as an option.
        return new_key(state, now)
    return SigningKey(key, state, now)


def read_keys(text: str | bytes) -> list[SigningKey]:
    """Return the keys of a file. Raises KeysRefused."""
    try:
        content = json.loads(text)
        listed = content.get("keys", [{**content, "state": KeyState.SIGNING}])
        keys = [_read(dict(one)) for one in listed]
    except (JoseError, ValueError, TypeError, LookupError, AttributeError) as problem:
        raise KeysRefused(f"The signing keys cannot be read: {type(problem).__name__}.") from problem
    signing = [one.kid for one in keys if one.state is KeyState.SIGNING]
    if len(signing) != 1 or len({one.kid for one in keys}) < len(keys):
        raise KeysRefused(f"Of the signing keys exactly one signs and each has its own id; {len(signing)} sign here.")
    return keys


def _read(jwk: dict[str, Any]) -> SigningKey:
    state, since = KeyState(jwk.pop("state", KeyState.NEXT)), jwk.pop("since", None)
    key = ECKey.import_key(jwk)
    if not key.is_private or key.curve_name != CURVE:
        raise ValueError("not a private P-256 key")
    key.ensure_kid()
    return SigningKey(key, state, datetime.fromisoformat(since) if since else _LONG_AGO)


def written(keys: Sequence[SigningKey]) -> dict[str, object]:
    """Return the content of the file."""
    return {
        "keys": [
            {**one.key.as_dict(private=True), "state": one.state.value, "since": one.since.isoformat()} for one in keys
        ]
    }


def signing_key(keys: Sequence[SigningKey]) -> SigningKey:
    """Return the one that signs."""
    return next(one for one in keys if one.state is KeyState.SIGNING)


def public_set(keys: Sequence[SigningKey]) -> KeySet:
    """Return the public halves of all of them (RFC 7517)."""
    return KeySet(
        [
            ECKey.import_key(
                {
                    name: value
                    for name, value in one.key.as_dict(private=False).items()
                    if name in {"kty", "crv", "x", "y"}
                },
                {"kid": one.kid, "use": "sig", "alg": ALGORITHM},
            )
            for one in keys
        ]
    )


def add_key(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """Publish a new key that does not sign yet. Raises KeysRefused when there are too many."""
    if len(keys) >= KEYS_MAX:
        raise KeysRefused(f"There are {len(keys)} keys; retire one first.")
    return [*keys, new_key(KeyState.NEXT, now)]


def promote_key(keys: Sequence[SigningKey], kid: str, now: datetime, *, at_once: bool = False) -> list[SigningKey]:
    """Let a key sign that was published long enough, instead of the one that does. Raises KeysRefused."""
    chosen = _find(keys, kid)
    if chosen.state is KeyState.SIGNING:
        raise KeysRefused(f"{kid} signs already.")
    ready_at = chosen.since + PUBLISHED_BEFORE
    if chosen.state is KeyState.NEXT and now < ready_at and not at_once:
        raise KeysRefused(f"{kid} was published too short a time ago: promote it after {ready_at:%H:%M:%S} UTC.")
    return [_promoted(one, kid, now) for one in keys]


def _promoted(one: SigningKey, kid: str, now: datetime) -> SigningKey:
    if one.kid == kid:
        return replace(one, state=KeyState.SIGNING, since=now)
    return replace(one, state=KeyState.FORMER, since=now) if one.state is KeyState.SIGNING else one


def retire_key(
    keys: Sequence[SigningKey], kid: str, now: datetime, *, tokens_live: timedelta, at_once: bool = False
) -> list[SigningKey]:
    """Take a key out once every token it signed has expired; at once when it was stolen. Raises KeysRefused."""
    chosen = _find(keys, kid)
    if chosen.state is KeyState.SIGNING:
        raise KeysRefused(f"{kid} signs: promote another key first.")
    ends_at = chosen.since + tokens_live
    if chosen.state is KeyState.FORMER and now < ends_at and not at_once:
        raise KeysRefused(f"Tokens that {kid} signed are still good: retire it after {ends_at:%H:%M:%S} UTC.")
    return [one for one in keys if one.kid != kid]


def _find(keys: Sequence[SigningKey], kid: str) -> SigningKey:
    found = next((one for one in keys if one.kid == kid), None)
    if found is None:
        raise KeysRefused(f"No key is called {kid}; there are: {', '.join(one.kid for one in keys)}.")
    return found
