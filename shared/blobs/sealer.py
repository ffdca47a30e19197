"""Small things at rest (secrets, letters), sealed as files are."""

import hashlib
from io import BytesIO

from shared.blobs.sealing import Keyring, Opener, Unopenable, is_sealed

__all__ = ["Sealer", "Unopenable"]


class Sealer:
    """Seals bytes for one purpose; what was sealed for another does not open."""

    def __init__(self, keys: str) -> None:
        """Take keys of 32 bytes in base64, separated by commas, the newest first. Raises ValueError."""
        self._keys = Keyring(keys)

    def __bool__(self) -> bool:
        """Tell whether anything can be sealed."""
        return bool(self._keys)

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Return bytes sealed for a purpose."""
        return b"".join(self._keys.seal(BytesIO(plain), _named(purpose)))

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return what was sealed for a purpose. Raises Unopenable."""
        if not is_sealed(sealed):
            raise Unopenable("not sealed")
        opener = Opener(self._keys, _named(purpose))
        return opener.feed(sealed) + opener.finish()


def _named(purpose: str) -> str:
    return hashlib.sha256(purpose.encode()).hexdigest()
