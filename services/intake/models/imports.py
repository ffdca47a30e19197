"""Table of what was brought in, by whom, and what was odd about it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.tables import IntakeBase, Json


class CatalogueImport(IntakeBase):
    """One run of an import; one that was killed has no end, and the next of the same file goes on from it."""

    __tablename__ = "catalogue_import"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """`procedures`, `agencies` or `forms`."""
    source: Mapped[str]
    """Name of the file, or how it came."""
    sha256: Mapped[str]
    """Of the file's bytes."""
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    finished_at: Mapped[datetime | None]
    done: Mapped[int]
    """Entries written so far."""
    report: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
