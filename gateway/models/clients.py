"""Systems that may call."""

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class Client(GatewayBase):
    """A system that may call: whose it is, what it may do. The secret itself is never stored."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    agency: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    secret_sha256: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
