"""The parts of a running portal, as its routes find them."""

from dataclasses import dataclass

from fastapi import Request

from deploy.portal.catalogue import Catalogue
from deploy.portal.exchange import CodeWriter
from deploy.portal.faults import Menu
from deploy.portal.ledger import Ledger
from deploy.portal.outbound import Province
from deploy.portal.payment.callbacks import Postman
from deploy.portal.settings import PortalSettings


@dataclass(frozen=True, slots=True)
class Portal:
    """What the lifespan opens and the routes use."""

    settings: PortalSettings
    ledger: Ledger
    menu: Menu
    codes: CodeWriter
    catalogue: Catalogue
    province: Province
    postman: Postman


def portal_of(request: Request) -> Portal:
    """Return the parts that serve a request."""
    return request.app.state.portal
