"""The gateway's tables: clients, the transaction log, the folded view, what the portal is owed, the change feed."""

from gateway.models.clients import Client
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
from gateway.models.feed import Change
from gateway.models.portal import PortalDebt, PortalDossier
from gateway.models.root import GatewayBase
from gateway.models.transactions import Transaction, TransactionDay, TransactionHead, TransactionSeal

__all__ = [
    "Change",
    "Client",
    "DataService",
    "DataServiceCall",
    "DataServiceChange",
    "DataServiceFailure",
    "DataServiceRerun",
    "DataServiceRerunCall",
    "DataServiceVersion",
    "DataServiceWindow",
    "DossierView",
    "GatewayBase",
    "PortalDebt",
    "PortalDossier",
    "TimelineEntry",
    "Transaction",
    "TransactionDay",
    "TransactionHead",
    "TransactionSeal",
]
