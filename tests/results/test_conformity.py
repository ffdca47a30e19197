"""The service before schemathesis."""

import pytest

from tests.conformity.judge import findings
from tests.results.desk import Desk, accepted
from tests.support.serving import serving

SCOPES = "dossiers:submit dossiers:read dossiers:decide tasks:read tasks:work fees:read payments:write refunds:write ledger:read ledger:write results:read results:write results:reuse catalogue:write sync:read ops:read ops:act portal".split()
from datetime import timedelta


async def seed(desk: Desk) -> None:
    await desk.hear(accepted())
    await desk.issued()
    await desk.drafted()


async def test_nothing_is_found(desk: Desk) -> None:
    await seed(desk)
    token = desk.issuer.token(SCOPES, agency="H32", lives=timedelta(hours=1))
    async with serving(desk.app) as url:
        assert await findings(url, token, examples=5) == ""
