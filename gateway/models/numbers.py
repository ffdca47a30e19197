"""What the portal's REST dialect calls our dossiers."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class PortalNumber(GatewayBase):
    """IdHoSo of a dossier, and SHA-256 of what the portal acknowledged last; a digest that is null is not known."""

    __tablename__ = "portal_number"

    code: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    dossier_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    lists_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of fees and results, which go with some statuses and change apart from the rest."""
    state_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    noted_at: Mapped[datetime]
