"""What comparing with the portal gave, as ops see it on the page."""

from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.support.assertions import eventually

BASE = "/api/v1/ops/portal/reconciliations"


class TestReconciliation:
    async def test_is_shown_with_what_it_found(self, visit: Visits, house: House) -> None:
        asked = await house.ask("ops", "POST", BASE)
        assert asked.status_code == 202

        async def ended() -> bool:
            run = (await house.ask("ops", "GET", f"{BASE}/{asked.json()['id']}")).json()
            return run["finished_at"] is not None

        await eventually(ended)
        visitor = await (await visit()).sign_in()
        await visitor.sees("#portal", "Đối soát với Cổng")
        await visitor.sees("#portal", "Khớp / đã tra cứu")
        await visitor.sees("#portal", "Sai lệch chưa xử lý")
        await visitor.page.click("[data-language=en]")
        await visitor.sees("#portal", "Compared with the portal")
