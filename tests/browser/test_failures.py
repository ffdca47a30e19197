"""Failed calls at data services: seen by cause, tried out, sent again under their own keys, paused, stopped."""

import re

import pytest
from playwright.async_api import Locator, Request, Route, expect
from starlette.responses import Response

from tests.browser.conftest import Visits
from tests.browser.others import AT, PERSON, Office
from tests.browser.visitor import Visitor
from tests.support.assertions import eventually

DRY_RUN = {"vi": "{n} trên {m} lời gọi sẽ được gửi", "en": "{n} of {m} call(s) would go"}
SAME_KEY = {"vi": "khóa Idempotency-Key ban đầu", "en": "original Idempotency-Key"}
SUCCEEDED = {"vi": "{n} thành công", "en": "{n} succeeded"}


def group_of(visitor: Visitor, office: Office) -> Locator:
    """Return the row of what failed at an office."""
    return visitor.find("#failures .body > table > tbody > tr:not(.below-row)", text=office.code).first


def rerun_of(visitor: Visitor, office: Office) -> Locator:
    """Return the row of the re-run at an office."""
    return visitor.find("#reruns > table > tbody > tr:not(.below-row)", text=office.code)


def is_order(request: Request) -> bool:
    """Tell whether a call orders a re-run: the page's other calls look, or try out."""
    return request.method == "POST" and request.url.endswith("/reruns") and '"dry_run"' not in (request.post_data or "")


async def send_again(visitor: Visitor, row: Locator, *, rate: int = 100) -> None:
    """Press a row's button, wait for the dry run, and confirm."""
    await row.locator("[data-offer^=rerun]").click()
    await expect(visitor.find("#ask .dry-run")).to_be_visible()
    await visitor.page.select_option("#ask-rate", str(rate))
    await visitor.page.fill("#ask-reason", "Bộ đã sửa xong")
    await visitor.page.click("#ask-go")
    await expect(visitor.find("#ask")).not_to_be_visible()


class TestCauses:
    async def test_show_how_often_why_and_which_calls_are_kept(self, visit: Visits, office: Office) -> None:
        await office.fail("k1", "k2", "k3")
        visitor = await (await visit()).sign_in()
        row = group_of(visitor, office)
        await expect(row).to_contain_text("Trả về mã lỗi 500")
        await expect(row.locator("td.number")).to_have_text(["3", "3", "0"])
        await row.locator("[data-open]").click()
        await expect(row.locator("[data-open]")).to_have_attribute("aria-expanded", "true")
        calls = visitor.find("#failures .below-row tbody tr")
        await expect(calls).to_contain_text([f"{office.code}-{key}" for key in ("k1", "k2", "k3")])
        await expect(calls.first).to_contain_text("one-stop")
        await visitor.sees("#summary .tile", "Lời gọi chờ gửi lại")
        shown = await visitor.page.content()
        assert [word for word in PERSON.rsplit(" ", 1) if word in shown] == []

    async def test_are_hidden_from_who_may_not_see_the_services(self, visit: Visits, office: Office) -> None:
        await office.fail("k1")
        visitor = await (await visit()).sign_in("ops-second")
        await visitor.sees("#services tbody tr", "workflow")
        await expect(visitor.find("#failures")).to_be_hidden()
        await expect(visitor.find("#summary .tile")).to_have_count(5)

    async def test_offer_nothing_to_who_may_only_look(self, visit: Visits, office: Office) -> None:
        await office.fail("k1")
        visitor = await (await visit()).sign_in("watcher")
        await expect(group_of(visitor, office)).to_contain_text("Trả về mã lỗi 500")
        await visitor.sees("#failures", "cần quyền services:write")
        await expect(visitor.find("#failures [data-offer], #failures [data-steer]")).to_have_count(0)


class TestDryRun:
    @pytest.mark.parametrize("language", ["vi", "en"])
    async def test_says_how_many_would_go_and_sends_nothing(self, visit: Visits, office: Office, language: str) -> None:
        await office.fail("k1", "k2")
        visitor = await (await visit(f"/console#{language}")).sign_in()
        await group_of(visitor, office).locator("[data-offer^=rerun]").click()
        await visitor.sees("#ask", DRY_RUN[language].format(n=2, m=2))
        await visitor.sees("#ask .notice.good", SAME_KEY[language])
        await visitor.page.click("#ask summary")
        await visitor.sees("#ask li", f"{office.code}-k2")
        await visitor.page.keyboard.press("Escape")
        assert office.keys_heard() == []
        assert await office.reruns() == []

    async def test_says_which_would_not_go_and_why(self, visit: Visits, office: Office) -> None:
        await office.fail("k1", "k2")
        await office.close_for_repairs()
        visitor = await (await visit()).sign_in()
        await group_of(visitor, office).locator("[data-offer^=rerun]").click()
        await visitor.sees("#ask", DRY_RUN["vi"].format(n=0, m=2))
        await visitor.sees("#ask li", "2: Đang bảo trì")
        await expect(visitor.find("#ask-go")).to_have_attribute("aria-disabled", "true")
        await visitor.page.fill("#ask-reason", "Bộ đã sửa xong")
        await visitor.page.click("#ask-go", force=True)
        await expect(visitor.find("#ask")).to_be_visible()
        assert await office.reruns() == []


