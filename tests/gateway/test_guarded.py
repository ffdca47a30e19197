"""The door before every call: valid clients, from their networks, with their certificates, within their quotas."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.errors import (
    CertificateNeeded,
    ClientInactive,
    InvalidClient,
    NetworkRefused,
    QuotaSpent,
    RightsReduced,
)
from gateway.operations.metering import Meter
from gateway.operations.rights import Rights
from shared import clock
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import SECRET, OpenGateway
from tests.gateway.hall import Hall
from tests.gateway.registrar import Calling, Registrar
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem, eventually
from tests.support.gate import Gate, gate_before

CERTIFICATE, OTHER = b"a certificate's DER", b"another certificate's DER"


def shown(certificate: bytes) -> dict[str, str]:
    return {"Client-Cert": f":{base64.b64encode(certificate).decode()}:"}


def thumbprint(certificate: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).decode().rstrip("=")


class TestClient:
    """What is changed takes effect at once, in every replica, for tokens already given too."""

    async def test_shut_out_calls_no_more_in_any_replica(self, registrar: Registrar, replica: Visitor) -> None:
        caller = await registrar.caller()
        assert [(await caller.call(http=http)).status_code for http in (None, replica.http)] == [200, 200]
        await registrar.post(f"/{caller.client_id}/deactivate", json={"reason": "Lộ mật khẩu"})
        for http in (None, replica.http):
            answer = await caller.comes_to(401, http=http, within_s=5)
            assert_problem(answer, ClientInactive)
            assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert (await registrar.change(caller.client_id, active=True)).status_code == 200
        await caller.comes_to(200, http=replica.http)

    async def test_new_calls_at_once_in_another_replica(self, registrar: Registrar, replica: Visitor) -> None:
        caller = await registrar.caller()
        assert (await caller.call(http=replica.http)).status_code == 200

    @pytest.mark.parametrize("until_s", [-1, 1])
    async def test_calls_only_while_its_registration_holds(self, registrar: Registrar, until_s: int) -> None:
        caller = await registrar.caller()
        end = (clock.now() + timedelta(seconds=until_s)).isoformat()
        await registrar.change(caller.client_id, valid_until=end)
        assert_problem(await caller.comes_to(401), ClientInactive)

    async def test_with_fewer_rights_needs_a_new_token(self, registrar: Registrar) -> None:
        caller = await registrar.caller(scopes=["dossiers:read", "tasks:read"])
        await registrar.change(caller.client_id, scopes=["dossiers:read"])
        assert_problem(await caller.comes_to(401), RightsReduced)
        again = Calling(caller.http, caller.client_id, await registrar.token(caller.client_id))
        assert (await again.call()).status_code == 200

    async def test_with_more_rights_may_use_its_old_token(self, registrar: Registrar) -> None:
        caller = await registrar.caller()
        await registrar.change(caller.client_id, scopes=["dossiers:read", "tasks:read"])
        assert (await caller.call()).status_code == 200

    async def test_has_its_rights_at_hand_behind_the_door(self, registrar: Registrar) -> None:
        grant = {"service": "BHXH", "methods": ["GET"], "paths": []}
        caller = await registrar.caller(grants=[grant], calls_per_day=10)
        await registrar.visitor.app.state.book.refresh()
        entry = registrar.visitor.app.state.book.find(caller.client_id)
        assert entry.rights.may_call("BHXH", "GET", "/x")
        assert not entry.rights.may_call("BHXH", "POST", "/x")


class TestNetwork:
    @pytest.mark.parametrize(
        ("forwarded", "status"),
        [
            ("10.1.2.3", 200),
            ("10.2.0.1", 403),
            ("10.1.2.3, 203.0.113.9", 403),
            ("203.0.113.9, 10.1.2.3", 200),
            ("203.0.113.9, 10.1.2.3:4711, 127.0.0.9", 200),
            ("::ffff:10.1.2.3", 200),
            ("10.1.2.3, nonsense", 403),
            ("", 403),
        ],
    )
    async def test_is_that_of_the_last_stranger(
        self, registrar: Registrar, replica: Visitor, forwarded: str, status: int
    ) -> None:
        """Behind a proxy of ours, what it wrote down counts, and not what the client sent along."""
        client_id = (await registrar.client(networks=["10.1.0.0/16"]))["client_id"]
        secret = await registrar.secret(client_id)
        inside = {"X-Forwarded-For": "10.1.0.1"}
        token = (await registrar.ask(client_id, secret, http=replica.http, headers=inside)).json()["access_token"]
        caller = Calling(replica.http, client_id, token)
        answer = await caller.call(headers={"X-Forwarded-For": forwarded})
        assert answer.status_code == status
        if status == 403:
            assert_problem(answer, NetworkRefused)

    async def test_is_not_what_a_stranger_says(self, registrar: Registrar) -> None:
        """This gateway has no proxy before it."""
        client_id = (await registrar.client(networks=["10.1.0.0/16"]))["client_id"]
        secret = await registrar.secret(client_id)
        headers = {"X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
        answer = await registrar.ask(client_id, secret, headers=headers)
        assert assert_problem(answer, NetworkRefused)["error"] == "unauthorized_client"


class TestCertificate:
    @pytest.fixture
    async def bound(self, registrar: Registrar, replica: Visitor) -> Calling:
        more: dict[str, Any] = {"certificate_bound": True, "certificates": [thumbprint(CERTIFICATE)]}
        client_id = (await registrar.client(**more))["client_id"]
        secret = await registrar.secret(client_id)
        for headers in ({}, shown(OTHER)):
            assert_problem(await registrar.ask(client_id, secret, http=replica.http, headers=headers), InvalidClient)
        answer = await registrar.ask(client_id, secret, http=replica.http, headers=shown(CERTIFICATE))
        return Calling(replica.http, client_id, answer.json()["access_token"])

    async def test_is_asked_for_at_every_call(self, bound: Calling) -> None:
        assert (await bound.call(headers=shown(CERTIFICATE))).status_code == 200
        for headers in ({}, shown(OTHER), {"Client-Cert": "nonsense"}, {"Client-Cert": "::"}):
            answer = await bound.call(headers=headers)
            assert_problem(answer, CertificateNeeded)
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]

    async def test_is_not_believed_from_an_unlisted_peer(self, bound: Calling, registrar: Registrar) -> None:
        answer = await bound.call(http=registrar.http, headers=shown(CERTIFICATE))
        assert_problem(answer, CertificateNeeded)

    async def test_is_the_tokens_own_and_not_another_of_the_client(
        self, registrar: Registrar, replica: Visitor, bound: Calling
    ) -> None:
        both = [thumbprint(CERTIFICATE), thumbprint(OTHER)]
        await registrar.change(bound.client_id, certificates=both)
        await replica.app.state.book.refresh()
        assert_problem(await bound.call(headers=shown(OTHER)), CertificateNeeded)
        assert (await bound.call(headers=shown(CERTIFICATE))).status_code == 200

    async def test_is_not_passed_on(self, bound: Calling, backstage: Backstage) -> None:
        await bound.call(headers=shown(CERTIFICATE))
        assert backstage.heard[-1].header("client-cert") is None

    async def test_taken_from_the_register_is_worth_nothing(self, bound: Calling, registrar: Registrar) -> None:
        await registrar.change(bound.client_id, certificates=[thumbprint(OTHER)])
        await bound.comes_to(401, headers=shown(CERTIFICATE))


class TestQuota:
    async def test_of_a_minute_is_refused_and_told(self, registrar: Registrar) -> None:
        caller = await registrar.caller(calls_per_minute=3)
        answers = [await caller.call() for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"minute";q=3;w=60'
        assert answers[0].headers["ratelimit"].startswith('"minute";r=2;t=')
        refused = assert_problem(answers[-1], QuotaSpent)
        assert (refused["quota"], refused["limit"]) == ("minute", 3)
        assert int(answers[-1].headers["retry-after"]) in range(1, 21)
        assert answers[-1].headers["ratelimit"].startswith('"minute";r=0;t=')

    async def test_of_others_is_untouched(self, registrar: Registrar, visitor: Visitor) -> None:
        caller = await registrar.caller(calls_per_minute=1)
        assert [(await caller.call()).status_code for _ in range(2)] == [200, 429]
        answer = await visitor.get("/api/v1/dossiers")
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers

    async def test_of_a_day_is_counted_over_all_replicas(
        self, registrar: Registrar, replica: Visitor, house: Hall
    ) -> None:
        caller = await registrar.caller(calls_per_day=5)
        assert [(await caller.call()).status_code for _ in range(3)] == [200] * 3

        async def added_up() -> bool:
            rows = await house.rows("SELECT calls FROM client_day WHERE client_id = :id", id=caller.client_id)
            return [row["calls"] for row in rows] == [3]

        await eventually(added_up)
        answers = [await caller.call(http=replica.http) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert assert_problem(answers[-1], QuotaSpent)["quota"] == "day"
        assert 0 < int(answers[-1].headers["retry-after"]) <= 86_400
        assert answers[0].headers["ratelimit-policy"] == '"day";q=5;w=86400'
        assert answers[0].headers["ratelimit"].startswith('"day";r=1;t=')

    async def test_of_calls_at_a_time_frees_itself(self, registrar: Registrar, backstage: Backstage) -> None:
        caller = await registrar.caller(concurrency_max=2)
        backstage.hold = asyncio.Event()
        under_way = [asyncio.create_task(caller.call()) for _ in range(2)]

        async def both_there() -> bool:
            return len(backstage.heard) == 2

        await eventually(both_there, within_s=0.4)
        refused = await caller.call()
        backstage.hold.set()
        assert assert_problem(refused, QuotaSpent)["quota"] == "concurrency"
        assert [answer.status_code for answer in await asyncio.gather(*under_way)] == [200, 200]
        backstage.hold = None
        assert (await caller.call()).status_code == 200

    async def test_is_shared_between_replicas(self, hall: Hall) -> None:
        meter = Meter(hall.database, replicas=2)
        rights = Rights("x", calls_per_minute=5, concurrency_max=3)
        found = [await meter.enter(rights) for _ in range(3)]
        assert [spent.quota if spent else None for spent in found] == [None, None, "concurrency"]
        for _ in range(2):
            meter.leave(rights)
        found = [await meter.enter(rights) for _ in range(2)]
        assert [spent.quota if spent else None for spent in found] == [None, "minute"]

    async def test_of_a_day_goes_on_after_a_restart(self, hall: Hall) -> None:
        rights = Rights("x", calls_per_day=3)
        first = Meter(hall.database)
        assert [await first.enter(rights) for _ in range(2)] == [None, None]
        await first._add_up_all()
        second = Meter(hall.database)
        assert await second.enter(rights) is None
        spent = await second.enter(rights)
        assert spent is not None
        assert spent.quota == "day"


class TestOutage:
    """The database away: whoever is known goes on calling."""

    async def test_leaves_the_known_clients_in(self, house: Hall, shaky: "Shaky") -> None:
        http, gate = shaky.http, shaky.gate
        visitor = Visitor(shaky.app, http, SECRET)
        caller = Calling(http, "one-stop", await visitor.token("one-stop"))
        gate.shut()
        assert (await caller.call()).status_code == 200
        await gate.open()
        away = "UPDATE client SET active = false, version = version + 1 WHERE client_id = 'one-stop'"
        await house.rows(away)
        try:
            # No notification told of it: it is noticed all the same.
            assert_problem(await caller.comes_to(401), ClientInactive)
        finally:
            await house.rows(away.replace("false", "true"))
        await caller.comes_to(200)


class Shaky:
    """A gateway whose database can be cut off."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, gate: Gate) -> None:
        self.app, self.http, self.gate = app, http, gate


@pytest.fixture
async def shaky(gateway_url: str, open_gateway: OpenGateway) -> AsyncIterator[Shaky]:
    async with gate_before(gateway_url) as gate, open_gateway(database_url=gate.url) as visitor:
        yield Shaky(visitor.app, visitor.http, gate)
