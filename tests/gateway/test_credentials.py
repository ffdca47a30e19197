"""How a client proves who it is: secrets and keys that replace each other, assertions that are good for once."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.errors import (
    CredentialsFull,
    CredentialUnknown,
    InvalidClient,
    TokenRequestInvalid,
    TooManyAttempts,
)
from gateway.operations.tending import ENDING, forget_old, measure_endings
from gateway.routes.limits import LoginGuard
from gateway.routes.tokens import ASSERTION_TYPE
from shared import clock
from shared.errors import InvalidRequest
from shared.ids import new_id
from tests.gateway.conftest import ISSUER, SECRET
from tests.gateway.hall import Hall
from tests.gateway.registrar import CLIENTS, CREDENTIALS, Registrar
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem

TOKEN_URL = f"{ISSUER}/oauth/token"


def new_key() -> ECKey:
    return ECKey.generate_key("P-256", private=True)


def assertion(client_id: str, key: ECKey | OKPKey | RSAKey, alg: str = "ES256", **claims: Any) -> str:
    now = int(clock.now().timestamp())
    usual = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": str(new_id())}
    whole = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode({"alg": alg}, whole, key, algorithms=[alg])


async def ask(http: httpx.AsyncClient, signed: str, **form: str) -> httpx.Response:
    data = {**CREDENTIALS, "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed, **form}
    return await http.post("/oauth/token", data=data)


class TestSecret:
    async def test_is_told_once_and_never_again(self, registrar: Registrar) -> None:
        client_id = (await registrar.client())["client_id"]
        first = await registrar.post(f"/{client_id}/secrets", json={}, key=(key := str(new_id())))
        again = await registrar.post(f"/{client_id}/secrets", json={}, key=key)
        told = first.json()
        assert len(told["secret"]) == 43
        assert first.headers["cache-control"] == "no-store"
        assert again.headers["idempotency-replayed"] == "true"
        assert (again.status_code, again.json()) == (201, told | {"secret": None})
        (listed,) = (await registrar.get(f"/{client_id}/secrets")).json()["items"]
        assert listed == {name: value for name, value in told.items() if name != "secret"}

    async def test_rotated_overlaps_and_then_ends_by_itself(self, registrar: Registrar, house: Hall) -> None:
        client_id = (await registrar.client())["client_id"]
        old = await registrar.secret(client_id)
        made = (await registrar.post(f"/{client_id}/secrets/rotate", json={})).json()
        for secret in (old, made["secret"]):
            assert (await registrar.ask(client_id, secret)).status_code == 200
        newest, oldest = (await registrar.get(f"/{client_id}/secrets")).json()["items"]
        assert (newest["expires_at"], newest["holds"]) == (None, True)
        assert oldest["expires_at"] is not None
        assert oldest["last_used_at"] is not None
        soon = (await registrar.get("/expiring")).json()["items"]
        assert [(one["kind"], one["last"]) for one in soon if one["client_id"] == client_id] == [("secret", False)]
        assert oldest["expires_at"] in {one["ends_at"] for one in soon if one["client_id"] == client_id}
        # Fourteen days later.
        statement = "UPDATE client_secret SET expires_at = now() WHERE client_id = :id AND expires_at IS NOT NULL"
        await house.rows(statement, id=client_id)
        assert_problem(await registrar.ask(client_id, old), InvalidClient)
        assert (await registrar.ask(client_id, made["secret"])).status_code == 200

    async def test_rotated_without_overlap_ends_at_once(self, registrar: Registrar) -> None:
        client_id = (await registrar.client())["client_id"]
        old = await registrar.secret(client_id)
        await registrar.post(f"/{client_id}/secrets/rotate", json={"overlap_days": 0})
        assert_problem(await registrar.ask(client_id, old), InvalidClient)

    async def test_rotated_lengthens_no_life(self, registrar: Registrar) -> None:
        client_id = (await registrar.client())["client_id"]
        tomorrow = (clock.now() + timedelta(days=1)).isoformat()
        await registrar.secret(client_id, expires_at=tomorrow)
        before = (await registrar.get(f"/{client_id}/secrets")).json()["items"][0]
        await registrar.post(f"/{client_id}/secrets/rotate", json={})
        after = (await registrar.get(f"/{client_id}/secrets")).json()["items"][1]
        assert after["expires_at"] == before["expires_at"]

    async def test_revoked_gives_no_token(self, registrar: Registrar) -> None:
        client_id = (await registrar.client())["client_id"]
        made = (await registrar.post(f"/{client_id}/secrets", json={})).json()
        other = await registrar.secret(client_id)
        answer = await registrar.post(f"/{client_id}/secrets/{made['id']}/revoke")
        assert answer.json()["holds"] is False
        assert_problem(await registrar.ask(client_id, made["secret"]), InvalidClient)
        assert (await registrar.ask(client_id, other)).status_code == 200

    async def test_of_another_client_is_not_revoked(self, registrar: Registrar) -> None:
        mine, theirs = (await registrar.client())["client_id"], (await registrar.client())["client_id"]
        made = (await registrar.post(f"/{theirs}/secrets", json={})).json()
        assert_problem(await registrar.post(f"/{mine}/secrets/{made['id']}/revoke"), CredentialUnknown)

    async def test_is_one_of_five(self, registrar: Registrar) -> None:
        client_id = (await registrar.client())["client_id"]
        for _ in range(5):
            await registrar.secret(client_id)
        assert_problem(await registrar.post(f"/{client_id}/secrets", json={}), CredentialsFull)

    @pytest.mark.parametrize(
        "body", [{"overlap_days": 91}, {"overlap_days": -1}, {"expires_at": "2020-01-01T00:00:00Z"}]
    )
    async def test_refuses_an_overlap_or_end_out_of_bounds(self, registrar: Registrar, body: dict[str, Any]) -> None:
        client_id = (await registrar.client())["client_id"]
        assert_problem(await registrar.post(f"/{client_id}/secrets/rotate", json=body), InvalidRequest)

    async def test_of_a_client_shut_out_or_not_yet_valid_gives_no_token(self, registrar: Registrar) -> None:
        for more in (
            {"active": False},
            {"valid_from": "2099-01-01T00:00:00Z"},
            {"valid_until": "2020-01-01T00:00:00Z"},
        ):
            client_id = (await registrar.client(**more))["client_id"]
            assert_problem(await registrar.ask(client_id, await registrar.secret(client_id)), InvalidClient)


class TestKey:
    @pytest.mark.parametrize(
        ("key", "alg"),
        [
            (ECKey.generate_key("P-256"), "ES256"),
            (ECKey.generate_key("P-384"), "ES384"),
            (RSAKey.generate_key(2048), "RS256"),
            (OKPKey.generate_key("Ed25519"), "Ed25519"),
        ],
        ids=["P-256", "P-384", "RSA", "Ed25519"],
    )
    async def test_signs_assertions(self, registrar: Registrar, key: Any, alg: str) -> None:
        client_id = await with_key(registrar, key)
        answer = await ask(registrar.http, assertion(client_id, key, alg, aud=[TOKEN_URL]))
        assert answer.status_code == 200, answer.text
        (listed,) = (await registrar.get(f"/{client_id}/keys")).json()["items"]
        assert "d" not in listed["jwk"]

    async def test_rotated_overlaps_and_revoked_ends(self, registrar: Registrar) -> None:
        old, new = new_key(), new_key()
        client_id = await with_key(registrar, old)
        jwk = new.as_dict(private=False)
        made = (await registrar.post(f"/{client_id}/keys/rotate", json={"jwk": jwk, "overlap_days": 3})).json()
        for key in (old, new):
            assert (await ask(registrar.http, assertion(client_id, key))).status_code == 200
        await registrar.post(f"/{client_id}/keys/{made['id']}/revoke")
        assert_problem(await ask(registrar.http, assertion(client_id, new)), InvalidClient)
        assert (await ask(registrar.http, assertion(client_id, old))).status_code == 200

    @pytest.mark.parametrize(
        "jwk",
        [
            new_key().as_dict(private=True),
            RSAKey.generate_key(1024).as_dict(private=False),
            ECKey.generate_key("secp256k1").as_dict(private=False),
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
            {},
        ],
        ids=["private", "short", "curve", "symmetric", "broken", "empty"],
    )
    async def test_of_an_unfit_kind_is_refused(self, registrar: Registrar, jwk: dict[str, Any]) -> None:
        client_id = (await registrar.client())["client_id"]
        assert_problem(await registrar.post(f"/{client_id}/keys", json={"jwk": jwk}), InvalidRequest)


async def with_key(registrar: Registrar, key: Any) -> str:
    client_id = (await registrar.client())["client_id"]
    answer = await registrar.post(f"/{client_id}/keys", json={"jwk": key.as_dict(private=False)})
    assert answer.status_code == 201, answer.text
    return client_id


class TestAssertion:
    async def test_is_good_for_one_token_in_all_replicas(self, registrar: Registrar, replica: Visitor) -> None:
        key = new_key()
        client_id = await with_key(registrar, key)
        signed = assertion(client_id, key)
        assert (await ask(registrar.http, signed)).status_code == 200
        for http in (registrar.http, replica.http):
            assert "used before" in assert_problem(await ask(http, signed), InvalidClient)["detail"]

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "https://elsewhere.example"},
            {"aud": None},
            {"iss": "one-stop"},
            {"exp": None},
            {"exp": 1},
            {"exp": 4_000_000_000},
            {"exp": "soon"},
            {"nbf": 4_000_000_000},
            {"jti": None},
            {"jti": ""},
            {"jti": "x" * 300},
        ],
        ids=str,
    )
    async def test_with_wrong_claims_is_refused(self, registrar: Registrar, claims: dict[str, Any]) -> None:
        key = new_key()
        client_id = await with_key(registrar, key)
        problem = assert_problem(await ask(registrar.http, assertion(client_id, key, **claims)), InvalidClient)
        assert problem["error"] == "invalid_client"

    async def test_of_a_strangers_key_is_refused(self, registrar: Registrar) -> None:
        client_id = await with_key(registrar, new_key())
        assert_problem(await ask(registrar.http, assertion(client_id, new_key())), InvalidClient)
        assert_problem(await ask(registrar.http, assertion("nobody-at-all", new_key())), InvalidClient)
        assert_problem(await ask(registrar.http, "a.b.c"), InvalidClient)
        assert_problem(await ask(registrar.http, assertion(client_id, new_key()), client_id="ops"), InvalidClient)

    async def test_beside_a_secret_is_refused(self, registrar: Registrar) -> None:
        answer = await ask(registrar.http, "a.b.c", client_id="ops", client_secret=SECRET)
        assert assert_problem(answer, TokenRequestInvalid)["error"] == "invalid_request"

    async def test_is_forgotten_once_it_has_expired(self, hall: Hall) -> None:
        insert = "INSERT INTO client_assertion VALUES ('x', :jti, now() + :left * interval '1 s')"
        for jti, left in ((b"old", -1), (b"new", 60)):
            await hall.rows(insert, jti=jti, left=left)
        await forget_old(hall.database)
        assert [row["jti_sha256"] for row in await hall.rows("SELECT jti_sha256 FROM client_assertion")] == [b"new"]


class TestForm:
    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ("grant_type=client_credentials&client_id=a&client_id=b", "invalid_request"),
            ("client_id=ops", "invalid_request"),
            ("grant_type=password&client_id=ops", "unsupported_grant_type"),
            (f"grant_type=client_credentials&client_id=ops&client_secret={SECRET}&scope=sync:read", "invalid_scope"),
            ("grant_type=client_credentials&client_id=ops&client_secret=x", "invalid_client"),
        ],
    )
    async def test_is_answered_as_oauth_clients_expect(self, visitor: Visitor, form: str, error: str) -> None:
        """RFC 6749 §5.2: application/json, `error`, never kept; 401 names a way to say who one is."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = await visitor.http.post("/oauth/token", content=form, headers=headers)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["error"] == error
        assert answer.status_code == (401 if error == "invalid_client" else 400)
        assert ("www-authenticate" in answer.headers) is (answer.status_code == 401)

    async def test_names_are_decoded_from_basic(self, registrar: Registrar) -> None:
        """RFC 6749 §2.3.1: both halves are form-encoded first."""
        client_id = (await registrar.client())["client_id"]
        secret = await registrar.secret(client_id)
        coded = "".join(f"%{ord(letter):02X}" for letter in client_id), "".join(f"%{ord(one):02X}" for one in secret)
        answer = await registrar.http.post("/oauth/token", data=CREDENTIALS, auth=coded)
        assert answer.status_code == 200, answer.text


