"""The registry: who may register what, who sees it, how it changes, and what it refuses."""

from typing import Any

import httpx
import pytest

from gateway.data_services.snapshot import built_in
from gateway.errors import (
    DataServiceExists,
    DataServiceInvalid,
    DataServiceUnknown,
    RegistryChanged,
    RegistryVersionMissing,
)
from gateway.operations.rights import Grant
from shared.errors import Forbidden, InvalidRequest
from tests.gateway.data_services.desk import ADMIN, CODE, ENTRY, PATHS, Desk
from tests.gateway.data_services.ministry import contract
from tests.support.assertions import assert_problem, eventually

AT = "/api/v1/data-services"
SOON_S = 10
"""Long for a machine under load, short beside the half minute after which the registry is read in any case."""


class TestEntry:
    async def test_is_made_shown_and_changed_by_its_etag(self, desk: Desk) -> None:
        made = await desk.put_service()
        assert (made.status_code, made.headers["etag"]) == (201, '"1"')
        assert_problem(await desk.put_service(name_en="Population"), RegistryVersionMissing)
        changed = await desk.put_service(etag='"1"', name_en="Population")
        assert (changed.status_code, changed.headers["etag"], changed.json()["name_en"]) == (200, '"2"', "Population")
        assert_problem(await desk.put_service(etag='"1"', name_en="Again"), RegistryChanged)
        assert (await desk.put_service(etag='"2"', name_en="Population")).headers["etag"] == '"2"'

    @pytest.mark.parametrize("who", ["one-stop", "lgsp-reader", "ops"])
    async def test_needs_the_scope(self, desk: Desk, who: str) -> None:
        answer = await desk.visitor.send("PUT", f"{AT}/{CODE}", who=who, json=ENTRY)
        assert_problem(answer, Forbidden)

    async def test_belongs_to_the_callers_agency_or_one_below(self, desk: Desk) -> None:
        assert_problem(await desk.put_service(agency="H33"), DataServiceInvalid)
        await desk.put_service()
        foreign = await desk.visitor.send("PUT", f"{AT}/{CODE}", who="other-lgsp", json={**ENTRY, "agency": "H33"})
        assert_problem(foreign, DataServiceExists)
        assert_problem(await desk.visitor.get(f"{AT}/{CODE}", who="other-lgsp"), DataServiceUnknown)
        assert (await desk.visitor.get(AT, who="other-lgsp")).json() == []
        assert [one["code"] for one in (await desk.visitor.get(AT, who="lgsp-reader")).json()] == [CODE]

    @pytest.mark.parametrize("code", ["listMethods", "failures", "-", "a b", "x" * 70, "ab", "1abc"])
    async def test_has_a_code_that_is_no_word_of_the_registry(self, desk: Desk, code: str) -> None:
        answer = await desk.put_service(code)
        assert answer.status_code in {404, 405, 422}, answer.text
        assert await desk.hall.count("data_service") == 0


