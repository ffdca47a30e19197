"""The console's figures as JSON, and the headers of everything it is made of."""

import httpx
import pytest

from gateway.routes.gathering import shown_reason
from tests.browser.house import House
from tests.browser.story import Story

OPS = "/api/v1/ops"


class TestOverview:
    async def test_has_everything_at_once(self, house: House) -> None:
        found = await house.overview()
        assert set(found["services"]) == {"intake", "workflow", "payment", "results", "gateway"}
        assert found["services"]["workflow"]["status"] == found["services"]["gateway"]["status"] == "ready"
        assert found["services"]["intake"]["status"] == "away"
        assert "outbox_rows" not in found["services"]["intake"]
        assert found["broker"] == "ready"
        assert "gateway.events.0" in {queue["name"] for queue in found["queues"]}
        assert found["portal"]["dossiers_in_step"] <= found["portal"]["dossiers"]

    async def test_answers_304_while_nothing_changed(self, house: House) -> None:
        """Statuses on their way to the portal change the figures: a second look may be needed before it is calm."""
        for _ in range(50):
            first = await house.ask("ops", "GET", f"{OPS}/overview")
            again = {"If-None-Match": first.headers["etag"]}
            second = await house.ask("ops", "GET", f"{OPS}/overview", headers=again)
            if second.status_code == 304:
                break
        assert second.status_code == 304
        assert second.content == b""
        assert first.headers["cache-control"] == second.headers["cache-control"] == "no-store"
        assert first.headers["x-content-type-options"] == "nosniff"

    async def test_waiting_and_interventions_have_addresses_of_their_own(self, house: House) -> None:
        story = Story()
        await house.tell([story.event("payment.fee.paid.v1", {"nothing": "of use"})])
        for _ in range(200):
            waiting = (await house.ask("ops", "GET", f"{OPS}/waiting")).json()
            own = [event["service"] for event in waiting if event["subject"] == story.code]
            if sorted(own) == ["gateway", "workflow"]:
                break
        assert sorted(own) == ["gateway", "workflow"]
        body = {"reason": "Xem lại"}
        replayed = await house.ask("ops", "POST", f"{OPS}/workflow/waiting/{story.code}/replay", json=body)
        assert replayed.json() == {"events": 1}
        told = (await house.ask("ops", "GET", f"{OPS}/interventions")).json()
        assert told[0]["service"] == "workflow"
        assert told[0]["subject"] == story.code


class TestReason:
    def test_ends_before_the_values_that_libraries_put_below(self) -> None:
        told = "IntegrityError: duplicate key of 056190000002\nDETAIL:  Key (name)=(Trần Thị Mẫu) already exists."
        assert shown_reason(told) == "IntegrityError: duplicate key of ***"


class TestRights:
    @pytest.mark.parametrize("path", ["overview", "waiting", "interventions", "portal", "dossiers/H32-260407-0001"])
    async def test_are_needed_to_look(self, house: House, path: str) -> None:
        async with httpx.AsyncClient(base_url=house.url) as client:
            assert (await client.get(f"{OPS}/{path}")).status_code == 401
        assert (await house.ask("one-stop", "GET", f"{OPS}/{path}")).status_code == 403

    async def test_are_needed_to_act(self, house: House) -> None:
        for service in ("workflow", "gateway"):
            path = f"{OPS}/{service}/waiting/H32-260407-0001/replay"
            assert (await house.ask("looker", "POST", path, json={"reason": "Tò mò"})).status_code == 403

    @pytest.mark.parametrize(
        "door", ["health", "waiting/..%2f..%2fcases", "waiting/%2e%2e/replay", "../cases", "bus/x"]
    )
    async def test_reach_no_further_than_the_ops_doors(self, house: House, door: str) -> None:
        answer = await house.ask("ops", "GET", f"{OPS}/workflow/{door}")
        assert answer.status_code == 404


class TestPage:
    async def test_runs_only_what_we_serve(self, house: House) -> None:
        async with httpx.AsyncClient(base_url=house.url) as client:
            for path in ("/console", "/console/files/main.js", "/console/files/console.css", "/console/files/mark.svg"):
                answer = (await client.get(path)).raise_for_status()
                policy = answer.headers["content-security-policy"]
                assert "default-src 'self'" in policy
                assert "unsafe" not in policy
                assert answer.headers["x-content-type-options"] == "nosniff"
            page = (await client.get("/console")).text
            assert "<style" not in page
            assert " style=" not in page
            assert "http" not in page

    async def test_serves_a_file_once(self, house: House) -> None:
        async with httpx.AsyncClient(base_url=house.url) as client:
            first = await client.get("/console/files/main.js")
            again = {"If-None-Match": first.headers["etag"]}
            assert (await client.get("/console/files/main.js", headers=again)).status_code == 304
            assert (await client.get("/console/files/../console.py")).status_code == 404
            assert (await client.get("/console/files/..%2f..%2fops.py")).status_code == 404
            assert (await client.get("/docs")).status_code == 404


class TestMetrics:
    async def test_tell_how_far_the_portal_is_behind(self, house: House) -> None:
        async with httpx.AsyncClient(base_url=house.url) as client:
            told = (await client.get("/metrics")).text
        for name in ("motcua_portal_open_statuses", "motcua_portal_open_dossiers", "motcua_portal_oldest_age_seconds"):
            assert f"\n{name} " in told
