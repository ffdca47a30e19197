"""Webhooks on the page: their state and why, what became of messages, and what a person does about it."""

from datetime import timedelta

import pytest
from playwright.async_api import Locator, expect
from starlette.responses import Response

from gateway.operations.subscribing import TEST_EVENT
from shared import clock
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.others import SECRET_QUERY, Subscriber
from tests.browser.story import Story
from tests.browser.visitor import Visitor
from tests.gateway.receiver import Told, takes

STATUSES = {"/gone": 410, "/ill": 500}


async def by_path(told: Told) -> Response:
    """Answer as the address says."""
    return Response(status_code=STATUSES.get(told.path, 204))


def row_of(visitor: Visitor, path: str) -> Locator:
    """Return the row of the subscription to an address."""
    return visitor.find("#webhooks .body > table > tbody > tr:not(.below-row)", text=path)


def messages(visitor: Visitor) -> Locator:
    """Return the messages that are open."""
    return visitor.find("#webhooks .below-row tbody tr")


async def confirm(visitor: Visitor, button: Locator, *choices: str) -> None:
    """Press a button, choose, and confirm."""
    await button.click()
    for choice in choices:
        await visitor.page.check(choice)
    await visitor.page.click("#ask-go")
    await expect(visitor.find("#ask")).not_to_be_visible()


class TestSubscriptions:
    @pytest.mark.parametrize(
        ("language", "active", "failing", "why"),
        [("vi", "Đang gửi", "Đang hỏng", "bên nhận trả lời 410"), ("en", "Active", "Failing", "answered 410")],
    )
    async def test_show_their_state_since_when_and_why(
        self, visit: Visits, house: House, subscriber: Subscriber, language: str, active: str, failing: str, why: str
    ) -> None:
        subscriber.receiver.answer = by_path
        fine, gone, ill = [await subscriber.subscribe(path) for path in ("/fine", "/gone", "/ill")]
        await house.tell(Story().accepted())
        await subscriber.settled(fine, ("delivered", 1), ("delivered", 1))
        visitor = await (await visit(f"/console#{language}")).sign_in()
        await expect(row_of(visitor, "/fine")).to_contain_text(active)
        await expect(row_of(visitor, "/ill")).to_contain_text(failing)
        await expect(row_of(visitor, "/gone")).to_contain_text(why)
        row = await subscriber.row(gone)
        assert (row["enabled"], row["disabled_because"]) == (False, "gone")
        told = row_of(visitor, "/gone").locator("time").first
        shown = await told.get_attribute("datetime")
        assert shown is not None
        assert clock.now().fromisoformat(shown) == row["disabled_at"]
        assert (await subscriber.row(ill))["failing_since"] is not None
        await visitor.sees("#summary .tile.bad", "Webhook")

    async def test_never_show_a_secret(self, visit: Visits, subscriber: Subscriber) -> None:
        await subscriber.subscribe("/kin", description="Bản đồ số")
        visitor = await (await visit()).sign_in()
        await expect(row_of(visitor, "/kin")).to_contain_text("Bản đồ số")
        shown = await visitor.page.content()
        assert [word for word in (SECRET_QUERY, "whsec_", *subscriber.secrets) if word in shown] == []

    async def test_are_hidden_or_only_shown_as_the_rights_are(self, visit: Visits, subscriber: Subscriber) -> None:
        await subscriber.subscribe("/fine")
        visitor = await (await visit()).sign_in("ops-second")
        await visitor.sees("#services tbody tr", "workflow")
        await expect(visitor.find("#webhooks")).to_be_hidden()
        watcher = await (await visit()).sign_in("watcher")
        await expect(row_of(watcher, "/fine")).to_contain_text("Đang gửi")
        await watcher.sees("#webhooks", "cần quyền webhooks:write")
        await row_of(watcher, "/fine").locator("[data-open]").click()
        await watcher.sees("#webhooks .below-row", "Không có thông điệp nào")
        await expect(watcher.find("#webhooks [data-offer]")).to_have_count(0)