class TestVersion:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"base_url": "http://10.0.0.5"}, "base_url"),
            ({"base_url": "http://169.254.169.254/latest"}, "base_url"),
            ({"base_url": "http://127.0.0.1.evil.com"}, "base_url"),
            ({"base_url": "http://evil.com#.example"}, "base_url"),
            ({"base_url": "http://user:pw@127.0.0.1"}, "base_url"),
            ({"base_url": "file:///etc/passwd"}, "base_url"),
            ({"base_url": "http://127.0.0.1/x?y=1"}, "base_url"),
            ({"base_url": "http://[::1]/"}, "base_url"),
            ({"contract": {"openapi": "2.0"}}, "contract"),
            ({"contract": contract("GET /v1/things")}, "contract"),
            ({"contract": contract("GET /-/things")}, "contract"),
            ({"contract": contract("GET /{any}")}, "contract"),
            ({"contract": contract("GET /a{b}/c")}, "contract"),
            (
                {
                    "credentials": {
                        "kind": "client_credentials",
                        "token_url": "http://10.0.0.5/t",
                        "client_id": "a",
                        "client_secret": "b",
                    }
                },
                "credentials.token_url",
            ),
        ],
    )
    async def test_is_refused_with_the_field_named(self, desk: Desk, changes: dict[str, Any], field: str) -> None:
        await desk.put_service()
        found = assert_problem(await desk.put_version(**changes), DataServiceInvalid)
        assert [one["field"] for one in found["errors"]] == [field]

    @pytest.mark.parametrize(
        "policy",
        [
            {"unknown": 1},
            {"total_timeout_s": 0},
            {"limits": {"client_calls_per_minute": True}},
            {"retries": {"attempts_max": 6}},
            {"request_headers": {"set": {"host": "evil"}}},
            {"request_headers": {"set": {"x-a": "b\r\nx-c: d"}}},
            {"request_headers": {"rename": {"x-a": "transfer-encoding"}}},
            {"request_body": {"format": "yaml"}},
        ],
    )
    async def test_with_an_odd_policy_is_refused(self, desk: Desk, policy: dict[str, Any]) -> None:
        await desk.put_service()
        assert_problem(await desk.put_version(policy=policy), InvalidRequest)

    async def test_takes_effect_with_the_next_call(self, desk: Desk) -> None:
        await desk.offer()
        await desk.put_version(etag='"1"', base_url=f"{desk.ministry_url}/elsewhere")
        await desk.known(CODE, "v1", 2)
        await desk.call()
        assert desk.ministry.calls[0].target == "/elsewhere/things"

    async def test_takes_effect_soon_when_the_line_to_the_database_was_cut(self, desk: Desk) -> None:
        """The gateway that is told nothing any more notices so, and reads what it was not told."""
        await desk.offer()
        await desk.hall.cut()
        await desk.put_version(etag='"1"', base_url=f"{desk.ministry_url}/elsewhere")
        await desk.known(CODE, "v1", 2, within_s=SOON_S)

    async def test_goes_on_being_called_while_the_database_is_away(self, desk: Desk) -> None:
        """What is known stays known; reading is logged later."""
        await desk.offer()
        await desk.call()
        database = desk.visitor.app.state.database
        engine, database.engine = database.engine, None
        sessions, database._sessions = database._sessions, None
        try:
            assert [(await desk.call()).status_code for _ in range(3)] == [200] * 3
        finally:
            database.engine, database._sessions = engine, sessions


class TestHistory:
    async def test_tells_who_did_what_and_holds_no_secret(self, desk: Desk) -> None:
        await desk.offer()
        await desk.put_service(etag='"1"', name_en="Population")
        await desk.put_version(etag='"1"', stage="retired", contract=contract("GET /other"))
        answer = await desk.visitor.get(f"{AT}/{CODE}/-/history", who="lgsp-reader")
        found = answer.json()
        assert [one["action"] for one in found] == ["version_changed", "changed", "version_added", "registered"]
        assert {one["actor"] for one in found} == {ADMIN}
        assert found[1]["detail"] == {"from": {"name_en": ENTRY["name_en"]}, "to": {"name_en": "Population"}}
        assert found[0]["detail"]["to"]["stage"] == "retired"
        assert len(found[0]["detail"]["to"]["contract_sha256"]) == 64


