"""The register: who may manage which clients, and what becomes of a change."""

from typing import Any

import pytest

from gateway.errors import (
    ClientChanged,
    ClientExists,
    ClientUnknown,
    ClientVersionMissing,
    Escalation,
    InvalidCursor,
    ShutsOutOneself,
)
from shared.errors import Forbidden, InvalidRequest
from shared.ids import new_id
from tests.gateway.hall import Hall
from tests.gateway.registrar import CLIENTS, Registrar
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem

POPULATION = {"service": "CSDL_DanCu", "methods": ["GET"], "paths": ["/citizens/*"]}


@pytest.fixture
def local(visitor: Visitor) -> Registrar:
    """Lend the manager of one unit, who holds dossiers:read and tasks:read and may not give more."""
    return Registrar(visitor, who="registrar-h32.14")


def fresh(**more: Any) -> dict[str, Any]:
    body = {"client_id": f"c-{new_id().hex}", "name": "Hệ thống thử", "agency": "H32.14", "scopes": ["dossiers:read"]}
    return body | more


class TestRegister:
    async def test_keeps_all_that_is_said(self, registrar: Registrar) -> None:
        said = {
            "agency": "H32.14",
            "valid_until": "2030-01-01T00:00:00Z",
            "networks": ["10.1.0.0/16", "2001:db8::/32"],
            "calls_per_minute": 60,
            "calls_per_day": 1000,
            "concurrency_max": 4,
            "certificates": ["A" * 43],
            "certificate_bound": True,
            "grants": [POPULATION],
        }
        client = await registrar.client(**said)
        assert {name: client[name] for name in said} == said
        read = await registrar.get(f"/{client['client_id']}")
        assert read.json() == client
        assert read.headers["etag"] == f'"{client["version"]}"'

    async def test_takes_an_id_once(self, registrar: Registrar) -> None:
        client = await registrar.client()
        assert_problem(await registrar.post(json=fresh(client_id=client["client_id"])), ClientExists)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("client_id", "expiring"),
            ("client_id", "a b"),
            ("networks", ["10.1.2.3/16"]),
            ("networks", ["everywhere"]),
            ("calls_per_minute", 0),
            ("certificates", ["short"]),
            ("scopes", ["Ops:Read"]),
            ("valid_from", "2026-01-01T00:00:00"),
            ("grants", [{"service": "x y"}]),
            ("grants", [{"service": "x", "methods": ["get"]}]),
            ("grants", [{"service": "x", "paths": ["citizens"]}]),
            ("agency", "H33"),
            ("version", 7),
        ],
    )
    async def test_names_the_field_that_it_cannot_take(self, registrar: Registrar, name: str, value: Any) -> None:
        problem = assert_problem(await registrar.post(json=fresh(**{name: value})), InvalidRequest)
        assert any(name in error["field"] for error in problem["errors"])

    async def test_refuses_an_end_before_the_beginning(self, registrar: Registrar) -> None:
        times = {"valid_from": "2030-01-02T00:00:00Z", "valid_until": "2030-01-01T00:00:00Z"}
        assert_problem(await registrar.post(json=fresh(**times)), InvalidRequest)


class TestManager:
    """A manager sees and manages the clients of his agency and those below it, nobody else's."""

    async def test_knows_nothing_of_other_agencies_clients(self, registrar: Registrar, local: Registrar) -> None:
        client_id = (await registrar.client(agency="H32.15"))["client_id"]
        paths = ["", "/secrets", "/keys", "/changes"]
        answers = [await local.get(f"/{client_id}{path}") for path in paths]
        answers += [await local.post(f"/{client_id}/{act}", json=body) for act, body in ACTS]
        answers.append(await local.change(client_id, version=1, name="Mine"))
        for answer in answers:
            assert_problem(answer, ClientUnknown)
        listed = (await local.get()).json()["items"]
        assert {one["agency"] for one in listed} <= {"H32.14"}

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_needs_the_scope(self, visitor: Visitor, method: str) -> None:
        assert_problem(await visitor.send(method, CLIENTS, who="ops", json=fresh()), Forbidden)

    async def test_gives_what_he_holds(self, local: Registrar) -> None:
        client = await local.client(agency="H32.14", scopes=["dossiers:read", "tasks:read"])
        assert await local.secret(client["client_id"])

    @pytest.mark.parametrize(
        "more",
        [{"scopes": ["dossiers:read", "ops:act"]}, {"scopes": ["clients:grant"]}, {"grants": [POPULATION]}],
        ids=["scope", "grant-scope", "grant"],
    )
    async def test_gives_no_more_than_he_holds(self, local: Registrar, more: dict[str, Any]) -> None:
        assert_problem(await local.post(json=fresh(**more)), Escalation)

    async def test_cannot_raise_a_client_above_himself(self, local: Registrar) -> None:
        client = await local.client(agency="H32.14")
        assert_problem(await local.change(client["client_id"], scopes=["dossiers:read", "sync:read"]), Escalation)
        answer = await local.visitor.send(
            "PUT",
            f"{CLIENTS}/{client['client_id']}/grants",
            who=local.who,
            headers={"If-Match": f'"{client["version"]}"'},
            json={"grants": [POPULATION]},
        )
        assert_problem(answer, Escalation)

    async def test_cannot_become_a_client_that_has_more(self, local: Registrar, registrar: Registrar) -> None:
        """A credential of another client is that client's rights."""
        client_id = (await registrar.client(agency="H32.14", scopes=["ops:act"]))["client_id"]
        assert_problem(await local.post(f"/{client_id}/secrets", json={}), Escalation)
        assert_problem(await local.post(f"/{client_id}/secrets/rotate", json={}), Escalation)
        assert_problem(await local.change(client_id, networks=["0.0.0.0/0"]), Escalation)

    async def test_cannot_loosen_what_binds_himself(self, local: Registrar) -> None:
        assert_problem(await local.change(local.who, calls_per_minute=100_000), Escalation)

    async def test_does_not_shut_himself_out(self, registrar: Registrar) -> None:
        answer = await registrar.post(f"/{registrar.who}/deactivate", json={"reason": "Nhầm"})
        assert_problem(answer, ShutsOutOneself)
        assert_problem(await registrar.change(registrar.who, active=False), ShutsOutOneself)

    async def test_can_shut_out_a_client_that_has_more(self, local: Registrar, registrar: Registrar) -> None:
        client_id = (await registrar.client(agency="H32.14", scopes=["ops:act"]))["client_id"]
        answer = await local.post(f"/{client_id}/deactivate", json={"reason": "Lộ mật khẩu"})
        assert (answer.status_code, answer.json()["active"]) == (200, False)


