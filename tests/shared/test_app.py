"""A service assembled: health that tells the truth, metrics, the ops door, and tables that stay small."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from shared import clock
from shared.app import ServiceParts, create_service, delete_old
from shared.bus import ConsentNeedsAnother, NotWaiting
from shared.errors import Forbidden, InvalidRequest
from shared.ids import first_id_at
from shared.inbox import RetryPlan
from shared.settings import ServiceSettings
from tests.support.assertions import assert_problem, eventually
from tests.support.bus import Side
from tests.support.gate import gate_before
from tests.support.toy import CURED, HANDLERS, raw
from tests.support.toyapp import NO_BROKER, ToyClient, client_of, create_toy_app


async def health(client: ToyClient) -> tuple[int, dict[str, Any]]:
    answer = await client.http.get("/health/ready")
    return answer.status_code, answer.json()


async def becomes(client: ToyClient, status: str) -> None:
    async def reached() -> bool:
        return (await health(client))[1]["status"] == status

    await eventually(reached, within_s=20)


class TestAddresses:
    async def test_have_no_page_that_loads_scripts_from_elsewhere(self, toy: Side) -> None:
        app = create_toy_app(toy.database.dsn)
        async with app.router.lifespan_context(app), client_of(app) as client:
            found = [(await client.http.get(path)).status_code for path in ("/docs", "/redoc", "/openapi.json")]
        assert found == [404, 404, 200]


class TestHealth:
    """What orchestrators ask."""

    async def test_is_ready_with_everything_and_degraded_without_the_broker(self, toy: Side, amqp_url: str) -> None:
        async with gate_before(amqp_url) as gate:
            app = create_toy_app(toy.database.dsn, amqp_url=gate.url, partitions=2)
            async with app.router.lifespan_context(app), client_of(app) as client:
                await becomes(client, "ready")
                gate.shut()
                await becomes(client, "degraded")
                assert (await health(client))[0] == 200
                assert (await client.post("/counters/a/grow")).status_code == 201
                await gate.open()
                await becomes(client, "ready")

    async def test_is_not_ready_without_the_database(self, toy: Side) -> None:
        async with gate_before(toy.database.dsn) as gate:
            app = create_toy_app(gate.url)
            async with app.router.lifespan_context(app), client_of(app) as client:
                await becomes(client, "degraded")
                gate.shut()
                assert await health(client) == (
                    503,
                    {"status": "not_ready", "database": False, "relay": False, "consumers": False},
                )
                assert (await client.http.get("/health/live")).json() == {"status": "live"}
                await gate.open()
                await becomes(client, "degraded")

    async def test_is_not_ready_when_a_loop_has_died(self, toy: Side) -> None:
        """Half a process must not look like a whole one."""

        async def die(_: FastAPI) -> None:
            raise RuntimeError("a bug")

        settings = ServiceSettings.model_validate({"database_url": toy.database.dsn, "amqp_url": NO_BROKER})
        app = create_service(settings, ServiceParts("toy", "Toy", [], HANDLERS, loops=[die]))
        async with app.router.lifespan_context(app), client_of_bare(app) as client:
            await becomes(client, "not_ready")
            assert (await health(client))[0] == 503


def client_of_bare(app: FastAPI) -> Any:
    app.state.hooks = None
    return client_of(app)


class TestMetrics:
    """What Prometheus scrapes."""

    async def test_tell_what_is_on_its_way(self, client: ToyClient, toy: Side) -> None:
        await client.post("/counters/a/grow")
        await toy.inbox().take([raw("b", 1, poison=True)])
        found = await scraped(client)
        assert found["motcua_outbox_rows"] == 1
        assert found["motcua_waiting_subjects"] == 1
        assert found["motcua_parked_subjects"] == 0
        assert found["motcua_http_request_duration_seconds_count"] > 0

    async def test_are_told_without_the_database_too(self, toy: Side) -> None:
        async with gate_before(toy.database.dsn) as gate:
            app = create_toy_app(gate.url)
            async with app.router.lifespan_context(app), client_of(app) as client:
                gate.shut()
                assert "motcua_broker_connected" in await scraped(client)

    async def test_name_routes_and_no_dossier(self, client: ToyClient) -> None:
        await client.send("GET", "/counters/H32.14-260407-0001")
        text = (await client.http.get("/metrics")).text
        assert 'route="/counters/{code}"' in text
        assert "260407" not in text


async def scraped(client: ToyClient) -> dict[str, float]:
    answer = await client.http.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {sample.name: sample.value for family in families for sample in family.samples}


class TestOpsDoor:
    """What ops do about a parked dossier, over HTTP."""

    @pytest.fixture
    async def poisoned(self, toy: Side) -> str:
        """Park dossier a; return its poison's id."""
        inbox = toy.inbox(plan=RetryPlan(attempts_max=1))
        await inbox.take([raw("a", 1, poison=True), raw("a", 2)])
        await inbox.retry_due()
        (row,) = await toy.rows("SELECT event_id FROM waiting WHERE parked_at IS NOT NULL")
        return str(row["event_id"])

    async def test_shows_and_replays(self, client: ToyClient, toy: Side, poisoned: str) -> None:
        (first, _) = (await client.send("GET", "/ops/waiting", params={"subject": "a"})).json()
        assert (first["event_id"], first["sequence"]) == (poisoned, 1)
        assert (await client.send("GET", "/ops/bus")).json()["parked_subjects"] == 1
        CURED.add("a")
        answer = await client.post("/ops/waiting/a/replay", json={"reason": "the fix is in"})
        assert answer.json() == {"events": 2}
        await eventually(lambda: _has_seen(toy, [1, 2]))
        assert_problem(await client.post("/ops/waiting/a/replay", json={"reason": "again"}), NotWaiting)

    async def test_discards_with_two_persons(self, client: ToyClient, toy: Side, poisoned: str) -> None:
        wish = {"event_id": poisoned, "reason": "it was a test"}
        asked = await client.post("/ops/waiting/a/discard", who="an", json=wish)
        assert asked.status_code == 202
        consent = f"/ops/interventions/{asked.json()['intervention']}/consent"
        assert_problem(await client.post(consent, who="an"), ConsentNeedsAnother)
        assert (await client.post(consent, who="binh")).json() == {"status": "discarded"}
        await eventually(lambda: _has_seen(toy, [2]))
        (kept,) = (await client.send("GET", "/ops/interventions")).json()
        assert (kept["actor"], kept["consented_by"]) == ("an", "binh")

    @pytest.mark.parametrize(
        "wish", [{}, {"event_id": "x", "reason": "good"}, {"event_id": "x"}, {"reason": "a"}, {"reason": "   "}]
    )
    async def test_refuses_a_malformed_wish(self, client: ToyClient, wish: dict[str, str]) -> None:
        assert_problem(await client.post("/ops/waiting/a/discard", json=wish), InvalidRequest)

    async def test_is_shut_without_the_right(self, client: ToyClient) -> None:
        for path in ("/ops/bus", "/ops/waiting", "/ops/interventions"):
            assert_problem(await client.send("GET", path, scopes=["ops:act"]), Forbidden)
        for path in ("/ops/waiting/a/replay", "/ops/interventions/1/consent"):
            assert_problem(await client.post(path, scopes=["ops:read"], json={"reason": "good"}), Forbidden)