class TestDiscovery:
    async def _methods(self, desk: Desk, name: str, who: str = "one-stop") -> list[dict[str, Any]]:
        answer = await desk.visitor.get(f"{AT}/{name}", who=who)
        assert answer.status_code == 200, answer.text
        return answer.json()["service"]

    async def test_lists_as_x_road_does(self, desk: Desk) -> None:
        await desk.offer()
        (service,) = [one for one in await self._methods(desk, "listMethods") if one["service_code"] == CODE]
        assert {name: service[name] for name in ("object_type", "service_code", "service_type", "member_code")} == {
            "object_type": "SERVICE",
            "service_code": CODE,
            "service_type": "OPENAPI",
            "member_code": "H32.14",
        }
        listed = {(one["method"], one["path"]) for one in service["endpoint_list"]}
        assert ("GET", "/things/*") in listed
        assert len(listed) == len(PATHS)

    async def test_lists_only_what_the_client_may_call(self, desk: Desk) -> None:
        await desk.offer()
        await desk.offer("BHXH_2")
        desk.granted["one-stop"] = (Grant(CODE, frozenset({"GET"}), ("/things/*",)),)
        (service,) = await self._methods(desk, "allowedMethods")
        assert service["endpoint_list"] == [{"method": "GET", "path": "/things/*"}]
        assert [one["service_code"] for one in await self._methods(desk, "listMethods")] == [CODE]
        assert [one["service_code"] for one in await self._methods(desk, "listMethods", "lgsp-reader")] == [
            "BHXH_2",
            CODE,
        ]
        assert await self._methods(desk, "allowedMethods", "lgsp-reader") == []

    async def test_answers_with_the_contract_at_our_address(self, desk: Desk) -> None:
        await desk.offer()
        await desk.offer(version="v2", contract=contract("GET /new"))
        found = await self._contract(desk, f"serviceCode={CODE}")
        assert (list(found["paths"]), found["servers"]) == (
            ["/new"],
            [{"url": f"https://motcua.example{AT}/{CODE}/v2"}],
        )
        assert "/things" in (await self._contract(desk, f"serviceCode={CODE}&version=v1"))["paths"]
        missing = await desk.visitor.get(f"{AT}/getOpenAPI?serviceCode=NICHT")
        hidden = await desk.visitor.get(f"{AT}/getOpenAPI?serviceCode={CODE}", who="statistics")
        assert missing.json() == hidden.json()
        assert_problem(missing, DataServiceUnknown)

    async def _contract(self, desk: Desk, query: str) -> dict[str, Any]:
        answer: httpx.Response = await desk.visitor.get(f"{AT}/getOpenAPI?{query}")
        return answer.json()


class TestClients:
    async def test_are_listed_with_what_they_may_call(self, desk: Desk) -> None:
        await desk.offer()
        insert = "INSERT INTO client_grant (client_id, place, service, methods) VALUES (:client, 0, :service, '{GET}')"
        for client, service in (("ops", CODE), ("statistics", "*"), ("nobody", "BHXH")):
            await desk.hall.rows(insert, client=client, service=service)
        try:
            answer = await desk.visitor.get(f"{AT}/{CODE}/-/clients", who="lgsp-reader")
            found = [(one["client_id"], one["methods"], one["paths"]) for one in answer.json()]
            assert found == [("ops", ["GET"], []), ("statistics", ["GET"], [])]
            assert_problem(await desk.visitor.get(f"{AT}/{CODE}/-/clients", who="other-lgsp"), DataServiceUnknown)
        finally:
            await desk.hall.rows("DELETE FROM client_grant")


class TestBuiltIn:
    async def test_service_is_answered_by_our_own_routes_by_the_same_rights(self, desk: Desk) -> None:
        """The seam for services that the gateway answers itself."""
        app = desk.visitor.app
        refresher = app.state.data_service_refresher
        own = contract("GET /things")
        before = refresher.built_in
        refresher.built_in = [built_in("edocs", agency="H32", name_vi="Văn bản", name_en="Documents", contract=own)]
        await refresher.read()
        try:
            answer = await desk.call(code="edocs")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
            assert_problem(await desk.call(code="edocs", who="statistics"), DataServiceUnknown)
            assert_problem(await desk.put_service("edocs"), DataServiceExists)
            listed = await desk.visitor.get(f"{AT}/allowedMethods")
            assert [one["service_code"] for one in listed.json()["service"]] == ["edocs"]

            async def logged() -> list[Any]:
                return await desk.hall.rows("SELECT status FROM transaction_log WHERE service = 'data:edocs/v1'")

            assert await eventually(logged)
        finally:
            refresher.built_in = before
            await refresher.read()
