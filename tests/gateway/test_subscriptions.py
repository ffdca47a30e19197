"""/subscriptions: who may subscribe what to which address, and sees which."""

from typing import Any

import pytest

from gateway.errors import DeliveryUnknown, InvalidCursor, SubscriptionsFull, SubscriptionUnknown
from gateway.operations.subscribing import SUBSCRIPTIONS_MAX
from shared.errors import Forbidden, InvalidRequest
from shared.ids import new_id
from shared.outgoing import AddressRefused
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, rejected
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem

PATH = "/api/v1/subscriptions"
PUBLIC = "https://8.8.8.8/hook"


async def subscribed(visitor: Visitor, *, who: str = "hooks", url: str = PUBLIC, **body: Any) -> dict[str, Any]:
    """Return a new subscription."""
    answer = await visitor.post(PATH, who=who, json={"url": url, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(visitor: Visitor, one: dict[str, Any], action: str = "", method: str = "POST", **more: Any) -> Any:
    """Do something with a subscription."""
    more.setdefault("who", "hooks")
    return await visitor.send(method, f"{PATH}/{one['id']}{action}", **more)


class TestSubscribe:
    """Making a subscription."""

    async def test_tells_the_secret_once(self, visitor: Visitor, house: Hall) -> None:
        sent = {"json": {"url": PUBLIC, "event_types": ["intake.*"], "description": "Sở Xây dựng"}, "key": "once"}
        first = await visitor.post(PATH, who="hooks", **sent)
        again = await visitor.post(PATH, who="hooks", **sent)
        assert first.json()["secret"].startswith("whsec_")
        assert again.json() == {**first.json(), "secret": None}
        shown = await change(visitor, first.json(), method="GET")
        assert "secret" not in shown.json()
        secret = first.json()["secret"].encode()
        for table in ("subscription", "idempotency_key"):
            rows = await house.rows(f"SELECT * FROM {table}")
            assert not any(secret in bytes(value) for row in rows for value in row.values() if isinstance(value, bytes))

    @pytest.mark.parametrize(
        "url",
        [
            "https://10.0.0.1/",
            "https://localhost/",
            "http://[::ffff:127.0.0.1]/",
            "https://u:p@example.vn/",
            "ftp://a.vn",
        ],
    )
    async def test_refuses_an_address_inside(self, visitor: Visitor, url: str) -> None:
        answer = await visitor.post(PATH, who="hooks", json={"url": url})
        assert_problem(answer, AddressRefused)
        assert answer.json()["errors"][0]["field"] == "url"
        one = await subscribed(visitor)
        assert_problem(await change(visitor, one, method="PATCH", json={"url": url}), AddressRefused)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"event_types": ["intake.dossier.*", "intake.unknown.v1"]}, "body.event_types.1"),
            ({"event_types": []}, "body.event_types"),
            ({"event_types": ["intake.procedure.published.v1"]}, "body.event_types.0"),
            ({"secret": "whsec_mine"}, "body.secret"),
            ({"agency": "H32%"}, "body.agency"),
        ],
    )
    async def test_names_what_is_wrong(self, visitor: Visitor, body: dict[str, Any], field: str) -> None:
        answer = await visitor.post(PATH, who="hooks", json={"url": PUBLIC, **body})
        assert_problem(answer, InvalidRequest)
        assert [one["field"] for one in answer.json()["errors"]] == [field]

    async def test_has_a_limit(self, visitor: Visitor, house: Hall) -> None:
        await subscribed(visitor)
        await house.rows(
            "INSERT INTO subscription (id, client_id, agency, inherited, url, description, event_types, secret, "
            "enabled, position, created_at, changed_at) SELECT gen_random_uuid(), client_id, agency, inherited, url, "
            "'', '{*}', secret, false, 0, now(), now() FROM subscription, generate_series(2, :most)",
            most=SUBSCRIPTIONS_MAX,
        )
        assert_problem(await visitor.post(PATH, who="hooks", json={"url": PUBLIC}), SubscriptionsFull)

    async def test_may_begin_at_a_place_in_the_feed(self, visitor: Visitor, house: Hall) -> None:
        await house.take(rejected(Life()).events)
        snapshot = (await visitor.get("/api/v1/sync/snapshot", who="hooks")).json()
        one = await subscribed(visitor, cursor=snapshot["changes_cursor"], event_types=["payment.*"])
        assert one["cursor"] == (await subscribed(visitor))["cursor"]
        assert_problem(await visitor.post(PATH, who="hooks", json={"url": PUBLIC, "cursor": "x"}), InvalidCursor)


