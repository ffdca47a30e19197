"""The service before schemathesis."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.workflow.app import create_app
from services.workflow.settings import WorkflowSettings
from tests.conformity.judge import Run, token_of
from tests.support.promtool import objections
from tests.support.serving import serving
from tests.support.tokens import Issuer
from tests.workflow.office import CODE, OFFICIAL, Office
from tests.workflow.processes import GATED, PARALLEL

PAUSED = "H32.14-261123-0002"
NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture
async def whole_office(database_url: str) -> AsyncIterator[Office]:
    """Lend an office whose app runs with everything it has, unlike the other tests'."""
    app = create_app(WorkflowSettings.model_validate({"database_url": database_url, "amqp_url": NO_BROKER}))
    issuer = Issuer()
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://workflow") as client,
    ):
        issuer.trusted_by(app)
        office = Office(app, client, issuer)
        yield office
        await office.clear()


async def _judged(office: Office, examples: int) -> str:
    await office.start(PARALLEL)
    await office.start(GATED, code=PAUSED)
    await office.pause("stop", code=PAUSED)
    tasks = await office.tasks()
    known = {
        "dossier_code": [CODE, PAUSED],
        "task_id": [str(task.id) for task in tasks.values()],
        "code": ["vn", PARALLEL.code],
        "username": [OFFICIAL],
    }
    async with serving(office.app) as url:
        return await Run(url, token_of(office.issuer), examples, known).report()


@pytest.mark.timeout(900)
async def test_schemathesis_finds_nothing(whole_office: Office) -> None:
    assert await _judged(whole_office, examples=2) == ""


async def test_promtool_finds_its_metrics_clean(whole_office: Office) -> None:
    async with serving(whole_office.app) as url:
        assert await objections(url) == ""


@pytest.mark.large
@pytest.mark.timeout(3600)
async def test_schemathesis_finds_nothing_in_hundreds_of_examples(whole_office: Office) -> None:
    assert await _judged(whole_office, examples=300) == ""
