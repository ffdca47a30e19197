"""The portal's own lists as they were pulled, and how they differ from the province's catalogue."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class CatalogueItem(GatewayBase):
    """One row of one of the portal's lists, with a procedure's details."""

    __tablename__ = "catalogue_item"

    name: Mapped[str] = mapped_column(primary_key=True)
    """The list, in the portal's word: LayDanhSachTTHC."""
    code: Mapped[str] = mapped_column(primary_key=True)
    entry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """LayThuTuc; null until it was asked for, and again when the row has changed."""
    detail_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    """When a whole list no longer had it."""


class CataloguePull(GatewayBase):
    """One pull of the portal's lists."""

    __tablename__ = "catalogue_pull"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    accept_smaller: Mapped[bool]
    """Somebody has looked: the list may be much shorter than the one before."""
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """complete, incomplete (nothing was ended), failed; null while it waits or runs."""
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str | None]

    __table_args__ = (
        Index(None, "asked_at"),
        Index("ix_catalogue_pull_waiting", "asked_at", postgresql_where=text("finished_at IS NULL")),
    )


class CatalogueDiff(GatewayBase):
    """One procedure that the portal has otherwise than the province."""

    __tablename__ = "catalogue_diff"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    pull_id: Mapped[UUID] = mapped_column(ForeignKey("catalogue_pull.id"))
    code: Mapped[str]
    kind: Mapped[str]
    """new, changed, ended."""
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """{field, ours, theirs} of a changed one."""
    found_at: Mapped[datetime]
    state: Mapped[str]
    """open; applied, dismissed; settled when a later pull no longer found it."""
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    note: Mapped[str | None]

    __table_args__ = (
        Index("uq_catalogue_diff_open", "code", unique=True, postgresql_where=text("state = 'open'")),
        Index(None, "state", "id"),
    )
