"""What the exchange with others opens when the gateway starts: calls outward, seals, the courier."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway import queries
from gateway.webhooks.circuits import Plan
from gateway.webhooks.courier import Courier
from shared.blobs.sealer import Sealer
from shared.outgoing import Outgoing, Policy


@asynccontextmanager
async def exchanging(app: FastAPI, *, policy: Policy, plan: Plan, keys: str) -> AsyncIterator[None]:
    """Open `state.outgoing`, `state.exchange_sealer` and `state.courier`; close them in the end."""
    state = app.state
    state.exchange_sealer = Sealer(keys)
    async with Outgoing(policy, connections_max=plan.concurrency) as outgoing:
        state.outgoing = outgoing
        state.courier = Courier(
            state.database,
            outgoing,
            state.exchange_sealer,
            inherited=state.succession.inherited,
            cursor_of=queries.to_cursor,
            plan=plan,
        )
        yield
