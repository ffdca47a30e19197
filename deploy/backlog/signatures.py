"""Signed scans are judged as every signed result is: by the archive's checker, against its trust lists."""

from services.results.operations import Reason
from services.results.settings import ResultsSettings
from services.results.storage import SignatureChecker
from shared.errors import DomainError


class Rules:
    """The archive's rules for signatures, in processes of their own."""

    def __init__(self, settings: ResultsSettings) -> None:
        self._checker = SignatureChecker(settings.trust_folder, workers_max=settings.signature_workers_max)

    async def refuse(self, document: bytes) -> Reason | None:
        """Return why a document's signatures are not accepted; None when they are. Raises CheckFailed."""
        try:
            await self._checker.check(document)
        except DomainError as problem:
            return Reason("file", problem.code, f"{problem.title()}: {problem.detail}", problem.title_vi)
        return None

    async def close(self) -> None:
        """End the processes."""
        await self._checker.close()
