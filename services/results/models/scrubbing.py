"""How the archive watches over its own files."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.results.models.archive import ResultsBase


class ScrubRound(ResultsBase):
    """One reading of every file, in order of its hash; it goes on where it stood."""

    __tablename__ = "scrub_round"
    __table_args__ = (
        Index(
            "uq_scrub_round_open", text("(ended_at IS NULL)"), unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )

    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    position: Mapped[str]
    """SHA-256 of the last file that was read; empty at the start."""
    files: Mapped[int] = mapped_column(BigInteger)
    bytes_read: Mapped[int] = mapped_column(BigInteger)
    found: Mapped[int]
    """Files that were missing or damaged."""
    ended_at: Mapped[datetime | None]


class Finding(ResultsBase):
    """A file that was missing or damaged when it was last read."""

    __tablename__ = "finding"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    problem: Mapped[str]
    """missing or damaged."""
    found_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """When it was last found so."""
    mended_at: Mapped[datetime | None]
    """When it was read whole again."""
