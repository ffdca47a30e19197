"""The gateway's tables: clients, the transaction log, the folded view, what the portal is owed, the change feed."""

from gateway.models.catalogue import CatalogueDiff, CatalogueItem, CataloguePull
from gateway.models.clients import (
    Client,
    ClientAssertion,
    ClientChange,
    ClientDay,
    ClientGrant,
    ClientKey,
    ClientSecret,
)
from gateway.models.dossiers import DossierView, TimelineEntry
from gateway.models.feed import Change
from gateway.models.numbers import PortalNumber
from gateway.models.portal import PortalDebt, PortalDossier
from gateway.models.root import GatewayBase
from gateway.models.transactions import Transaction, TransactionDay, TransactionHead, TransactionSeal

__all__ = [
    "CatalogueDiff",
    "CatalogueItem",
    "CataloguePull",
    "Change",
    "Client",
    "ClientAssertion",
    "ClientChange",
    "ClientDay",
    "ClientGrant",
    "ClientKey",
    "ClientSecret",
    "DossierView",
    "GatewayBase",
    "PortalDebt",
    "PortalDossier",
    "PortalNumber",
    "TimelineEntry",
    "Transaction",
    "TransactionDay",
    "TransactionHead",
    "TransactionSeal",
]
