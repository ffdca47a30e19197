"""One form of a HoSo, so that what was told and what the portal holds can be compared by hash."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

RECODED = frozenset({"MaTTHC", "MaLinhVuc", "TenLinhVuc"})
"""Go out in the codes of the portal's catalogue, which change there: what comes back need not be what was made."""


def canonical(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value without what says nothing: empty texts, lists and objects, at any depth; numbers as text."""
    if isinstance(value, Mapping):
        kept = {str(name): canonical(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in ("", None, [], {})}
    if isinstance(value, list | tuple):
        return [canonical(one) for one in value]
    return value if value is None or isinstance(value, str) else str(value)


def digest(message: Mapping[str, Any], shows: frozenset[str] | None = None) -> bytes:
    """Return the SHA-256 of a message's canonical form: personal data is compared, and kept, only like this.

    shows: the fields that count, those which the portal gives back; None for all.
    """
    return hashlib.sha256(orjson.dumps(canonical(_seen(message, shows)), option=orjson.OPT_SORT_KEYS)).digest()


def _seen(message: Mapping[str, Any], shows: frozenset[str] | None) -> Mapping[str, Any]:
    return {name: value for name, value in message.items() if name not in RECODED and (shows is None or name in shows)}


def differing(told: Mapping[str, Any], held: Mapping[str, Any], shows: frozenset[str] | None = None) -> list[str]:
    """Return the names of the fields that differ, never their values."""
    ours, theirs = canonical(_seen(told, shows)), canonical(_seen(held, shows))
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
