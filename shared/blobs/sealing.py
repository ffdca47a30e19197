"""Encryption of files at rest: AES-256-GCM in chunks, each file under a key of its own.

A sealed file is MAGIC, the id of the master key (8 bytes), a salt (32), then records of at most RECORD_BYTES of
plaintext with their tag (16). The file's key is HKDF-SHA256 of the master key, the salt and the file's SHA-256; the
nonce is the record's number and whether it is the last one, so that records cannot be cut off, moved or swapped.
Several master keys may be known: the first seals, any opens, which is how keys are rotated.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"\x8bMotCua sealed\x01\n"
KEY_BYTES, KEY_ID_BYTES, SALT_BYTES, TAG_BYTES = 32, 8, 32, 16
HEADER_BYTES = len(MAGIC) + KEY_ID_BYTES + SALT_BYTES
RECORD_BYTES = 64 * 1024


class Unopenable(Exception):
    """The sealed bytes were changed, cut short, or sealed with a key that is not known."""


class Keyring:
    """Master keys; the first seals."""

    def __init__(self, text: str) -> None:
        """Take keys of 32 bytes in base64, separated by commas, the newest first. Raises ValueError."""
        keys = [_decoded(one.strip()) for one in text.split(",") if one.strip()]
        self._keys = {key_id(key): key for key in keys}
        self.current = key_id(keys[0]) if keys else b""

    def __bool__(self) -> bool:
        """Tell whether there is any key: without one, nothing is sealed."""
        return bool(self._keys)

    def seal(self, plain: IO[bytes], sha256: str) -> Iterator[bytes]:
        """Yield the sealed form of a file, from where it stands to its end."""
        header = MAGIC + self.current + os.urandom(SALT_BYTES)
        cipher = self._cipher(header, sha256)
        yield header
        number, record = 0, plain.read(RECORD_BYTES)
        while True:
            following = plain.read(RECORD_BYTES)
            yield cipher.encrypt(_nonce(number, last=not following), record, header)
            if not following:
                return
            number, record = number + 1, following

    def is_current(self, header: bytes) -> bool:
        """Tell whether what begins like this is sealed with the newest key; plain bytes are when there is none."""
        return is_sealed(header) == bool(self) and (not self or _id_in(header) == self.current)

    def _cipher(self, header: bytes, sha256: str) -> AESGCM:
        key = self._keys.get(_id_in(header))
        if key is None:
            raise Unopenable("sealed with a key that is not known")
        salt = header[-SALT_BYTES:]
        derivation = HKDF(hashes.SHA256(), KEY_BYTES, salt=salt, info=b"motcua blob " + bytes.fromhex(sha256))
        return AESGCM(derivation.derive(key))


class Opener:
    """Opens one file as its bytes arrive; plain bytes pass unchanged."""

    def __init__(self, keys: Keyring, sha256: str) -> None:
        self._keys, self._sha256 = keys, sha256
        self._waiting = b""
        self._header = b""
        self._cipher: AESGCM | None = None
        self._plain = False
        self._number = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return what is known of the plaintext so far. Raises Unopenable."""
        if self._plain:
            return chunk
        self._waiting += chunk
        if not self._header and not self._begin():
            return b""
        return self._opened(keep=RECORD_BYTES + TAG_BYTES)

    def finish(self) -> bytes:
        """Return the rest. Raises Unopenable."""
        if self._plain or not self._header:
            return self._waiting if not self._plain else b""
        return self._opened(keep=0)

    def _begin(self) -> bool:
        if not MAGIC.startswith(self._waiting[: len(MAGIC)]):
            self._plain = True
            self._header = b"plain"
            return True
        if len(self._waiting) < HEADER_BYTES:
            return False
        self._header, self._waiting = self._waiting[:HEADER_BYTES], self._waiting[HEADER_BYTES:]
        self._cipher = self._keys._cipher(self._header, self._sha256)  # noqa: SLF001 - the other half of this module
        return True

    def _opened(self, *, keep: int) -> bytes:
        if self._cipher is None:
            plain, self._waiting = self._waiting, b""
            return plain
        found, size = [], RECORD_BYTES + TAG_BYTES
        # The last record says so in its nonce: one full record is held back until it is known whether it is the last.
        while len(self._waiting) > keep or (not keep and self._waiting):
            record, self._waiting = self._waiting[:size], self._waiting[size:]
            found.append(self._record(self._cipher, record, last=not keep and not self._waiting))
        if not keep and self._number == 0:
            raise Unopenable("cut short")
        return b"".join(found)

    def _record(self, cipher: AESGCM, record: bytes, *, last: bool) -> bytes:
        try:
            plain = cipher.decrypt(_nonce(self._number, last=last), record, self._header)
        except (InvalidTag, ValueError) as problem:
            raise Unopenable("changed or cut short") from problem
        self._number += 1
        return plain


def is_sealed(beginning: bytes) -> bool:
    """Tell whether a file that begins like this is sealed."""
    return beginning.startswith(MAGIC)


def key_id(key: bytes) -> bytes:
    """Return what a key is called in the files it sealed."""
    return hashlib.sha256(b"motcua key id " + key).digest()[:KEY_ID_BYTES]


def _id_in(header: bytes) -> bytes:
    return header[len(MAGIC) : len(MAGIC) + KEY_ID_BYTES]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as problem:
        raise ValueError("A storage key is not base64.") from problem
    if len(key) != KEY_BYTES:
        raise ValueError(f"A storage key has {len(key)} bytes instead of {KEY_BYTES}.")
    return key
