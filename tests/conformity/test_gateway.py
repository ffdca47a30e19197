"""The gateway before schemathesis: what it answers itself, and everything through its door."""

import pytest

from tests.conformity.conftest import Door
from tests.conformity.judge import Run
from tests.support.promtool import objections

WHOLE = "/api/v1/openapi.json"


@pytest.mark.timeout(900)
async def test_schemathesis_finds_nothing(door: Door) -> None:
    assert await Run(door.url, door.token, 2, door.known).report() == ""


async def test_promtool_finds_its_metrics_clean(door: Door) -> None:
    assert await objections(door.url) == ""


@pytest.mark.large
@pytest.mark.timeout(3600)
async def test_schemathesis_finds_nothing_in_hundreds_of_examples(door: Door) -> None:
    assert await Run(door.url, door.token, 300, door.known).report() == ""


@pytest.mark.large
@pytest.mark.timeout(7200)
async def test_schemathesis_finds_nothing_through_the_door(door: Door) -> None:
    assert await Run(door.url, door.token, 20, door.known, document=WHOLE).report() == ""
