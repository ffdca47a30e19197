"""Calls to data services: who may, what goes through, what comes back."""

from typing import Any

import pytest

from gateway.errors import CallNotGranted, DataServiceRetired, DataServiceUnknown, OperationUnknown
from gateway.operations.rights import Grant
from shared.errors import Unauthenticated
from shared.problems import MethodNotAllowed
from tests.gateway.data_services.desk import ADMIN, CODE, Desk
from tests.support.assertions import assert_problem, eventually

AT = "/api/v1/data-services"


class TestRights:
    async def test_let_a_client_call_what_it_is_granted(self, desk: Desk) -> None:
        await desk.offer()
        desk.granted["one-stop"] = (Grant(CODE, frozenset({"GET"}), ("/things/*",)),)
        assert (await desk.call(path="/things/7")).json() == {"method": "GET", "target": "/things/7"}

    @pytest.mark.parametrize(("method", "path"), [("GET", "/things"), ("PUT", "/things/7"), ("DELETE", "/things/7")])
    async def test_refuse_what_is_not_granted(self, desk: Desk, method: str, path: str) -> None:
        await desk.offer()
        desk.granted["one-stop"] = (Grant(CODE, frozenset({"GET"}), ("/things/*",)),)
        assert_problem(await desk.call(method, path), CallNotGranted)
        assert desk.ministry.calls == []

    @pytest.mark.parametrize("granted", [(), (Grant("BHXH"),)])
    async def test_hide_services_that_a_client_is_not_granted(self, desk: Desk, granted: tuple[Grant, ...]) -> None:
        await desk.offer()
        desk.granted["one-stop"] = granted
        hidden, missing = await desk.call(), await desk.call(code="NICHT_DA")
        assert_problem(hidden, DataServiceUnknown)
        assert hidden.json() == missing.json()

    async def test_are_none_for_a_client_of_which_nothing_is_registered(self, desk: Desk) -> None:
        await desk.offer()
        assert_problem(await desk.call(who="statistics"), DataServiceUnknown)

    async def test_need_a_token(self, desk: Desk) -> None:
        await desk.offer()
        answer = await desk.visitor.http.get(f"/api/v1/data-services/{CODE}/things")
        assert_problem(answer, Unauthenticated)


class TestContract:
    async def test_is_all_that_can_be_called(self, desk: Desk) -> None:
        await desk.offer()
        assert_problem(await desk.call(path="/nothing"), OperationUnknown)
        refused = await desk.call("PATCH", "/things/7", json={})
        assert_problem(refused, MethodNotAllowed)
        assert refused.headers["allow"] == "DELETE, GET, PUT"
        assert desk.ministry.calls == []

    @pytest.mark.parametrize("path", ["/things/..%2f..%2fadmin", "/things/%2e%2e", "/things//7", "/things/7;x=1"])
    async def test_cannot_be_climbed_out_of(self, desk: Desk, path: str) -> None:
        await desk.offer()
        assert (await desk.call(path=path)).status_code == 404
        assert desk.ministry.calls == []


class TestVersions:
    async def test_the_newest_active_one_is_the_default(self, desk: Desk) -> None:
        for version, stage in (("v1", "active"), ("v2", "active"), ("v10", "active"), ("v11", "draft")):
            await desk.offer(version=version, stage=stage, base_url=f"{desk.ministry_url}/at-{version}")
        await desk.call()
        await desk.call(path="/v2/things")
        assert [one.target for one in desk.ministry.calls] == ["/at-v10/things", "/at-v2/things"]

    async def test_that_are_drafts_are_not_there_and_retired_ones_are_gone(self, desk: Desk) -> None:
        await desk.offer(version="v1", stage="retired")
        await desk.offer(version="v2", stage="draft")
        assert_problem(await desk.call(path="/v1/things"), DataServiceRetired)
        assert_problem(await desk.call(path="/v2/things"), DataServiceUnknown)
        assert_problem(await desk.call(), DataServiceUnknown)


class TestLog:
    async def test_names_the_service_and_its_version(self, desk: Desk) -> None:
        await desk.offer()
        await desk.call("POST", "/things", json={"a": 1})

        async def logged() -> list[Any]:
            return await desk.hall.rows(
                "SELECT service, method, path, status, client_id FROM transaction_log WHERE service LIKE 'data:%'"
            )

        (row,) = await eventually(logged)
        assert dict(row) == {
            "service": f"data:{CODE}/v1",
            "method": "POST",
            "path": f"/api/v1/data-services/{CODE}/v1/things",
            "status": 201,
            "client_id": "one-stop",
        }

    @pytest.mark.parametrize(
        ("path", "kept"),
        [
            (f"/{CODE}/v1/people/{{}}", f"/{CODE}/v1/…"),
            (f"/{CODE}/v1/things/{{}}", f"/{CODE}/v1/things/{{id}}"),
            ("/Nowhere/{}/{}", "/…"),
            ("/edocs/documents/{}", "/…"),
            (f"/{CODE}/-/versions/{{}}", "/{code}/-/versions/{version}"),
            ("/{}", "/{code}"),
            ("/reruns/{}/{}/{}", "/…"),
        ],
    )
    async def test_keeps_nothing_of_a_refused_call_but_the_contracts_words(
        self, desk: Desk, path: str, kept: str
    ) -> None:
        """With a token and without, wherever the refusal comes from: the path may hold a person."""
        await desk.offer()
        desk.granted["one-stop"] = (Grant(CODE, paths=("/things",)),)
        asked = f"{AT}{path.format(*['Nguyen-Van-Kin'] * 3)}"
        answers = [
            await desk.visitor.get(asked),
            await desk.visitor.http.get(asked),
            await desk.visitor.get(asked, who=ADMIN),
        ]
        assert {answer.status_code for answer in answers} <= {401, 403, 404, 422}

        async def logged() -> list[str]:
            rows = await desk.hall.rows(
                "SELECT path, client_id FROM transaction_log WHERE status >= 400 ORDER BY number"
            )
            return [row["path"] for row in rows] if len(rows) >= len(answers) else []

        found = await eventually(logged)
        assert not any("Kin" in one for one in found)
        assert f"{AT}{kept}" in found
        assert set(found) <= {f"{AT}{kept}", f"{AT}/…"}

    async def test_names_what_was_done_in_the_registry(self, desk: Desk) -> None:
        await desk.offer()

        async def logged() -> list[Any]:
            return await desk.hall.rows("SELECT path FROM transaction_log WHERE path LIKE '%/-/versions/v1'")

        assert [row["path"] for row in await eventually(logged)] == [f"{AT}/{CODE}/-/versions/v1"]
