"""Signed scans are judged by the archive's own rules."""

from services.results.operations import Reason
from services.results.settings import ResultsSettings


class Rules:
    """The archive's rules for signatures, with its trust list."""

    def __init__(self, settings: ResultsSettings) -> None:
        self._settings = settings

    async def refuse(self, document: bytes) -> Reason | None:
        """Return why a document's signatures are not accepted; None when they are."""
        del document
        return Reason("file", "signature_unchecked", "Signatures cannot be checked here.", "Chưa kiểm tra được chữ ký.")
