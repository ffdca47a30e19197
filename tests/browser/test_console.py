"""The console in a real browser: signing in, what is shown, lost contact, languages, narrow screens."""

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Visits
from tests.browser.house import SECRET, House
from tests.browser.others import HOOKS, Office, Subscriber
from tests.browser.story import Story

SPOIL_TOKEN = """
const kept = JSON.parse(sessionStorage["motcua.console.session"]);
sessionStorage["motcua.console.session"] = JSON.stringify({ ...kept, token: "expired" });
"""


class TestSignIn:
    async def test_refuses_a_wrong_secret(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in(secret="guessed")
        await visitor.sees("#login-complaint", "không đúng")
        await expect(visitor.find("#desk")).to_be_hidden()

    async def test_says_which_right_is_missing(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in("one-stop")
        await visitor.sees("#login-complaint", "không có quyền ops:read")

    async def test_lets_a_looker_look_and_not_act(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in("looker")
        await visitor.sees("#only-look", "cần quyền ops:act")
        await visitor.sees("#services tbody tr", "workflow")
        await expect(visitor.find("[data-offer]")).to_have_count(0)

    async def test_stores_the_token_for_the_tab_and_the_secret_nowhere(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in()
        await visitor.sees("#services tbody tr", "workflow")
        kept = await visitor.page.evaluate("[JSON.stringify(sessionStorage), JSON.stringify(localStorage)]")
        assert "token" in kept[0]
        assert "token" not in kept[1]
        assert SECRET not in "".join(kept)
        await visitor.page.click("#sign-out")
        assert await visitor.page.evaluate("sessionStorage.length") == 0

    async def test_asks_again_when_the_token_has_expired_after_a_reload(self, visit: Visits) -> None:
        """The secret was in the page's memory only."""
        visitor = await (await visit()).sign_in()
        await visitor.sees("#contact-state", "Trực tiếp")
        await visitor.page.evaluate(SPOIL_TOKEN)
        await visitor.page.reload()
        await visitor.sees("#login-complaint", "Phiên làm việc đã hết hạn")
        await visitor.sign_in()
        await visitor.sees("#contact-state", "Trực tiếp")

    async def test_renews_an_expired_token_while_the_tab_stays_open(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in()
        await visitor.sees("#contact-state", "Trực tiếp")

        async def spoil(route: Route) -> None:
            await route.continue_(headers={**route.request.headers, "authorization": "Bearer expired"})

        await visitor.page.route("**/ops/overview", spoil, times=1)
        async with visitor.page.expect_response("**/oauth/token") as renewed:
            await visitor.sees("#contact-state", "Trực tiếp")
        assert (await renewed.value).ok
        await expect(visitor.find("#login")).to_be_hidden()


class TestOverview:
    async def test_shows_every_service_and_queue(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in()
        rows = visitor.find("#services tbody tr")
        await expect(rows).to_have_count(5)
        await expect(rows.filter(has_text="workflow")).to_contain_text("Sẵn sàng")
        await expect(rows.filter(has_text="intake")).to_contain_text("Không liên lạc được")
        await visitor.sees("#queues tbody tr", "workflow.events.0")
        await expect(visitor.find("#summary .tile")).to_have_count(7)
        await visitor.sees("#portal", "Thông")

    async def test_speaks_english_and_remembers_it(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in()
        await visitor.page.click("[data-language=en]")
        await visitor.sees("#services-title", "Services")
        await expect(visitor.find("html")).to_have_attribute("lang", "en")
        await visitor.page.reload()
        await visitor.sees("#services tbody tr", "Cannot be reached")

    async def test_follows_the_language_of_the_address(self, visit: Visits) -> None:
        visitor = await visit("/console#en")
        await visitor.sees("h1", "Sign in to operate")

    async def test_leads_from_the_root_to_itself(self, visit: Visits, house: House) -> None:
        visitor = await visit("/")
        assert visitor.page.url == f"{house.url}/console"
        await visitor.sees("h1", "Đăng nhập")


class TestContact:
    async def test_says_when_it_is_lost_and_comes_back_by_itself(self, visit: Visits, house: House) -> None:
        visitor = await (await visit()).sign_in()
        await visitor.sees("#contact-state", "Trực tiếp")
        house.gateway.stop()
        try:
            await visitor.sees("#lost", "Số liệu bên dưới là số liệu cũ")
            await visitor.sees("#contact-age", "giây trước")
            await expect(visitor.find("#services tbody tr")).to_have_count(5)
        finally:
            house.gateway.start()
        await expect(visitor.find("#lost")).to_be_hidden()
        await visitor.sees("#contact-state", "Trực tiếp")

    async def test_rests_while_nobody_looks(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in()
        await visitor.sees("#contact-state", "Trực tiếp")
        asked: list[str] = []
        visitor.page.on("request", lambda request: asked.append(request.url))
        hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
        await visitor.page.evaluate(hide % "true")
        await visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await visitor.sees("#contact-state", "Tạm dừng")
        asked.clear()
        await visitor.page.wait_for_timeout(4_500)
        assert asked == []
        await visitor.page.evaluate(hide % "false")
        await visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await visitor.sees("#contact-state", "Trực tiếp")

    async def test_sends_nothing_again_that_has_not_changed(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in()
        async with visitor.page.expect_response(lambda answer: answer.status == 304):
            await visitor.sees("#contact-state", "Trực tiếp")


CONTRAST = """
() => {
  const read = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const parts = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map(Number);
    probe.remove();
    const [r, g, b] = parts.map((one) => (one /= 255) <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [read(a), read(b)];
    return (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
  };
  const pairs = [["--on-accent", "--accent"], ["--accent", "--accent-wash"]];
  for (const ground of ["--paper", "--card"]) {
    for (const ink of ["--ink", "--soft", "--accent", "--ok", "--warn", "--bad"]) pairs.push([ink, ground]);
  }
  for (const state of ["ok", "warn", "bad"]) pairs.push([`--${state}`, `--${state}-wash`]);
  return pairs.map(([a, b]) => [`${a} on ${b}`, ratio(a, b)]);
}
"""


TOO_WIDE = """
() => [...document.querySelectorAll(".card *, .tile *")].filter((one) => {
  if (one.closest(".quiet, svg") || getComputedStyle(one.closest("thead") ?? one).position === "absolute") return false;
  const [own, around] = [one.getBoundingClientRect(), one.closest(".card, .tile").getBoundingClientRect()];
  return own.width > 0 && (own.left < around.left - 0.5 || own.right > around.right + 0.5);
}).map((one) => `${one.closest("section")?.id} ${one.tagName} ${one.textContent.slice(0, 30)}`)
"""


class TestLooks:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    async def test_keeps_text_readable(self, visit: Visits, scheme: str) -> None:
        """Text needs a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3)."""
        visitor = await visit(scheme=scheme)
        pairs = dict(await visitor.page.evaluate(CONTRAST))
        assert {pair: ratio for pair, ratio in pairs.items() if ratio < 4.5} == {}

    @pytest.mark.parametrize("language", ["vi", "en"])
    async def test_fits_screens_of_any_width_with_everything_open(
        self, visit: Visits, house: House, office: Office, subscriber: Subscriber, language: str
    ) -> None:
        """Neither is the page wider than the screen, nor anything than the card it stands in."""
        await office.fail("k1")
        one = await subscriber.subscribe("/mot-duong-dan-that-dai/den-mot-he-thong", description="Bản đồ số của tỉnh")
        await house.ask("ops", "POST", f"{HOOKS}/{one}/test")
        await subscriber.settled(one, ("delivered", 1))
        await house.tell([Story().event("payment.fee.paid.v1", {"nothing": "of use"})])
        visitor = await (await visit(f"/console#{language}")).sign_in()
        await visitor.find("#failures [data-open]").click()
        await visitor.find("#webhooks [data-open]").click()
        for part in ("waiting", "queues", "failures .below-row", "webhooks .below-row"):
            await expect(visitor.find(f"#{part}").first).to_be_visible()
        for width in (320, 360, 390, 768, 1152, 1280, 1440, 1600):
            await visitor.page.set_viewport_size({"width": width, "height": 900})
            assert await visitor.page.evaluate("document.scrollingElement.scrollWidth") <= width
            assert await visitor.page.evaluate(TOO_WIDE) == [], width

    async def test_is_built_for_those_who_listen_and_those_who_type(self, visit: Visits) -> None:
        visitor = await (await visit()).sign_in()
        await visitor.sees("#services tbody tr", "workflow")
        unnamed = "[...document.querySelectorAll('th:not([scope]), table:not([aria-label]), input:not([id])')].length"
        assert await visitor.page.evaluate(unnamed) == 0
        await visitor.page.keyboard.press("Tab")
        focused = await visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert focused == "solid"
