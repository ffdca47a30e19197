"""The 29 definitions against the mocked offices: registered through the API, called through the data plane."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from deploy.ministries import definitions
from deploy.ministries.app import create_app
from deploy.ministries.registering import register_all
from gateway.data_services.contract import Contract
from gateway.data_services.policy import Policy
from tests.gateway.conftest import SECRET
from tests.gateway.data_services.desk import ADMIN, Desk
from tests.support.assertions import eventually
from tests.support.serving import serving

NAMED = frozenset(
    {
        "CSDL_DanCu",
        "SSO.VNeID",
        "CSDL_CCVC",
        "BHXH",
        "DKDN",
        "DKKD",
        "CSDL_DATDAI",
        "VBQPPL",
        "CSDL_GIA",
        "LLTP-VNeID",
        "QuanLyHoTich",
        "DMDC",
        "DMDC-NHNN",
        "DVC_BTXH",
        "DVC-GPLX",
        "BoGTVT",
        "VNPOST",
        "vpostcode",
        "VDXP",
        "HTTTNTW",
        "CDDH_ChinhPhu",
        "IOFFICE",
        "EVN",
        "PHANANH",
        "IOC",
    }
)
ALL = definitions.read(values={"ministries": "http://127.0.0.1:1", "secret": "s"})
UPSTREAM_SECRET = "u" * 20


@pytest.fixture(scope="module")
async def offices(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """Run the mocked offices; lend their control room."""
    app = create_app(tmp_path_factory.mktemp("ministries"), UPSTREAM_SECRET)
    async with serving(app, lifespan=True) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield http


@pytest.fixture
async def registered(desk: Desk, offices: httpx.AsyncClient) -> Desk:
    """Lend a desk at which every definition is registered."""
    await offices.post("/_control/reset")
    told = await _register(desk, offices)
    assert (told.services, told.added) == (29, 30)
    await eventually(lambda: _known(desk))
    return desk


async def _register(desk: Desk, offices: httpx.AsyncClient) -> Any:
    values = {"ministries": str(offices.base_url).rstrip("/"), "secret": UPSTREAM_SECRET}
    return await register_all(str(desk.visitor.http.base_url), (ADMIN, SECRET), values=values)


async def _known(desk: Desk) -> bool:
    services = desk.parts.registry.services.values()
    return sum(len(one.versions) for one in services) == 30


def _path(template: str) -> str:
    return "/".join("4200000001" if part.startswith("{") else part for part in template.split("/"))


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return {name: _value(one) for name, one in schema["properties"].items()}


def _value(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 1, "number": 1.5, "boolean": True}.get(schema["type"], "056090000001")


def _query(operation: dict[str, Any]) -> dict[str, Any]:
    wanted = [one for one in operation.get("parameters", ()) if one["in"] == "query" and one["required"]]
    return {one["name"]: one["schema"].get("example", "1") for one in wanted}


class TestDefinitions:
    def test_are_those_that_a_province_registers_and_more(self) -> None:
        assert {one.code for one in ALL} >= NAMED
        assert len(ALL) == 29

    @pytest.mark.parametrize("definition", ALL, ids=lambda one: one.code)
    def test_have_valid_contracts_and_policies(self, definition: definitions.Definition) -> None:
        for version in definition.versions.values():
            OpenAPIV31SpecValidator(version["contract"]).validate()
            Policy.model_validate(version.get("policy", {}))
            assert 2 <= len(Contract(version["contract"]).operations) <= 5

    def test_name_nobodys_identity_number_in_an_address(self) -> None:
        """What stands in an address stands in logs."""
        names = {
            parameter["name"]
            for definition in ALL
            for version in definition.versions.values()
            for item in version["contract"]["paths"].values()
            for operation in item.values()
            for parameter in operation.get("parameters", ())
        }
        assert not [name for name in names if "DinhDanh" in name or name in {"CCCD", "HoTen", "DienThoai"}]

    async def test_can_be_called_operation_by_operation(self, registered: Desk, offices: httpx.AsyncClient) -> None:
        """Through the data plane, with the services' own credentials; each answer is what its contract says."""
        again = await _register(registered, offices)
        assert (again.added, again.changed, again.unchanged) == (0, 0, 30)
        called = 0
        for definition in ALL:
            for name, version in definition.versions.items():
                for operation in Contract(version["contract"]).operations:
                    written = version["contract"]["paths"][operation.path][operation.method.lower()]
                    more: Any = {"json": _body(written)} if "requestBody" in written else {}
                    path = f"/{name}{_path(operation.path)}"
                    answer = await registered.call(
                        operation.method, path, code=definition.code, params=_query(written), **more
                    )
                    assert answer.status_code in {200, 201}, (definition.code, operation, answer.text)
                    schema = written["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
                    if not written.get("x-mock-xml"):
                        jsonschema_rs.validator_for(schema).validate(answer.json())
                    called += 1
        assert called >= 90

    async def test_offices_misbehave_on_demand_and_clients_are_told(
        self, desk: Desk, offices: httpx.AsyncClient
    ) -> None:
        told = {"down": 503, "500": 500, "garbage": 502, "truncated": 502, "wrong_length": 502, "slow": 504}
        await _offer(desk, offices, "SSO.VNeID", total_timeout_s=0.5)
        found = {}
        for kind in told:
            await offices.post("/_control/faults", json={"kind": kind, "service": "sso-vneid", "count": 1})
            answer = await desk.call("POST", "/thong-bao", code="SSO.VNeID", json={"TechID": "1"})
            found[kind] = answer.status_code
        assert found == told
        assert [one["fired"] for one in (await offices.get("/_control/faults")).json()["faults"]] == [1] * 6

    async def test_offices_that_never_end_are_cut_off(self, desk: Desk, offices: httpx.AsyncClient) -> None:
        await _offer(desk, offices, "IOC")
        for kind in ("endless", "huge"):
            await offices.post("/_control/faults", json={"kind": kind, "service": "ioc", "count": 1})
            with pytest.raises(httpx.RemoteProtocolError):
                await desk.call(path="/canh-bao", code="IOC")

    async def test_offices_keep_one_effect_for_each_key(self, desk: Desk, offices: httpx.AsyncClient) -> None:
        await _offer(desk, offices, "BoGTVT")
        body = {"MaHoSo": "H32.14-260407-0001", "BienSo": "79A-12345", "LoaiPhuHieu": "XeTai"}
        answers = [await desk.call("POST", "/phu-hieu", code="BoGTVT", key="k1", json=body) for _ in range(3)]
        assert len({answer.text for answer in answers}) == 1
        other = await desk.call("POST", "/phu-hieu", code="BoGTVT", key="k1", json={**body, "MaHoSo": "x"})
        assert other.status_code == 409
        (effect,) = (await offices.get("/_control/effects")).json()["effects"]
        assert (effect["service"], effect["key"], effect["deliveries"]) == ("bogtvt", "k1", 3)


async def _offer(desk: Desk, offices: httpx.AsyncClient, code: str, **policy: Any) -> None:
    """Register one definition, called once only, whatever comes."""
    await offices.post("/_control/reset")
    values = {"ministries": str(offices.base_url).rstrip("/"), "secret": UPSTREAM_SECRET}
    (definition,) = [one for one in definitions.read(values=values) if one.code == code]
    version = definition.versions["v1"]
    entry: Any = {**version, "policy": {"retries": {"attempts_max": 1}, **policy}}
    await desk.offer(code, **entry)
