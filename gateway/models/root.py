"""The root of the gateway's tables."""

from sqlalchemy import MetaData

from shared.db import NAMES, Base


class GatewayBase(Base):
    """Root of the gateway's tables."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)
