"""Poison on the page: seen, replayed, discarded by two, and gone; nothing personal shown meanwhile."""

from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.story import PERSONAL, Story


class TestReplay:
    async def test_lets_a_parked_dossier_go_on(self, visit: Visits, house: House) -> None:
        """The payment arrived before its cause and ran out of attempts; then the cause came, and a person looked."""
        story = Story()
        before = story.accepted()
        await house.tell([story.paid()])
        visitor = await (await visit()).sign_in()
        row = visitor.waiting(story.code, "Xử lý")
        await expect(row).to_contain_text("Tạm giữ")
        await expect(row).to_contain_text("CauseMissing")
        await house.tell(before)
        await expect(row).to_contain_text("1 sự kiện xếp sau")
        await visitor.act(row, "replay", "Sự kiện gốc đã tới")
        await visitor.sees("#toast", "chạy lại")
        await expect(row).to_have_count(0)
        await expect(visitor.find("#audit tbody tr", text=story.code)).to_contain_text("Sự kiện gốc đã tới")
        await self._is_over_at_the_gateway_too(visit, house, story)

    async def _is_over_at_the_gateway_too(self, visit: Visits, house: House, story: Story) -> None:
        visitor = await (await visit()).sign_in("ops-second")
        row = visitor.waiting(story.code, "Cửa vào")
        await visitor.act(row, "replay", "Sự kiện gốc đã tới")
        await expect(row).to_have_count(0)
        trace = (await house.ask("ops", "GET", f"/api/v1/ops/dossiers/{story.code}")).json()
        assert trace["waiting"] == []
        assert "payment.fee.paid.v1" in {entry["type"] for entry in trace["dossier"]["items"]}

    async def test_asks_for_a_reason(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell([story.event("payment.fee.paid.v1", {"nothing": "of use"})])
        visitor = await (await visit()).sign_in()
        row = visitor.waiting(story.code, "Cửa vào")
        await row.locator("[data-offer^=replay]").click()
        await visitor.page.fill("#ask-reason", "   ")
        await visitor.page.click("#ask-go")
        await expect(visitor.find("#ask")).to_be_visible()
        await visitor.page.keyboard.press("Escape")
        await expect(visitor.find("#ask")).not_to_be_visible()
        await expect(visitor.find("#audit tbody tr", text=story.code)).to_have_count(0)


class TestDiscard:
    async def test_takes_two_people(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell([*story.accepted(), story.repeated()])
        first = await (await visit()).sign_in()
        row = first.waiting(story.code, "Cửa vào")
        await first.act(row, "discard", "Trùng số, đã đối chiếu")
        await expect(row).to_contain_text("ops đề nghị bỏ, chờ người thứ hai")
        await expect(row.locator("[data-offer^=consent]")).to_have_count(0)
        second = await (await visit()).sign_in("ops-second")
        other = second.waiting(story.code, "Cửa vào")
        await expect(other).to_contain_text("Đồng ý bỏ")
        await second.act(other, "consent")
        await expect(other).to_have_count(0)
        await expect(row).to_have_count(0)
        await expect(first.find("#audit tbody tr", text=story.code)).to_contain_text("ops-second")


class TestAges:
    async def test_are_told_by_the_servers_clock(self, visit: Visits, house: House) -> None:
        story = Story()
        await house.tell([story.event("payment.fee.paid.v1", {"nothing": "of use"})])
        an_hour_ahead = "Date.now = ((told) => () => told() + 3_600_000)(Date.now);"
        visitor = await (await visit(before=an_hour_ahead)).sign_in()
        await expect(visitor.waiting(story.code, "Xử lý")).to_contain_text("giây trước")
        await visitor.sees("#contact-age", "số liệu vừa xong")


class TestPrivacy:
    async def test_shows_nobody(self, visit: Visits, house: House) -> None:
        """Neither a body that does not fit nor a whole timeline brings a name, a number or an address to the page."""
        good, bad = Story(), Story()
        await house.tell([*good.accepted(), bad.accepted()[0], bad.malformed()])
        visitor = await (await visit(f"/console?dossier={good.code}")).sign_in()
        await expect(visitor.waiting(bad.code, "Xử lý")).to_contain_text("Unreadable")
        await visitor.sees("#dossier .line li", "Tiếp nhận hồ sơ")
        await visitor.sees("#dossier .line", "người tiếp nhận •••")
        await visitor.sees("#dossier", "Dữ liệu cá nhân được che")
        shown = await visitor.page.content()
        overview = (await house.ask("ops", "GET", "/api/v1/ops/overview")).text
        trace = (await house.ask("ops", "GET", f"/api/v1/ops/dossiers/{good.code}")).text
        assert [word for word in PERSONAL if word in shown + overview + trace] == []
