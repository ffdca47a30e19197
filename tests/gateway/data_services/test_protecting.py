"""What protects a service: limits, repeats within bounds, the breaker; what protects us: credentials."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from gateway.data_services.breaker import Breaker, BreakerState
from gateway.data_services.limits import Allowance, RetryBudget
from gateway.data_services.policy import Breaking
from gateway.errors import CallsOverLimit, SealingKeyMissing, ServiceCrowded, ServiceResting
from shared.blobs.sealer import Sealer
from tests.gateway.data_services.desk import CODE, Desk
from tests.gateway.data_services.ministry import Call
from tests.support.assertions import assert_problem, eventually


class TestLimits:
    async def test_of_calls_a_minute_hold_for_each_client(self, desk: Desk) -> None:
        desk.granted["statistics"] = desk.granted["one-stop"]
        await desk.offer(policy={"limits": {"client_calls_per_minute": 30}})
        answers = [await desk.call() for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert_problem(answers[-1], CallsOverLimit)
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
        assert (await desk.call(who="statistics")).status_code == 200

    @pytest.mark.parametrize(
        ("limit", "error"), [("client_calls_at_once_max", CallsOverLimit), ("calls_at_once_max", ServiceCrowded)]
    )
    async def test_of_calls_at_once_hold(self, desk: Desk, limit: str, error: Any) -> None:
        await desk.offer(policy={"limits": {limit: 2}})
        desk.ministry.hold = asyncio.Event()
        held = [asyncio.create_task(desk.call()) for _ in range(2)]

        async def both() -> bool:
            return len(desk.ministry.calls) == 2

        await eventually(both)
        refused = await desk.call()
        assert_problem(refused, error)
        assert refused.headers["retry-after"] == "1"
        desk.ministry.hold.set()
        assert {(await one).status_code for one in held} == {200}
        desk.ministry.hold = None
        assert (await desk.call()).status_code == 200

    @given(st.lists(st.floats(0, 5), max_size=60), st.integers(10, 600))
    def test_let_nobody_take_more_than_the_rate(self, pauses: list[float], per_minute: int) -> None:
        allowance, now, taken = Allowance(per_minute), 0.0, 0
        for pause in pauses:
            now += pause
            taken += allowance.take("c", now) == 0
        assert taken <= max(1, per_minute / 10) + now * per_minute / 60 + 1e-6


class TestRepeats:
    @pytest.mark.parametrize(
        ("method", "path", "sent"),
        [
            ("GET", "/things", 3), ("HEAD", "/things", 3), ("POST", "/things", 3), ("PUT", "/things/7", 3),
            ("POST", "/orders", 1), ("DELETE", "/things/7", 1),
        ],
    )  # fmt: skip
    async def test_are_made_only_where_that_is_safe(self, desk: Desk, method: str, path: str, sent: int) -> None:
        await desk.offer(policy={"retries": {"attempts_max": 3, "first_pause_s": 0}})
        desk.ministry.script = [Response(status_code=503)] * 5
        assert (await desk.call(method, path)).status_code == 503
        assert len(desk.ministry.calls) == sent

    async def test_of_a_change_carry_its_key_and_body(self, desk: Desk) -> None:
        await desk.offer(policy={"retries": {"attempts_max": 3, "first_pause_s": 0}})
        desk.ministry.script = [Response(status_code=502)] * 2
        answer = await desk.call("POST", "/things", key="k1", json={"a": 1})
        assert answer.status_code == 201
        assert {(one.one("idempotency-key"), one.body) for one in desk.ministry.calls} == {("k1", b'{"a":1}')}

    async def test_are_not_made_without_a_key(self, desk: Desk) -> None:
        await desk.offer(policy={"retries": {"attempts_max": 3, "first_pause_s": 0}})
        desk.ministry.script = [Response(status_code=503)] * 5
        signed = {"Authorization": f"Bearer {await desk.visitor.token('one-stop')}"}
        await desk.visitor.http.post(f"/api/v1/data-services/{CODE}/things", headers=signed)
        assert len(desk.ministry.calls) == 1

    @given(st.lists(st.booleans()), st.floats(0, 1))
    def test_are_never_more_than_their_share(self, wishes: list[bool], share: float) -> None:
        budget = RetryBudget(share)
        spent = 0
        for wish in wishes:
            budget.save()
            spent += wish and budget.spend()
        assert spent <= 3 + len(wishes) * share + 1e-9


POLICY = Breaking(window_s=10, calls_min=4, failure_share=0.5, open_s=5, probes=2)


class TestBreaker:
    async def test_spares_a_failing_service_and_tries_it_again(self, desk: Desk) -> None:
        breaking = {"calls_min": 4, "window_s": 30, "open_s": 0.5, "probes": 1}
        await desk.offer(policy={"breaker": breaking, "retries": {"attempts_max": 1}})
        desk.ministry.script = [Response(status_code=500)] * 4
        assert [(await desk.call()).status_code for _ in range(4)] == [500] * 4
        refused = await desk.call()
        assert_problem(refused, ServiceResting)
        assert refused.headers["retry-after"] == "1"
        assert len(desk.ministry.calls) == 4
        shown = await desk.visitor.get(f"/api/v1/data-services/{CODE}", who="lgsp-reader")
        assert shown.json()["versions"][0]["breaker"] in {"open", "half_open"}

        async def well() -> bool:
            return (await desk.call()).status_code == 200

        await eventually(well)

    async def test_of_one_version_is_no_business_of_another(self, desk: Desk) -> None:
        policy = {"breaker": {"calls_min": 2, "open_s": 60}, "retries": {"attempts_max": 1}}
        await desk.offer(policy=policy)
        await desk.offer(version="v2", policy=policy)
        desk.ministry.script = [Response(status_code=500)] * 2
        for _ in range(3):
            last = await desk.call(path="/v1/things")
        assert_problem(last, ServiceResting)
        assert (await desk.call(path="/v2/things")).status_code == 200

    def test_opens_by_the_share_of_failures_alone(self) -> None:
        breaker = Breaker(POLICY)
        for now, failed in ((0, True), (1, False), (2, False), (3, False), (4, True)):
            (breaker.failed if failed else breaker.succeeded)(breaker.era, float(now))
        assert breaker.state(5.0) is BreakerState.CLOSED
        breaker.failed(breaker.era, 5.0)
        assert breaker.state(5.0) is BreakerState.OPEN
        assert breaker.refuses_for(6.0) == pytest.approx(4.0)

    def test_forgets_what_is_older_than_its_window(self) -> None:
        breaker = Breaker(POLICY)
        for now in (0.0, 0.1, 0.2):
            breaker.failed(breaker.era, now)
        breaker.failed(breaker.era, 20.0)
        assert breaker.seen(20.0) == (1, 1)
        assert breaker.state(20.0) is BreakerState.CLOSED

    def test_lets_only_probes_through_and_closes_when_all_succeed(self) -> None:
        breaker = Breaker(POLICY)
        old = breaker.era
        for _ in range(4):
            breaker.failed(old, 0.0)
        assert [breaker.refuses_for(5.0) for _ in range(3)] == [0.0, 0.0, 1.0]
        breaker.succeeded(old, 5.1)
        assert breaker.state(5.1) is BreakerState.HALF_OPEN
        for _ in range(2):
            breaker.succeeded(breaker.era, 5.2)
        assert breaker.state(5.2) is BreakerState.CLOSED

    def test_opens_again_when_a_probe_fails(self) -> None:
        breaker = Breaker(POLICY)
        for _ in range(4):
            breaker.failed(breaker.era, 0.0)
        assert breaker.refuses_for(5.0) == 0
        breaker.failed(breaker.era, 5.5)
        assert breaker.refuses_for(6.0) == pytest.approx(4.5)


class TestCredentials:
    async def test_are_sent_to_the_service_and_never_shown(self, desk: Desk) -> None:
        await desk.offer(credentials={"kind": "header", "name": "X-Api-Key", "value": "s3cret-s3cret"})
        await desk.call(headers={"x-api-key": "forged"})
        assert desk.ministry.calls[0].all("x-api-key") == ["s3cret-s3cret"]
        shown = await desk.visitor.get(f"/api/v1/data-services/{CODE}/-/versions/v1", who="lgsp-admin")
        history = await desk.visitor.get(f"/api/v1/data-services/{CODE}/-/history", who="lgsp-admin")
        assert shown.json()["has_credentials"]
        assert "s3cret" not in shown.text + history.text
        for row in await desk.hall.rows("SELECT * FROM data_service_version"):
            assert b"s3cret" not in bytes(row["credentials"])
        for row in await desk.hall.rows("SELECT body FROM idempotency_key WHERE body IS NOT NULL"):
            assert b"s3cret" not in bytes(row["body"])

    async def test_stay_when_the_version_is_changed_and_go_when_they_are_taken_away(self, desk: Desk) -> None:
        await desk.offer(credentials={"kind": "header", "name": "x-api-key", "value": "s3cret"})
        await desk.put_version(etag='"1"', policy={"total_timeout_s": 9})
        await desk.known(CODE, "v1", 2)
        await desk.call()
        await desk.put_version(etag='"2"', credentials=None)
        await desk.known(CODE, "v1", 3)
        await desk.call()
        assert [one.one("x-api-key") for one in desk.ministry.calls] == ["s3cret", None]

    async def test_by_token_are_fetched_once_and_anew_when_refused(self, desk: Desk) -> None:
        asked: Counter[str] = Counter()

        async def answer(call: Call) -> Response:
            asked[call.target] += 1
            if call.target == "/token":
                assert call.one("authorization") == "Basic dXM6c2VjcmV0"
                return JSONResponse({"access_token": f"t{asked['/token']}", "expires_in": 300})
            return Response(
                status_code=401 if call.one("authorization") == "Bearer t1" and asked["/things"] > 2 else 200
            )

        desk.ministry.answer = answer
        token_url = f"{desk.ministry_url}/token"
        credentials = {
            "kind": "client_credentials",
            "token_url": token_url,
            "client_id": "us",
            "client_secret": "secret",
        }
        await desk.offer(credentials=credentials)
        assert [(await desk.call()).status_code for _ in range(4)] == [200, 200, 401, 200]
        assert asked == {"/token": 2, "/things": 4}

    async def test_are_refused_without_a_key_to_seal_them(self, desk: Desk) -> None:
        state = desk.visitor.app.state
        before, state.sealer = state.sealer, Sealer("")
        try:
            await desk.put_service()
            answer = await desk.put_version(credentials={"kind": "header", "name": "x-api-key", "value": "s"})
        finally:
            state.sealer = before
        assert_problem(answer, SealingKeyMissing)
