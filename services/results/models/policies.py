"""Which signatures each kind of result needs."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from services.results.models.archive import ResultsBase


class KindPolicy(ResultsBase):
    """What a kind of result needs on entry; a kind without a row follows the setting."""

    __tablename__ = "kind_policy"

    kind_code: Mapped[str] = mapped_column(primary_key=True)
    digital: Mapped[str]
    """SignaturePolicy of documents that were born digital."""
    paper: Mapped[str]
    """SignaturePolicy of scans of papers: the signature certifies the copy."""
    reason: Mapped[str]
    """Why, with the legal base."""
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
