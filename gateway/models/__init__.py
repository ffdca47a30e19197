"""The gateway's tables: clients, the transaction log, the folded view, what the portal is owed, the change feed."""

from gateway.models.clients import Client
from gateway.models.dossiers import DossierView, TimelineEntry
from gateway.models.edocs import Edoc, EdocAgency, EdocRecipient
from gateway.models.feed import Change
from gateway.models.portal import PortalDebt, PortalDossier
from gateway.models.root import GatewayBase
from gateway.models.transactions import Transaction, TransactionDay, TransactionHead, TransactionSeal
from gateway.models.webhooks import Delivery, DeliveryAttempt, Subscription

__all__ = [
    "Change",
    "Client",
    "Delivery",
    "DeliveryAttempt",
    "DossierView",
    "Edoc",
    "EdocAgency",
    "EdocRecipient",
    "GatewayBase",
    "PortalDebt",
    "PortalDossier",
    "Subscription",
    "TimelineEntry",
    "Transaction",
    "TransactionDay",
    "TransactionHead",
    "TransactionSeal",
]
