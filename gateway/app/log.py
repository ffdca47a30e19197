"""Opens the transaction log: who writes it, keeps its partitions, and has it stamped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from gateway.operations.evidence import (
    Anchoring,
    Authority,
    Evidence,
    EvidenceKey,
    Witness,
    keep_months,
    read_roots,
    turn_months,
)
from gateway.operations.turned_away import TurnedAway
from gateway.settings import GatewaySettings
from gateway.stamping import StampingAuthority


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    """Make the partitions that are missing; at the end, when everything is written, have the log stamped."""
    state = app.state
    state.evidence = Evidence(
        state.database,
        EvidenceKey.read(settings.evidence_key_file),
        Witness(settings.evidence_folder),
        by_day=_by_day(settings),
    )
    state.turned_away = TurnedAway(state.database)
    state.anchoring = Anchoring(state.database, _authority(settings), folder=settings.evidence_folder)
    await keep_months(state.database, by_day=_by_day(settings))
    try:
        yield
    finally:
        await state.anchoring.end()


def _by_day(settings: GatewaySettings) -> bool:
    return settings.transaction_log_partition == "day"


def _authority(settings: GatewaySettings) -> Authority | None:
    """Return who stamps the log; raises OSError, ValueError when its trusted certificates cannot be read."""
    if not settings.timestamp_authority_url:
        return None
    policy = settings.timestamp_authority_policy
    return Authority(
        StampingAuthority(settings.timestamp_authority_url, policy=policy),
        read_roots(Path(settings.timestamp_authority_trust)),
        policy,
        settings.timestamp_every_s,
    )


async def _write(app: FastAPI) -> None:
    await app.state.evidence.run()


async def _keep(app: FastAPI) -> None:
    settings: GatewaySettings = app.state.settings
    key, months = app.state.evidence.key, settings.transaction_log_months
    await turn_months(app.state.database, key, months=months, by_day=_by_day(settings))


async def _anchor(app: FastAPI) -> None:
    await app.state.anchoring.run()


async def _count(app: FastAPI) -> None:
    await app.state.turned_away.run()


LOOPS = (_write, _keep, _anchor, _count)
