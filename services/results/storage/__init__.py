"""The outside of the archive: where documents lie, and who signed them."""

from services.results.storage.archive import EXTENSIONS, SIGNATURES, Archive, Kept
from services.results.storage.checker import Checked, SignatureChecker

__all__ = ["EXTENSIONS", "SIGNATURES", "Archive", "Checked", "Kept", "SignatureChecker"]
