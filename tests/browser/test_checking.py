"""The citizens' page in a real browser: a file is hashed here, a number is asked about, nobody is named."""

import hashlib
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Visits

CONTENT = b"%PDF-1.7 result"
VALID = {
    "status": "valid",
    "number": "15/GPXD-UBND",
    "kind_code": "KQ.01",
    "kind_name": "Giấy phép xây dựng",
    "agency_code": "H32.14",
    "issued_at": "2026-04-07T09:00:00Z",
    "issued_on": "2026-04-07",
    "valid_from": None,
    "valid_until": "2031-04-07",
    "version": 1,
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "media_type": "application/pdf",
    "signed": True,
    "digitised": False,
}


async def answering(route: Route) -> None:
    """Answer as results does."""
    known = route.request.url.endswith((VALID["sha256"], "/15/GPXD-UBND"))
    await route.fulfill(
        json={
            "reference": "x",
            "status": "valid" if known else "unknown",
            "matches": [VALID] if known else [],
        }
    )


@pytest.mark.parametrize("width", [360, 1440])
class TestPage:
    """At a phone's width and at a desk's."""

    async def test_tells_of_a_file_without_sending_it(self, visit: Visits, width: int, tmp_path: Path) -> None:
        visitor = await visit("/verify", width=width)
        await visitor.page.route("**/api/v1/verify/**", answering)
        for content, words in ((CONTENT, "còn hiệu lực"), (CONTENT + b"!", "Không tìm thấy")):
            path = tmp_path / "ket-qua.pdf"
            path.write_bytes(content)
            async with visitor.page.expect_request("**/api/v1/verify/**") as asked:
                await visitor.page.set_input_files("#file", path)
            request = await asked.value
            assert (request.method, request.url.rpartition("/")[2]) == ("GET", hashlib.sha256(content).hexdigest())
            await visitor.sees("#answer h2", words)

    async def test_tells_of_a_number_typed_or_scanned(self, visit: Visits, width: int) -> None:
        visitor = await visit("/verify", width=width)
        await visitor.page.route("**/api/v1/verify/**", answering)
        await visitor.page.fill("#code", "15/GPXD-UBND")
        await visitor.page.press("#code", "Enter")
        await visitor.sees("#answer dd", "Giấy phép xây dựng")
        await visitor.sees("#answer dd", "07/04/2031")
        await expect(visitor.find("#answer")).to_have_attribute("data-state", "valid")

    async def test_is_no_wider_than_the_screen_and_names_every_field(self, visit: Visits, width: int) -> None:
        visitor = await visit("/verify#16/GP", width=width)
        await visitor.sees("#answer h2", "Chưa kiểm tra được")
        assert await visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        unnamed = "[...document.querySelectorAll('input')].filter((one) => !one.labels.length).length"
        assert await visitor.page.evaluate(unnamed) == 0