class TestEnabling:
    async def test_goes_on_where_it_stopped(self, visit: Visits, house: House, subscriber: Subscriber) -> None:
        one = await subscriber.subscribe("/fine")
        visitor = await (await visit()).sign_in()
        await confirm(visitor, row_of(visitor, "/fine").locator("[data-offer^=disable]"))
        await expect(row_of(visitor, "/fine")).to_contain_text("theo yêu cầu")
        assert (await subscriber.row(one))["disabled_because"] == "asked"
        story = Story()
        await house.tell(story.accepted())
        await visitor.page.fill("#code", story.code)
        await visitor.page.press("#code", "Enter")
        await visitor.sees("#dossier .line li.bus", "Tiếp nhận hồ sơ")
        await visitor.page.click("#dossier-close")
        assert subscriber.receiver.told == []
        await confirm(visitor, row_of(visitor, "/fine").locator("[data-offer^=enable]"))
        await expect(row_of(visitor, "/fine")).to_contain_text("Đang gửi")
        told = await subscriber.receiver.count(2)
        assert {message.data["dossier_code"] for message in told} == {story.code}

    async def test_from_now_on_skips_what_is_owed(self, visit: Visits, house: House, subscriber: Subscriber) -> None:
        subscriber.receiver.answer = by_path
        one = await subscriber.subscribe("/gone")
        await house.tell(Story().accepted()[:1])
        await subscriber.settled(one, (None, 1))
        visitor = await (await visit("/console#en")).sign_in()
        await expect(row_of(visitor, "/gone")).to_contain_text("Disabled")
        await confirm(visitor, row_of(visitor, "/gone").locator("[data-offer^=enable]"), "#ask-from_now")
        await expect(row_of(visitor, "/gone")).to_contain_text("Active")
        assert await subscriber.messages(one) == [("skipped", 1)]
        assert len(subscriber.receiver.told) == 1


class TestMessages:
    async def test_to_try_out_are_sent_and_their_outcome_shown(self, visit: Visits, subscriber: Subscriber) -> None:
        one = await subscriber.subscribe("/fine")
        visitor = await (await visit()).sign_in()
        await row_of(visitor, "/fine").locator("[data-open]").click()
        await confirm(visitor, row_of(visitor, "/fine").locator("[data-offer^=test]"))
        await visitor.sees("#toast", "gửi thử")
        row = messages(visitor)
        await expect(row).to_contain_text("Thông điệp thử")
        await expect(row).to_contain_text("Đã nhận")
        await expect(row).to_contain_text("HTTP 204")
        assert [told.type for told in subscriber.receiver.told] == [TEST_EVENT]
        assert await subscriber.messages(one) == [("delivered", 1)]

    async def test_that_were_given_up_are_found_and_sent_again_under_their_id(
        self, visit: Visits, house: House, subscriber: Subscriber
    ) -> None:
        subscriber.receiver.answer = by_path
        one = await subscriber.subscribe("/ill")
        story = Story()
        await house.tell(story.accepted()[:1])
        await subscriber.settled(one, ("failed", 2))
        visitor = await (await visit()).sign_in()
        await row_of(visitor, "/ill").locator("[data-open]").click()
        await expect(messages(visitor)).to_contain_text("HTTP 500")
        await visitor.page.select_option("#deliveries-filter", "delivered")
        await visitor.sees("#webhooks .below-row", "Không có thông điệp nào")
        await visitor.page.select_option("#deliveries-filter", "failed")
        await expect(messages(visitor)).to_contain_text(story.code)
        subscriber.receiver.answer = takes
        await confirm(visitor, messages(visitor).locator("[data-offer^=resend]"))
        await subscriber.settled(one, ("delivered", 3))
        await visitor.page.select_option("#deliveries-filter", "")
        await expect(messages(visitor)).to_contain_text("Đã nhận")
        assert len({told.id for told in subscriber.receiver.told}) == 1

    async def test_of_a_span_are_sent_again_and_no_others(
        self, visit: Visits, house: House, subscriber: Subscriber
    ) -> None:
        """The times that people type are Vietnam's, wherever the browser is."""
        one = await subscriber.subscribe("/fine")
        old, new = Story(), Story()
        await house.tell([old.accepted()[0], new.accepted()[0]])
        await subscriber.settled(one, ("delivered", 1), ("delivered", 1))
        made = await subscriber.hall.rows("SELECT dossier_code, nth FROM delivery WHERE subscription_id = :id", id=one)
        nth = {row["dossier_code"]: row["nth"] for row in made}
        await subscriber.hall.rows(
            "UPDATE delivery SET created_at = created_at - interval '3 hours' WHERE nth = :nth", nth=nth[old.code]
        )
        visitor = await (await visit()).sign_in()
        await row_of(visitor, "/fine").locator("[data-offer^=resend]").click()
        since = clock.now().astimezone(clock.VN) - timedelta(hours=2)
        await visitor.page.fill("#ask-since", since.strftime("%Y-%m-%dT%H:%M:%S"))
        await visitor.page.select_option("#ask-outcome", "delivered")
        await visitor.page.click("#ask-go")
        await visitor.sees("#toast", "1 thông điệp đang được gửi lại")
        told = await subscriber.receiver.wait_for(lambda told: len(told) == 3)
        assert told[-1].data["dossier_code"] == new.code
        assert len({message.id for message in told}) == 2
