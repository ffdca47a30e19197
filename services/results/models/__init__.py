"""Tables of results."""

from services.results.models.archive import CaseSlice, DocumentAccess, Result, ResultsBase

__all__ = ["CaseSlice", "DocumentAccess", "Result", "ResultsBase"]
