"""One dossier's line: calls, events and the portal in order of time, reached by its address."""

from datetime import datetime

from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.story import Story


class TestLine:
    async def test_merges_calls_events_and_the_portal_by_time(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell(story.accepted())
        visitor = await (await visit(f"/console?dossier={story.code}")).sign_in()
        await expect(visitor.find("#dossier .line li.sync:not(.open)")).to_have_count(3)
        await house.ask("one-stop", "GET", f"/api/v1/cases/{story.code}")
        await visitor.sees("#dossier .line li.http", f"GET /api/v1/cases/{story.code} 200")
        for kind, words in (
            ("bus", "Nộp hồ sơ intake.dossier.submitted.v1"),
            ("bus", "Cổng hiển thị: 2 Được tiếp nhận"),
            ("bus", "Bắt đầu xử lý"),
            ("sync", "Cổng đã nhận: 4 Đang xử lý"),
            ("http", "one-stop → Xử lý"),
        ):
            await visitor.sees(f"#dossier .line li.{kind}", words)
        times = await visitor.page.eval_on_selector_all(".line li > time", "all => all.map(one => one.dateTime)")
        moments = [datetime.fromisoformat(time) for time in times]
        assert moments == sorted(moments)
        await visitor.sees("#dossier .standing", "4 Đang xử lý")
        await visitor.sees("#dossier", "3 trên 3 trạng thái")

    async def test_shows_only_what_is_ticked(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell(story.accepted())
        visitor = await (await visit(f"/console?dossier={story.code}")).sign_in()
        await visitor.sees("#dossier .line li.sync", "Cổng đã nhận")
        await visitor.page.uncheck("#dossier input[value=bus]")
        await expect(visitor.find("#dossier .line li.bus")).to_have_count(0)
        await visitor.sees("#dossier .line li.sync", "Cổng đã nhận")

    async def test_highlights_a_trace(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell(story.accepted())
        visitor = await (await visit(f"/console?dossier={story.code}")).sign_in()
        started = visitor.find("#dossier .line li.bus", text="workflow.case.started.v1")
        await started.locator("[data-trace]").click()
        await expect(started).to_have_class("bus marked")
        accepted = visitor.find("#dossier .line li.bus", text="intake.dossier.accepted.v1")
        await expect(accepted).to_have_class("bus marked")


class TestPortal:
    async def test_shows_what_is_stuck_and_why(self, visit: Visits, house: House) -> None:
        story = Story()
        house.misbehave(service="DongBoHoSoMC", kind="refuse", dossier=story.code)
        try:
            await house.tell(story.accepted())
            visitor = await (await visit()).sign_in()
            row = visitor.find("#portal tbody tr", text=story.code)
            await expect(row).to_contain_text("1 Mới đăng ký")
            await row.locator("a").click()
            await visitor.sees("#dossier .line li.sync.open", "Còn nợ Cổng: 1 Mới đăng ký")
            await visitor.sees("#dossier .line li.sync.open", "lần hỏng")
            await visitor.sees("#dossier .line li.sync.open", "đợi trạng thái trước")
        finally:
            house.behave()
        await expect(row).to_have_count(0)


class TestAddress:
    async def test_leads_to_a_dossier_in_a_language(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell(story.accepted())
        visitor = await (await visit(f"/console?dossier={story.code}#en")).sign_in()
        await visitor.sees("#dossier-title", f"Dossier {story.code}")
        await visitor.sees("#dossier .line li.bus", "Dossier accepted")
        await visitor.page.click("#dossier-close")
        await expect(visitor.find("#dossier")).to_be_hidden()
        assert visitor.page.url == f"{house.url}/console"
        await visitor.page.go_back()
        await visitor.sees("#dossier .line li.bus", "Dossier accepted")

    async def test_finds_a_dossier_by_its_code(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell(story.accepted())
        visitor = await (await visit()).sign_in()
        await visitor.page.fill("#code", story.code)
        await visitor.page.press("#code", "Enter")
        await visitor.sees("#dossier .line li.bus", "Nộp hồ sơ")

    async def test_says_that_nobody_knows_it(self, visit: Visits) -> None:
        visitor = await (await visit("/console?dossier=H32.14.21-260407-9999")).sign_in()
        await visitor.sees("#dossier", "Không tìm thấy hồ sơ này")
