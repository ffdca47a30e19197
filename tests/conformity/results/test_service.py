"""The service before schemathesis."""

import pytest

from tests.conformity.judge import Run, token_of
from tests.results.desk import Desk, accepted
from tests.support.promtool import objections
from tests.support.serving import serving


async def _judged(desk: Desk, examples: int) -> str:
    await desk.hear(accepted())
    issued, draft = await desk.issued(), await desk.drafted()
    known = {"result_id": [issued, draft], "reference": [issued]}
    async with serving(desk.app) as url:
        return await Run(url, token_of(desk.issuer), examples, known).report()


@pytest.mark.timeout(900)
async def test_schemathesis_finds_nothing(desk: Desk) -> None:
    assert await _judged(desk, examples=2) == ""


async def test_promtool_finds_its_metrics_clean(desk: Desk) -> None:
    async with serving(desk.app) as url:
        assert await objections(url) == ""


@pytest.mark.large
@pytest.mark.timeout(3600)
async def test_schemathesis_finds_nothing_in_hundreds_of_examples(desk: Desk) -> None:
    assert await _judged(desk, examples=300) == ""