ACTS = [
    ("deactivate", {"reason": "xyz"}),
    ("secrets", {}),
    ("secrets/rotate", {}),
    (f"secrets/{new_id()}/revoke", None),
    (f"keys/{new_id()}/revoke", None),
]


class TestChange:
    async def test_of_two_managers_at_once_is_the_firsts(self, registrar: Registrar) -> None:
        client = await registrar.client()
        first = await registrar.change(client["client_id"], version=client["version"], name="Tên mới")
        assert (first.status_code, first.json()["name"]) == (200, "Tên mới")
        second = await registrar.change(client["client_id"], version=client["version"], name="Tên khác")
        assert_problem(second, ClientChanged)
        assert (await registrar.get(f"/{client['client_id']}")).json()["name"] == "Tên mới"

    async def test_names_its_version(self, registrar: Registrar) -> None:
        client = await registrar.client()
        path = f"{CLIENTS}/{client['client_id']}"
        answer = await registrar.visitor.send("PATCH", path, who=registrar.who, json={"name": "Tên mới"})
        assert_problem(answer, ClientVersionMissing)

    async def test_leaves_what_is_not_named(self, registrar: Registrar) -> None:
        client = await registrar.client(calls_per_minute=5, calls_per_day=9)
        changed = (await registrar.change(client["client_id"], calls_per_minute=None)).json()
        assert (changed["calls_per_minute"], changed["calls_per_day"]) == (None, 9)

    async def test_takes_no_null_for_what_is_needed(self, registrar: Registrar) -> None:
        client = await registrar.client()
        assert_problem(await registrar.change(client["client_id"], scopes=None), InvalidRequest)

    async def test_is_kept_with_who_and_what_and_without_secrets(self, registrar: Registrar, house: Hall) -> None:
        client_id = (await registrar.client())["client_id"]
        secret = await registrar.secret(client_id)
        await registrar.change(client_id, scopes=["dossiers:read", "sync:read"])
        await registrar.post(f"/{client_id}/deactivate", json={"reason": "Hết hợp đồng"})
        changes = (await registrar.get(f"/{client_id}/changes")).json()["items"]
        assert [change["action"] for change in changes] == ["deactivated", "changed", "secret_added", "registered"]
        assert {change["actor"] for change in changes} == {registrar.who}
        assert changes[1]["detail"]["to"] == {"scopes": ["dossiers:read", "sync:read"]}
        kept = await house.rows("SELECT * FROM client_change") + await house.rows("SELECT * FROM client_secret")
        kept += await house.rows("SELECT convert_from(body, 'UTF8') AS body FROM idempotency_key")
        assert secret not in str(kept)

    async def test_history_is_read_in_parts(self, registrar: Registrar) -> None:
        client_id = (await registrar.client())["client_id"]
        for nth in range(3):
            await registrar.change(client_id, name=f"Tên {nth}")
        first = (await registrar.get(f"/{client_id}/changes?limit=3")).json()
        rest = (await registrar.get(f"/{client_id}/changes?limit=3&cursor={first['next_cursor']}")).json()
        assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [3, 1, None]


class TestList:
    async def test_goes_on_by_cursor_without_gap_or_repeat(self, registrar: Registrar) -> None:
        made = {(await registrar.client(scopes=["sync:read"]))["client_id"] for _ in range(5)}
        more, seen = "", []
        while more is not None:
            page = (await registrar.get(f"?limit=2&scope=sync:read&agency=H32{more}")).json()
            seen += [one["client_id"] for one in page["items"]]
            more = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        assert len(seen) == len(set(seen))
        assert made <= set(seen)

    async def test_refuses_a_cursor_of_another_kind(self, registrar: Registrar) -> None:
        assert_problem(await registrar.get("?cursor=%C3%A9"), InvalidCursor)
