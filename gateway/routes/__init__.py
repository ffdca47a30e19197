"""HTTP in: tokens and clients, the proxy to the services, the feed, the portal's inbound calls, the ops console.

The order of the routers matters: what stands first is found first.
"""

from gateway.routes import (
    catalogue,
    checking,
    clients,
    console,
    contract,
    data_services,
    edocs,
    evidence,
    joining,
    ops,
    portal,
    reconciliation,
    statistics,
    sync,
    tokens,
    webhooks,
)

ROUTERS = (
    tokens.router,
    clients.router,
    sync.router,
    webhooks.router,
    edocs.router,
    portal.router,
    catalogue.router,
    catalogue.deciding,
    statistics.router,
    evidence.router,
    contract.router,
    joining.router,
    *data_services.ROUTERS,
    ops.router,
    reconciliation.router,
    ops.forwarded,
    console.router,
    checking.router,
)