class TestGuard:
    """Whoever tries has to wait after a while; others need not."""

    async def test_lets_one_address_try_so_often(self, replica: Visitor) -> None:
        http, address = replica.http, {"X-Forwarded-For": "203.0.113.7"}
        guard = replica.app.state.login_guard
        replica.app.state.login_guard = LoginGuard(3)
        try:
            wrong = {**CREDENTIALS, "client_id": "one-stop", "client_secret": "wrong"}
            answers = [await http.post("/oauth/token", data=wrong, headers=address) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
            assert_problem(answers[-1], TooManyAttempts)
            assert int(answers[-1].headers["retry-after"]) in range(1, 21)
            right = {**CREDENTIALS, "client_id": "one-stop", "client_secret": SECRET}
            others = [{"X-Forwarded-For": "203.0.113.8"}, {}]
            assert [(await http.post("/oauth/token", data=right, headers=one)).status_code for one in others] == [
                200
            ] * 2
        finally:
            replica.app.state.login_guard = guard


class TestExpiring:
    async def test_says_what_nothing_replaces(self, registrar: Registrar) -> None:
        end = (clock.now() + timedelta(days=5)).isoformat()
        lonely = (await registrar.client())["client_id"]
        await registrar.secret(lonely, expires_at=end)
        ending = (await registrar.client(valid_until=end))["client_id"]
        found = (await registrar.get("/expiring?within_days=6")).json()["items"]
        seen = {one["client_id"]: (one["kind"], one["last"]) for one in found}
        assert (seen[lonely], seen[ending]) == (("secret", True), ("client", True))
        assert lonely not in {
            one["client_id"] for one in (await registrar.get("/expiring?within_days=4")).json()["items"]
        }

    async def test_is_of_the_managers_own_agencies(self, registrar: Registrar, visitor: Visitor) -> None:
        end = (clock.now() + timedelta(days=5)).isoformat()
        client_id = (await registrar.client(agency="H32.15", valid_until=end))["client_id"]
        found = (await visitor.get(f"{CLIENTS}/expiring", who="registrar-h32.14")).json()["items"]
        assert client_id not in {one["client_id"] for one in found}

    async def test_is_measured(self, registrar: Registrar, house: Hall) -> None:
        end = (clock.now() + timedelta(days=5)).isoformat()
        client_id = (await registrar.client())["client_id"]
        await measure_endings(house.database)
        before = ENDING.labels("secret", "true")._value.get()
        await registrar.secret(client_id, expires_at=end)
        await measure_endings(house.database)
        assert ENDING.labels("secret", "true")._value.get() == before + 1
