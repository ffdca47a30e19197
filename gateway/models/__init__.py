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
from gateway.models.data_services import (
    DataService,
    DataServiceCall,
    DataServiceChange,
    DataServiceFailure,
    DataServiceRerun,
    DataServiceRerunCall,
    DataServiceVersion,
    DataServiceWindow,
)
from gateway.models.dossiers import DossierView, TimelineEntry
from gateway.models.edocs import Edoc, EdocAgency, EdocRecipient
from gateway.models.feed import Change
from gateway.models.numbers import PortalNumber
from gateway.models.portal import (
    PortalDebt,
    PortalDifference,
    PortalDossier,
    PortalQueue,
    PortalRun,
    PortalRunCount,
    PortalTally,
)
from gateway.models.root import GatewayBase
from gateway.models.transactions import (
    Transaction,
    TransactionAnchor,
    TransactionCause,
    TransactionDay,
    TransactionHead,
    TransactionRetention,
    TransactionSeal,
    TransactionSealDay,
    TurnedAway,
)
from gateway.models.webhooks import Delivery, DeliveryAttempt, Subscription

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
    "DataService",
    "DataServiceCall",
    "DataServiceChange",
    "DataServiceFailure",
    "DataServiceRerun",
    "DataServiceRerunCall",
    "DataServiceVersion",
    "DataServiceWindow",
    "Delivery",
    "DeliveryAttempt",
    "DossierView",
    "Edoc",
    "EdocAgency",
    "EdocRecipient",
    "GatewayBase",
    "PortalDebt",
    "PortalDifference",
    "PortalDossier",
    "PortalNumber",
    "PortalQueue",
    "PortalRun",
    "PortalRunCount",
    "PortalTally",
    "Subscription",
    "TimelineEntry",
    "Transaction",
    "TransactionAnchor",
    "TransactionCause",
    "TransactionDay",
    "TransactionHead",
    "TransactionRetention",
    "TransactionSeal",
    "TransactionSealDay",
    "TurnedAway",
]