async def _has_seen(side: Side, values: list[int]) -> bool:
    return await side.seen("a") == values


class TestRetention:
    """Tables that would grow for ever do not."""

    async def test_deletes_old_ids_and_keys_and_nothing_younger(self, toy: Side) -> None:
        now = clock.now()
        settings = ServiceSettings.model_validate({"database_url": "x", "amqp_url": "x", "inbox_retention_days": 14})
        for age in (13, 15):
            await toy.rows("INSERT INTO inbox VALUES (:id)", id=first_id_at(now - timedelta(days=age)))
        for age in (29, 31):
            await toy.rows(
                "INSERT INTO idempotency_key VALUES ('c', :key, '', :at)", key=str(age), at=now - timedelta(days=age)
            )
        await delete_old(toy.database, settings, now)
        assert await toy.rows("SELECT event_id FROM inbox") == [{"event_id": first_id_at(now - timedelta(days=13))}]
        assert await toy.rows("SELECT key FROM idempotency_key") == [{"key": "29"}]

    async def test_deletes_more_than_one_batch(self, toy: Side) -> None:
        settings = ServiceSettings.model_validate({"database_url": "x", "amqp_url": "x"})
        await toy.rows(
            "INSERT INTO inbox SELECT CAST('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0') AS uuid)"
            " FROM generate_series(1, 12345) AS n"
        )
        await delete_old(toy.database, settings, clock.now())
        assert await toy.count("inbox") == 0


class TestShutdown:
    """A service that ends."""

    async def test_leaves_no_task_and_no_connection(self, toy: Side) -> None:
        """In a loop of its own, for apps of other tests may run in this one."""

        async def live() -> set[asyncio.Task[object]]:
            app = create_toy_app(toy.database.dsn)
            async with app.router.lifespan_context(app), client_of(app) as client:
                await client.post("/counters/a/grow")
            return {task for task in asyncio.all_tasks() - {asyncio.current_task()} if not task.done()}

        assert await asyncio.to_thread(asyncio.run, live()) == set()

    def test_had_opened_nothing_before_its_lifespan(self) -> None:
        app = create_toy_app("postgresql://nobody@127.0.0.1:1/none")
        assert not hasattr(app.state, "database")
