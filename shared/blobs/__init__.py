"""Files kept by what they hold: a file's key is the SHA-256 of its bytes, on local disk or in any store of obstore."""

from shared.blobs.sealing import Keyring
from shared.blobs.store import (
    CHUNK_BYTES,
    MEMORY_MAX_BYTES,
    Blob,
    BlobDamaged,
    BlobMissing,
    BlobStore,
    BlobTooLarge,
    Inspect,
    StoreAway,
)

__all__ = [
    "CHUNK_BYTES",
    "MEMORY_MAX_BYTES",
    "Blob",
    "BlobDamaged",
    "BlobMissing",
    "BlobStore",
    "BlobTooLarge",
    "Inspect",
    "Keyring",
    "StoreAway",
]
