"""How results reach their owners."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.results.models.archive import ResultsBase


class HandOver(ResultsBase):
    """One way of a result to its owner, or to whom the owner authorised: the first, a second try, a re-issue."""

    __tablename__ = "hand_over"
    __table_args__ = (
        UniqueConstraint("result_id", "nth"),
        CheckConstraint("outcome = 'under_way' OR concluded_at IS NOT NULL", name="concluded"),
        Index("uq_hand_over_tracking_number", "tracking_number", unique=True),
        Index("uq_hand_over_grant_sha256", "grant_sha256", unique=True),
        Index("uq_hand_over_under_way", "result_id", unique=True, postgresql_where=text("outcome = 'under_way'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("result.id"))
    nth: Mapped[int]
    reissue: Mapped[bool]
    reason: Mapped[str | None]
    """Why it is handed over again."""
    method: Mapped[str]
    outcome: Mapped[str]
    """under_way (with the post), done, failed."""
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    concluded_at: Mapped[datetime | None]
    receiver_name: Mapped[str | None]
    receiver_relation: Mapped[str | None]
    """owner, or authorised by the owner."""
    document_kind: Mapped[str | None]
    """The identity document that was looked at."""
    document_last_digits: Mapped[str | None]
    document_number_hash: Mapped[str | None]
    """SHA-256 of the whole number with this row's id, when the whole was given: compared, never shown."""
    checked_by: Mapped[str | None]
    postal_service: Mapped[str | None]
    """one_way: the post brings the result; two_way: it had brought the dossier, too (BCCI)."""
    tracking_number: Mapped[str | None]
    failure: Mapped[str | None]
    grant_sha256: Mapped[str | None]
    """SHA-256 of the code by which the owner downloads; the code itself is told once."""
    grant_until: Mapped[datetime | None]
    downloads: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    downloaded_at: Mapped[datetime | None]
    """When the owner first had it."""
