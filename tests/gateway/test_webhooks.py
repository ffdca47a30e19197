"""Webhooks on their way: verified by others' libraries, in order, at least once, whatever receivers do."""

import asyncio
import json
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.responses import Response

from tests.gateway.hall import Hall
from tests.gateway.lives import Life, rejected, retracted, returned
from tests.gateway.receiver import Receiver, Told, receiving, takes
from tests.gateway.test_subscriptions import change, subscribed
from tests.gateway.visitor import Visitor
from tests.support.npm import installed

PATIENCE_S = 25


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


def verifies(told: Told, secret: str) -> bool:
    """Tell whether the specification's Python library takes a message."""
    try:
        Webhook(secret).verify(told.body, told.headers)
    except WebhookVerificationError:
        return False
    return True


async def settled(visitor: Visitor, one: dict[str, Any], **expected: Any) -> dict[str, Any]:
    """Return a subscription as soon as it shows what is expected."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = (await change(visitor, one, method="GET")).json()
            if {name: found[name] for name in expected} == expected:
                return found
            await asyncio.sleep(0.02)


async def deliveries(visitor: Visitor, one: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    """Return a subscription's messages, the first one first."""
    return (await change(visitor, one, "/deliveries", "GET", params=query)).json()["items"][::-1]


class TestMessage:
    """What a receiver is told."""

    async def test_is_what_the_feed_shows_and_nothing_personal(
        self, visitor: Visitor, house: Hall, receiver: Receiver
    ) -> None:
        await subscribed(visitor, url=receiver.url)
        life = returned(Life())
        await house.take(life.events)
        told = await receiver.count(len(life.events))
        feed = (await visitor.get("/api/v1/sync/changes", who="hooks")).json()["items"]
        assert [
            (one.type, one.data["dossier_code"], one.data["portal_status"], one.data["detail"]) for one in told
        ] == [(item["event_type"], item["dossier_code"], item["portal_status"], item["detail"]) for item in feed]
        for one in told:
            assert not any(word in one.body.decode() for word in ("Bí Mật", "056090000001", "0912345678", "example.vn"))
        after = await visitor.get("/api/v1/sync/changes", who="hooks", params={"cursor": told[-2].data["cursor"]})
        assert len(after.json()["items"]) == 1

    async def test_says_that_a_dossier_was_struck_off(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        await subscribed(visitor, url=receiver.url)
        await house.take(retracted(Life()).events)
        assert [one.data["deleted"] for one in await receiver.count(2)] == [False, True]

    async def test_comes_only_when_it_was_wanted(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        wishes: dict[str, dict[str, Any]] = {
            "/all": {},
            "/refusals": {"event_types": ["intake.dossier.reject*"]},
            "/agency": {"agency": "H32.14.21"},
            "/procedure": {"procedure": "1.000000"},
            "/h32.14": {"who": "hooks-h32.14"},
            "/h33": {"who": "hooks-h33"},
        }
        for path, wish in wishes.items():
            await subscribed(visitor, url=receiver.url + path, **wish)
        for agency in ("H32.14", "H32.14.21", "H32.140", "H33"):
            await house.take(rejected(Life(f"{agency}-260407-0001", agency)).events)
        await receiver.count(17)
        got: dict[str, list[str]] = defaultdict(list)
        for one in receiver.told:
            got[one.path].append(one.data["agency_code"])
        assert {path: sorted(set(codes)) for path, codes in got.items()} == {
            "/all": ["H32.14", "H32.14.21", "H32.140"],
            "/refusals": ["H32.14", "H32.14.21", "H32.140"],
            "/agency": ["H32.14.21"],
            "/h32.14": ["H32.14", "H32.14.21"],
            "/h33": ["H33"],
        }
        assert len(got["/refusals"]) == 3

    async def test_to_try_out_can_be_asked_for(self, visitor: Visitor, receiver: Receiver) -> None:
        one = await subscribed(visitor, url=receiver.url)
        asked = (await change(visitor, one, "/test")).json()
        (told,) = await receiver.count(1)
        assert (told.id, told.type) == (asked["id"], "motcua.webhook.test.v1")
        assert verifies(told, one["secret"])


class TestSignature:
    """Verified by the specification's own libraries."""

    async def test_is_taken_by_both_libraries_before_during_and_after_a_rotation(
        self, visitor: Visitor, house: Hall, receiver: Receiver
    ) -> None:
        one = await subscribed(visitor, url=receiver.url)
        await house.take(returned(Life()).events)
        before = list(await receiver.count(9))[:8]
        new = (await change(visitor, one, "/rotate-secret", json={"overlap_s": 3600})).json()["secret"]
        await house.take(returned(Life("H32.14-260407-0002")).events)
        during = (await receiver.count(18))[10:]
        await change(visitor, one, "/rotate-secret", json={"overlap_s": 0})
        newest = (await change(visitor, one, "/rotate-secret", json={"overlap_s": 0})).json()["secret"]
        await house.take(returned(Life("H32.14-260407-0003")).events)
        after = (await receiver.count(27))[19:]
        cases = [(told, one["secret"], True) for told in [*before, *during]]
        cases += [(told, new, True) for told in during] + [(told, newest, True) for told in after]
        cases += [(told, secret, False) for told in after for secret in (one["secret"], new)]
        cases += [(told, new, False) for told in before]
        assert before
        assert during
        assert after
        assert [verifies(told, secret) for told, secret, _ in cases] == [expected for *_, expected in cases]
        assert by_npm([(told.headers, told.body.decode(), secret) for told, secret, _ in cases]) == [
            expected for *_, expected in cases
        ]

    async def test_of_a_message_that_was_touched_is_refused(self, visitor: Visitor, receiver: Receiver) -> None:
        one = await subscribed(visitor, url=receiver.url)
        await change(visitor, one, "/test")
        (told,) = await receiver.count(1)
        later = str(int(told.headers["webhook-timestamp"]) + 1)
        touched = [
            Told(told.path, told.headers, told.body + b" "),
            Told(told.path, {**told.headers, "webhook-id": "other"}, told.body),
            Told(told.path, {**told.headers, "webhook-timestamp": later}, told.body),
            Told(told.path, {**told.headers, "webhook-signature": "v1,AAAA"}, told.body),
        ]
        assert [verifies(each, one["secret"]) for each in touched] == [False] * 4
        asked = [(each.headers, each.body.decode(), one["secret"]) for each in [told, *touched]]
        assert by_npm(asked) == [True, False, False, False, False]


def by_npm(cases: list[tuple[dict[str, str], str, str]]) -> list[bool]:
    """Tell of each message whether the specification's JavaScript library takes it."""
    folder = installed(Path(__file__).parent / "npm")
    lines = "\n".join(json.dumps({"headers": heads, "body": body, "secret": secret}) for heads, body, secret in cases)
    done = subprocess.run(
        ["node", "verify.mjs"], cwd=folder, input=lines, capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


class TestOrder:
    """Of one dossier, to one receiver."""

    async def test_is_kept_while_others_go_on(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        """The first message of one dossier fails three times; what comes after it waits, other dossiers do not."""
        failures = 3
        slow = "H32.14-260407-0001"

        async def fails_at_first(told: Told) -> Response:
            seen = [one for one in receiver.told if one.id == told.id]
            bad = told.data["dossier_code"] == slow and told.data["version"] == 1 and len(seen) <= failures
            return Response(status_code=500 if bad else 200)

        receiver.answer = fails_at_first
        one = await subscribed(visitor, url=receiver.url)
        lives = [rejected(Life(f"H32.14-260407-{nth:04}")) for nth in range(1, 6)]
        await house.take([event for life in lives for event in life.events])
        await receiver.count(10)
        await settled(visitor, one, owed_messages=0)
        mine = [told for told in receiver.told if told.data["dossier_code"] == slow]
        assert [told.data["version"] for told in mine] == [1] * (failures + 1) + [2]
        assert len({told.id for told in mine}) == 2
        first = next(item for item in await deliveries(visitor, one) if item["dossier_code"] == slow)
        assert [attempt["http_status"] for attempt in first["attempts"]] == [500] * failures + [200]
        others = [place for place, told in enumerate(receiver.told) if told.data["dossier_code"] != slow]
        assert max(others) < receiver.told.index(mine[-1])

    async def test_is_kept_when_many_are_told_at_once(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        await subscribed(visitor, url=receiver.url)
        lives = [returned(Life(f"H32.14-260407-{nth:04}")) for nth in range(1, 16)]
        for nth in range(9):
            await house.take([life.events[nth] for life in lives])
        await receiver.count(135)
        told: dict[str, list[str]] = defaultdict(list)
        for one in receiver.told:
            told[one.data["dossier_code"]].append(one.type)
        assert dict(told) == {life.code: [event.type for event in life.events] for life in lives}


class TestReceiver:
    """That does not take what it is told."""

    async def test_holds_up_nobody_else(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        hold = asyncio.Event()

        async def hangs(told: Told) -> Response:
            if told.path == "/hangs":
                await hold.wait()
            return await takes(told)

        receiver.answer = hangs
        for path in ("/hangs", "/takes"):
            await subscribed(visitor, url=receiver.url + path)
        lives = [rejected(Life(f"H32.14-260407-{nth:04}")) for nth in range(1, 21)]
        await house.take([event for life in lives for event in life.events])
        await receiver.wait_for(lambda told: sum(one.path == "/takes" for one in told) == 40)
        assert sum(one.path == "/hangs" for one in receiver.told) <= 4
        hold.set()
        await receiver.count(80)

    async def test_that_is_gone_is_told_no_more(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        async def gone(_: Told) -> Response:
            return Response(status_code=410)

        receiver.answer = gone
        one = await subscribed(visitor, url=receiver.url)
        await house.take(rejected(Life()).events)
        found = await settled(visitor, one, enabled=False, disabled_because="gone")
        assert found["owed_messages"] == 2
        receiver.answer = takes
        await change(visitor, one, "/enable", json={})
        await settled(visitor, one, owed_messages=0, enabled=True, failing_since=None)
        assert [told.data["version"] for told in receiver.told] == [1, 1, 2]

    async def test_that_fails_for_days_is_disabled_and_goes_on_where_it_stopped(
        self, visitor: Visitor, house: Hall, receiver: Receiver
    ) -> None:
        async def fails(_: Told) -> Response:
            return Response("no", status_code=503)

        receiver.answer = fails
        one = await subscribed(visitor, url=receiver.url)
        await house.take(rejected(Life()).events)
        await receiver.count(1)
        await house.rows("UPDATE subscription SET failing_since = now() - interval '6 days'")
        await settled(visitor, one, enabled=False, disabled_because="failing", owed_messages=2)
        metrics = await visitor.http.get("/metrics")
        assert "motcua_webhook_disabled_subscriptions" in metrics.text
        await house.take(rejected(Life("H32.14-260407-0002")).events)
        receiver.answer = takes
        told = len(receiver.told)
        await change(visitor, one, "/enable", json={"resume": "where_it_stopped"})
        await receiver.wait_for(lambda _: len(receiver.told) >= told + 4)
        await settled(visitor, one, owed_messages=0)

    async def test_can_be_enabled_from_now_on(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        one = await subscribed(visitor, url=receiver.url)
        await change(visitor, one, "/disable")
        await settled(visitor, one, enabled=False, disabled_because="asked")
        await house.take(rejected(Life()).events)
        await change(visitor, one, "/enable", json={"resume": "from_now"})
        await house.take([Life("H32.14-260407-0009").submit()])
        (told,) = await receiver.count(1)
        assert told.data["dossier_code"] == "H32.14-260407-0009"

    async def test_is_given_the_time_it_asks_for(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        async def busy(_: Told) -> Response:
            return Response(status_code=429, headers={"Retry-After": "3600"})

        receiver.answer = busy
        one = await subscribed(visitor, url=receiver.url)
        await house.take([Life().submit()])
        await receiver.count(1)
        await settled(visitor, one, owed_messages=1)
        async with asyncio.timeout(PATIENCE_S):
            while not (item := (await deliveries(visitor, one))[0])["attempts"]:
                await asyncio.sleep(0.02)
        rows = await house.rows("SELECT next_attempt_at - created_at > interval '50 minutes' AS later FROM delivery")
        assert rows[0]["later"]
        assert item["attempts"][0]["http_status"] == 429


class TestResend:
    """Sending again what was sent."""

    async def test_one_goes_out_under_its_own_id(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        one = await subscribed(visitor, url=receiver.url)
        await house.take(rejected(Life()).events)
        first, _ = await receiver.count(2)
        await settled(visitor, one, owed_messages=0)
        assert (await change(visitor, one, f"/deliveries/{first.id}/resend")).json() == {"messages": 1}
        told = await receiver.wait_for(lambda told: len(told) == 3)
        assert (told[-1].id, told[-1].body) == (first.id, first.body)

    async def test_a_range_or_all_that_failed_goes_out(self, visitor: Visitor, house: Hall, receiver: Receiver) -> None:
        one = await subscribed(visitor, url=receiver.url)
        await house.take([event for nth in (1, 2, 3) for event in rejected(Life(f"H32.14-260407-{nth:04}")).events])
        await receiver.count(6)
        await settled(visitor, one, owed_messages=0)
        await house.rows("UPDATE delivery SET outcome = 'failed' WHERE dossier_code = 'H32.14-260407-0002'")
        asked: list[tuple[dict[str, Any], int]] = [
            ({"outcome": "failed"}, 2),
            ({"dossier_code": "H32.14-260407-0003"}, 2),
            ({"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}, 0),
            ({}, 6),
        ]
        for body, expected in asked:
            before = len(receiver.told)
            assert (await change(visitor, one, "/resend", json=body)).json() == {"messages": expected}
            await receiver.wait_for(lambda told, most=before + expected: len(told) >= most)
            await settled(visitor, one, owed_messages=0)
