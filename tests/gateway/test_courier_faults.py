"""The courier killed, doubled and started again; and when it tries again."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from gateway.webhooks.circuits import OPEN_AFTER, Circuits, Plan
from gateway.webhooks.rows import Rows
from shared import clock
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import SECRET, settings_of
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, returned
from tests.gateway.process import GatewayProcess
from tests.gateway.receiver import Told, receiving
from tests.gateway.test_subscriptions import change, subscribed
from tests.gateway.visitor import Visitor

NOW = datetime(2026, 4, 7, tzinfo=UTC)


@pytest.mark.timeout(120)
async def test_every_message_arrives_in_order_when_the_active_gateway_is_killed(
    hall: Hall,
    open_backstage: tuple[Backstage, str],
    gateway_files: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Two replicas; whichever is active is killed in the middle (kill -9), the other goes on."""
    settings = settings_of(hall.database.dsn, open_backstage[1], gateway_files)

    async def slowly(_: Told) -> Response:
        await asyncio.sleep(0.02)
        return Response(status_code=200)

    lives = [returned(Life(f"H32.14-260407-{nth:04}")) for nth in range(1, 21)]
    async with receiving() as receiver:
        receiver.answer = slowly
        folders = (tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second"))
        with GatewayProcess(folders[0], settings) as first, GatewayProcess(folders[1], settings) as second:
            async with httpx.AsyncClient(base_url=second.url, timeout=30) as http:
                await subscribed(Visitor(FastAPI(), http, SECRET), url=receiver.url)
            await hall.take([event for life in lives for event in life.events])
            await receiver.count(40)
            first.kill()
            await receiver.count(180)
    told: dict[str, dict[str, str]] = defaultdict(dict)
    for one in receiver.told:
        told[one.data["dossier_code"]].setdefault(one.id, one.type)
    assert {code: list(found.values()) for code, found in told.items()} == {
        life.code: [event.type for event in life.events] for life in lives
    }
    # What was on its way when the power went comes again, and nothing else does.
    assert len(receiver.told) <= 180 + Plan().concurrency_each


async def test_what_is_past_its_time_is_forgotten(visitor: Visitor, house: Hall) -> None:
    """Messages after the days they are kept, secrets after their overlap; what is owed stays and is counted."""
    one = await subscribed(visitor, url="https://127.0.0.1:1/")
    await change(visitor, one, "/disable")
    await change(visitor, one, "/rotate-secret", json={"overlap_s": 60})
    await house.rows(
        "INSERT INTO delivery (id, subscription_id, dossier_code, event_type, body, created_at, tries, attempts, "
        "next_attempt_at, finished_at, outcome) SELECT gen_random_uuid(), id, days::text, 'x', '{}', now(), 0, 0, "
        "now(), CASE WHEN days > 0 THEN now() - days * interval '1 day' END, 'delivered' "
        "FROM subscription, unnest(ARRAY[0, 1, 29, 31, 400]) AS days"
    )
    connection = await house.database.connect()
    try:
        rows = Rows(connection, Plan())
        await rows.forget(clock.now() + timedelta(seconds=61))
        state = await rows.state()
    finally:
        await connection.close()
    kept = await house.rows("SELECT dossier_code FROM delivery ORDER BY nth")
    assert [row["dossier_code"] for row in kept] == ["0", "1", "29"]
    assert [row["old_secret"] for row in await house.rows("SELECT old_secret FROM subscription")] == [None]
    assert (state["owed"], state["enabled"], state["disabled"], state["oldest"]) == (1, 0, 0, None)


class TestSchedule:
    """When a message is tried again."""

    def test_lasts_days_and_ends(self) -> None:
        plan, at, pauses = Plan(), NOW, []
        for tries in range(1, len(plan.schedule_s) + 1):
            again = plan.next_attempt(tries, at)
            assert again is not None
            pauses.append(again - at)
            at = again
        assert plan.next_attempt(len(plan.schedule_s) + 1, at) is None
        assert pauses == sorted(pauses[:8]) + pauses[8:]
        assert timedelta(seconds=4) < pauses[0] < timedelta(seconds=7)
        assert timedelta(days=2.5) < at - NOW < timedelta(days=4)

    @pytest.mark.parametrize(
        ("retry_after", "least", "most"),
        [
            ("120", 120, 121),
            ("0", 4, 7),
            (format_datetime(NOW + timedelta(hours=2), usegmt=True), 7200, 7201),
            (format_datetime(NOW - timedelta(hours=2), usegmt=True), 4, 7),
            ("999999999", 86_400, 86_401),
            ("9" * 400, 4, 86_401),
            ("soon", 4, 7),
            ("-5", 4, 7),
            ("Tue, 07 Apr 2026 00:00:00", 4, 7),
        ],
    )
    def test_heeds_retry_after_within_a_day(self, retry_after: str, least: int, most: int) -> None:
        again = Plan().next_attempt(1, NOW, retry_after)
        assert again is not None
        assert timedelta(seconds=least) <= again - NOW <= timedelta(seconds=most)

    @pytest.mark.parametrize("text", ["", "5,x", "-1"])
    def test_that_cannot_be_read_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            Plan.read_schedule(text)


class TestCircuit:
    """A receiver that fails again and again."""

    def _failing(self, circuits: Circuits, receiver: Any, times: int) -> None:
        for _ in range(times):
            circuits.set_out(receiver)
            circuits.came_back(receiver, well=False)

    def test_is_tried_with_one_message_after_growing_pauses(self) -> None:
        moment = [0.0]
        circuits, receiver = Circuits(Plan(), now=lambda: moment[0]), uuid4()
        self._failing(circuits, receiver, OPEN_AFTER)
        assert (circuits.free(receiver), circuits.is_open(receiver)) == (0, True)
        moment[0] += 1.3
        assert circuits.free(receiver) == 1
        circuits.set_out(receiver)
        assert circuits.free(receiver) == 0
        circuits.came_back(receiver, well=False)
        moment[0] += 1.3
        assert circuits.free(receiver) == 0
        moment[0] += 400
        assert circuits.free(receiver) == 1
        circuits.set_out(receiver)
        circuits.came_back(receiver, well=True)
        assert circuits.free(receiver) == Plan().concurrency_each

    def test_says_nothing_about_another(self) -> None:
        circuits, receiver = Circuits(Plan()), uuid4()
        self._failing(circuits, receiver, OPEN_AFTER)
        assert circuits.free(uuid4()) == Plan().concurrency_each
