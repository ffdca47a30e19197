"""The service before schemathesis."""

import pytest

from tests.conformity.judge import Run, token_of
from tests.intake.counter import AGENCY, PROCEDURE, Counter
from tests.support.promtool import objections
from tests.support.serving import serving


async def _judged(counter: Counter, examples: int) -> str:
    submitted, accepted = await counter.submitted(), await counter.submitted()
    await counter.done(accepted, "accept")
    document = (await counter.upload()).json()["id"]
    known = {
        "code": [submitted, accepted, PROCEDURE, AGENCY],
        "agency": [AGENCY],
        "document_id": [document],
        "tracking_code": [(await counter.submit()).json()["tracking_code"]],
    }
    async with serving(counter.app) as url:
        return await Run(url, token_of(counter.issuer), examples, known).report()


@pytest.mark.timeout(900)
async def test_schemathesis_finds_nothing(counter: Counter) -> None:
    assert await _judged(counter, examples=2) == ""


async def test_promtool_finds_its_metrics_clean(counter: Counter) -> None:
    async with serving(counter.app) as url:
        assert await objections(url) == ""


@pytest.mark.large
@pytest.mark.timeout(3600)
async def test_schemathesis_finds_nothing_in_hundreds_of_examples(counter: Counter) -> None:
    assert await _judged(counter, examples=300) == ""