class TestRerun:
    @pytest.mark.parametrize("language", ["vi", "en"])
    async def test_sends_a_cause_again_under_the_original_keys(
        self, visit: Visits, office: Office, language: str
    ) -> None:
        await office.fail("k1", "k2", "k3")
        visitor = await (await visit(f"/console#{language}")).sign_in()
        await send_again(visitor, group_of(visitor, office))
        rerun = rerun_of(visitor, office)
        await expect(rerun).to_contain_text(SUCCEEDED[language].format(n=3))
        await expect(rerun.locator("progress")).to_have_js_property("value", 3)
        await visitor.sees("#toast", SUCCEEDED[language].format(n=3))
        assert office.keys_heard() == ["k1", "k2", "k3"]
        assert office.ministry.effects == {"k1": 1, "k2": 1, "k3": 1}
        assert await office.reruns() == [("done", ["succeeded"] * 3)]
        assert await office.kept() == []
        await expect(group_of(visitor, office).locator("td.number")).to_have_text(["3", "0", "3"])

    async def test_sends_one_call_and_leaves_the_others(self, visit: Visits, office: Office) -> None:
        await office.fail("k1", "k2", "k3")
        visitor = await (await visit()).sign_in()
        await group_of(visitor, office).locator("[data-open]").click()
        await send_again(visitor, visitor.find("#failures .below-row tbody tr", text=f"{office.code}-k2"))
        await expect(rerun_of(visitor, office)).to_contain_text("đã gửi 1 trên 1")
        await expect(visitor.find("#failures .below-row tbody tr", text=f"{office.code}-k2")).to_have_count(0)
        assert office.keys_heard() == ["k2"]
        assert await office.kept() == ["k1", "k3"]

    async def test_sends_no_more_than_the_dry_run_showed(self, visit: Visits, office: Office) -> None:
        """A call that fails while somebody still reads the dry run was not agreed to."""
        await office.fail("k1")
        visitor = await (await visit()).sign_in()
        await group_of(visitor, office).locator("[data-offer^=rerun]").click()
        await visitor.sees("#ask", DRY_RUN["vi"].format(n=1, m=1))
        await office.fail("k1", "k2")
        await visitor.page.fill("#ask-reason", "Bộ đã sửa xong")
        await visitor.page.click("#ask-go")
        await expect(rerun_of(visitor, office)).to_contain_text("1 thành công")
        assert office.keys_heard() == ["k1"]
        assert await office.kept() == ["k2"]

    async def test_tells_what_came_of_each_call(self, visit: Visits, office: Office) -> None:
        await office.fail("k1", "k2", "k3")
        visitor = await (await visit()).sign_in()
        office.ministry.script = [Response(status_code=code) for code in (201, 422, 500)]
        await send_again(visitor, group_of(visitor, office))
        await expect(rerun_of(visitor, office)).to_contain_text("Đã xong")
        await rerun_of(visitor, office).locator("[data-open]").click()
        rows = visitor.find("#reruns .below-row tbody tr")
        said = [("k1", "Thành công", "201"), ("k2", "Bị từ chối", "422"), ("k3", "Lại hỏng", "500")]
        pattern = "{1}.*{2}.*{0}.*khóa ban đầu"
        await expect(rows).to_have_text([re.compile(pattern.format(*one), re.DOTALL) for one in said])
        assert await office.reruns() == [("done", ["succeeded", "refused", "failed"])]

    async def test_is_ordered_once_however_often_it_is_pressed(self, visit: Visits, office: Office) -> None:
        """The answer to the order was lost: the same press again finds the order that was taken."""
        await office.fail("k1", "k2")
        visitor = await (await visit()).sign_in()
        keys: list[str] = []

        async def lose(route: Route, request: Request) -> None:
            if not is_order(request):
                await route.continue_()
                return
            keys.append(request.headers["idempotency-key"])
            await route.fetch()
            await route.abort()

        await visitor.page.route(f"**{AT}/reruns", lose)
        await group_of(visitor, office).locator("[data-offer^=rerun]").click()
        await expect(visitor.find("#ask .dry-run")).to_be_visible()
        await visitor.page.fill("#ask-reason", "Bộ đã sửa xong")
        await visitor.page.click("#ask-go")
        await visitor.sees("#ask-complaint", "Bấm lại là an toàn")
        await visitor.page.unroute(f"**{AT}/reruns")
        async with visitor.page.expect_request(
            lambda one: one.method == "POST" and one.url.endswith("/reruns")
        ) as again:
            await visitor.page.click("#ask-go")
        assert keys == [(await again.value).headers["idempotency-key"]]
        await expect(rerun_of(visitor, office)).to_contain_text("2 thành công")
        assert await office.reruns() == [("done", ["succeeded"] * 2)]


class TestSteering:
    async def test_pauses_goes_on_and_stops(self, visit: Visits, office: Office) -> None:
        keys = [f"k{n}" for n in range(30)]
        await office.fail(*keys)
        visitor = await (await visit()).sign_in()
        await send_again(visitor, group_of(visitor, office), rate=1)
        rerun = rerun_of(visitor, office)
        for move, seen, stage in (("pause", "Tạm dừng", "paused"), ("resume", "Đang gửi", "running")):
            await rerun.locator(f"[data-steer={move}]").click()
            await expect(rerun.locator(".chip").first).to_have_text(seen)
            assert (await office.reruns())[0][0] == stage
        await rerun.locator("[data-offer^=stop]").click()
        await visitor.sees("#ask-about", "vẫn được giữ")
        await visitor.page.click("#ask-go")
        await expect(rerun.locator(".chip").first).to_have_text("Đã dừng hẳn")
        await expect(rerun).to_contain_text("chưa gửi")
        await expect(rerun.locator("[data-steer], [data-offer]")).to_have_count(0)

        async def sent_is_noted() -> bool:
            outcomes = (await office.reruns())[0][1]
            return outcomes.count("succeeded") == len(office.keys_heard())

        await eventually(sent_is_noted)
        ((stage, outcomes),) = await office.reruns()
        assert stage == "stopped"
        assert None in outcomes
        assert sorted(await office.kept()) == sorted(set(keys) - set(office.keys_heard()))
