"""Opens the exchange with others: calls outward, who tells the receivers of webhooks, who ends old e-documents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway import queries
from gateway.data_services.contract import Contract
from gateway.data_services.policy import Policy as CallPolicy
from gateway.data_services.snapshot import Service, Version
from gateway.operations.edocs import expire_for_ever
from gateway.routes import edocs
from gateway.settings import GatewaySettings
from gateway.webhooks.circuits import Plan
from gateway.webhooks.courier import Courier
from shared.outgoing import Outgoing, Policy

DAY_S = 86_400


def edocs_service() -> Service:
    """Return the exchange of documents as discovery lists it; its contract is that of our own routes."""
    prefix = edocs.router.prefix
    described = get_openapi(title="Electronic documents (edXML)", version="1", routes=edocs.router.routes)
    paths = {path.removeprefix(prefix): item for path, item in described["paths"].items()}
    version = Version(
        service=edocs.CODE,
        name="v1",
        active=True,
        retired=False,
        base_url="",
        contract=Contract(described | {"paths": paths}),
        policy=CallPolicy(),
        credentials=None,
        revision=0,
    )
    return Service(
        edocs.CODE, "", "Liên thông văn bản điện tử", "Exchange of electronic documents", {"v1": version}, built_in=True
    )


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    """Open `state.outgoing` and `state.courier`; close them in the end."""
    state = app.state
    policy = Policy.read(
        allowed=settings.outgoing_allowed,
        refused=settings.outgoing_refused,
        ports=settings.outgoing_ports,
        http=settings.outgoing_http,
        timeout_s=settings.webhook_timeout_s,
    )
    plan = Plan(
        schedule_s=Plan.read_schedule(settings.webhook_schedule_s),
        disable_after_s=settings.webhook_disable_after_days * DAY_S,
        history_s=settings.webhook_history_days * DAY_S,
    )
    async with Outgoing(policy, connections_max=plan.concurrency) as outgoing:
        state.outgoing = outgoing
        state.courier = Courier(
            state.database,
            outgoing,
            state.sealer,
            inherited=state.succession.inherited,
            cursor_of=queries.to_cursor,
            plan=plan,
        )
        yield


async def _tell_receivers(app: FastAPI) -> None:
    await app.state.courier.run()


async def _expire_edocs(app: FastAPI) -> None:
    await expire_for_ever(app.state.database)


LOOPS = (_tell_receivers, _expire_edocs)