class TestRights:
    """Who may do what, with whose subscriptions."""

    async def test_another_agency_knows_of_none(self, visitor: Visitor) -> None:
        one = await subscribed(visitor)
        unknown = {"id": str(new_id())}
        for found, who in ((one, "hooks-h33"), (one, "hooks-h32.14"), (unknown, "hooks")):
            calls = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/disable"), ("POST", "/test")]
            calls += [("GET", "/deliveries"), ("GET", f"/deliveries/{new_id()}")]
            for method, action in calls:
                body = {"json": {}} if method == "PATCH" else {}
                answer = await change(visitor, found, action, method, who=who, **body)
                assert_problem(answer, SubscriptionUnknown)
            for action in ("/enable", "/rotate-secret", "/resend"):
                assert_problem(await change(visitor, found, action, who=who, json={}), SubscriptionUnknown)
        assert (await visitor.get(PATH, who="hooks-h33")).json()["items"] == []

    async def test_the_agency_above_sees_it(self, visitor: Visitor) -> None:
        one = await subscribed(visitor, who="hooks-h32.14")
        assert [found["id"] for found in (await visitor.get(PATH, who="hooks")).json()["items"]] == [one["id"]]

    async def test_reading_is_not_writing(self, visitor: Visitor) -> None:
        one = await subscribed(visitor)
        assert (await visitor.get(f"{PATH}/{one['id']}", who="hooks-reader")).status_code == 200
        assert_problem(await change(visitor, one, "/disable", who="hooks-reader"), Forbidden)
        assert_problem(await visitor.post(PATH, who="hooks-reader", json={"url": PUBLIC}), Forbidden)
        assert_problem(await visitor.get(PATH, who="statistics"), Forbidden)


class TestChange:
    """Changing a subscription."""

    async def test_leaves_what_is_not_named(self, visitor: Visitor) -> None:
        one = await subscribed(visitor, agency="H32.14", procedure="1.004222", description="a")
        changed = (await change(visitor, one, method="PATCH", json={"agency": None, "event_types": ["*.v1"]})).json()
        expected = {"only_agency": None, "only_procedure": "1.004222", "description": "a", "event_types": ["*.v1"]}
        assert {name: changed[name] for name in expected} == expected
        assert changed["url"] == PUBLIC

    async def test_ends_it(self, visitor: Visitor, house: Hall) -> None:
        one = await subscribed(visitor)
        assert (await change(visitor, one, method="DELETE")).status_code == 204
        assert_problem(await change(visitor, one, method="GET"), SubscriptionUnknown)
        assert await house.count("subscription") == 0

    async def test_pages_lead_through_all(self, visitor: Visitor) -> None:
        made = [(await subscribed(visitor))["id"] for _ in range(5)]
        seen, cursor = [], None
        while True:
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await visitor.get(PATH, who="hooks", params=query)).json()
            seen += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == made

    async def test_of_a_message_that_is_none_is_refused(self, visitor: Visitor) -> None:
        one = await subscribed(visitor)
        assert_problem(await change(visitor, one, f"/deliveries/{new_id()}/resend"), DeliveryUnknown)
        assert_problem(await change(visitor, one, "/deliveries?cursor=x", "GET"), InvalidCursor)
