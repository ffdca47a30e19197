"""The service before schemathesis."""

import pytest

from tests.conformity.judge import Run, token_of
from tests.payment.till import Till
from tests.support.promtool import objections
from tests.support.serving import serving


async def _judged(till: Till, examples: int) -> str:
    due, paid = await till.owe(), await till.owe()
    payment = await till.pay_in_cash(paid)
    receipts = await till.receipts(paid)
    known = {
        "fee_id": [str(due.id), str(paid.id)],
        "payment_id": [payment["id"]],
        "receipt_id": [str(receipt.id) for receipt in receipts],
        "agency_code": ["H32.14", "H32"],
    }
    async with serving(till.app) as url:
        return await Run(url, token_of(till.issuer), examples, known).report()


@pytest.mark.timeout(900)
async def test_schemathesis_finds_nothing(till: Till) -> None:
    assert await _judged(till, examples=2) == ""


async def test_promtool_finds_its_metrics_clean(till: Till) -> None:
    async with serving(till.app) as url:
        assert await objections(url) == ""


@pytest.mark.large
@pytest.mark.timeout(3600)
async def test_schemathesis_finds_nothing_in_hundreds_of_examples(till: Till) -> None:
    assert await _judged(till, examples=300) == ""
