"""The token endpoint: client credentials in, a signed token out."""

import base64
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from gateway.errors import InvalidClient, InvalidScope, TokenRequestInvalid, UnsupportedGrant
from shared.errors import Unauthenticated
from shared.tokens import AUDIENCE
from tests.gateway.conftest import CLIENTS, ISSUER, SECRET
from tests.gateway.hall import Hall
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem

GRANT = {"grant_type": "client_credentials"}


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


async def ask(visitor: Visitor, headers: dict[str, Any] | None = None, **form: str) -> httpx.Response:
    return await visitor.http.post("/oauth/token", data={**GRANT, **form}, headers=headers)


class TestGrant:
    """A client that says who it is."""

    @pytest.mark.parametrize("client_id", [name for name in CLIENTS if name != "gone"])
    async def test_gives_a_token_of_the_clients_agency_and_scopes(self, visitor: Visitor, client_id: str) -> None:
        agency, scopes = CLIENTS[client_id]
        answer = await ask(visitor, client_id=client_id, client_secret=SECRET)
        assert answer.status_code == 200
        given = answer.json()
        assert (given["token_type"], given["expires_in"]) == ("Bearer", 600)
        assert set(given["scope"].split()) == set(scopes.split())
        keys = KeySet.import_key_set((await visitor.http.get("/.well-known/jwks.json")).json())
        token = jwt.decode(given["access_token"], keys, algorithms=["ES256"])
        assert token.header["typ"] == "at+jwt"
        claims = token.claims
        assert (claims["iss"], claims["aud"], claims["sub"], claims["agency"]) == (ISSUER, AUDIENCE, client_id, agency)
        assert claims["exp"] - claims["iat"] == 600
        assert claims["scope"] == given["scope"]

    async def test_takes_basic_and_prefers_it_to_the_form(self, visitor: Visitor) -> None:
        answer = await ask(visitor, basic("one-stop", SECRET), client_id="ops", client_secret="wrong")
        assert answer.status_code == 200
        assert "tasks:read" in answer.json()["scope"]

    async def test_is_not_to_be_kept(self, visitor: Visitor) -> None:
        answer = await ask(visitor, client_id="one-stop", client_secret=SECRET)
        assert answer.headers["cache-control"] == "no-store"

    async def test_gives_only_the_scopes_asked_for(self, visitor: Visitor) -> None:
        answer = await ask(visitor, client_id="ops", client_secret=SECRET, scope="ops:read")
        assert answer.json()["scope"] == "ops:read"

    async def test_refuses_a_scope_that_was_not_granted(self, visitor: Visitor) -> None:
        answer = await ask(visitor, client_id="statistics", client_secret=SECRET, scope="sync:read ops:act")
        document = assert_problem(answer, InvalidScope)
        assert "ops:act" in document["detail"]
        assert document["missing"] == ["ops:act"]

    async def test_refuses_another_grant(self, visitor: Visitor) -> None:
        answer = await visitor.http.post("/oauth/token", data={"grant_type": "password", "client_id": "one-stop"})
        assert_problem(answer, UnsupportedGrant)

    async def test_refuses_a_form_without_its_grant(self, visitor: Visitor) -> None:
        assert_problem(await visitor.http.post("/oauth/token", data={"client_id": "one-stop"}), TokenRequestInvalid)


class TestStranger:
    """Whoever is not a client."""

    @pytest.mark.parametrize(
        ("client_id", "secret"),
        [
            ("one-stop", "wrong"),
            ("one-stop", ""),
            ("stranger", SECRET),
            ("", ""),
            ("gone", SECRET),
            ("one-stop", "ü" * 43),
        ],
    )
    async def test_is_refused_alike_whatever_is_wrong(self, visitor: Visitor, client_id: str, secret: str) -> None:
        """Nobody learns from the answer whether the id or the secret was wrong; and it says how to sign in."""
        answers = [
            await ask(visitor, client_id=client_id, client_secret=secret),
            await ask(visitor, basic(client_id, secret)),
        ]
        for answer in answers:
            document = assert_problem(answer, InvalidClient)
            assert document["detail"] == "Check client_id and client_secret."
            assert document["error"] == "invalid_client"
            assert answer.headers["www-authenticate"].startswith("Basic")

    @pytest.mark.parametrize(
        "header", [b"Basic", b"Basic !!!", b"Basic YQ", b"Basic \xff\xff", b"Basic /////w==", b"basic YTpi"]
    )
    async def test_with_odd_credentials_is_refused(self, visitor: Visitor, header: bytes) -> None:
        assert_problem(await ask(visitor, {"Authorization": header}), InvalidClient)

    @pytest.mark.parametrize("form", [{"client_id": "a\0b", "client_secret": "x"}, {"client_id": "x" * 101}])
    async def test_with_an_odd_form_is_refused(self, visitor: Visitor, form: dict[str, str]) -> None:
        assert_problem(await visitor.http.post("/oauth/token", data={**GRANT, **form}), TokenRequestInvalid)


class TestKeys:
    """What everybody may know of the issuer."""

    async def test_hold_no_private_part(self, visitor: Visitor) -> None:
        (key,) = (await visitor.http.get("/.well-known/jwks.json")).json()["keys"]
        assert set(key) >= {"kty", "crv", "x", "y", "kid"}
        assert "d" not in key

    async def test_are_found_by_the_metadata(self, visitor: Visitor) -> None:
        found = (await visitor.http.get("/.well-known/oauth-authorization-server")).json()
        assert found["issuer"] == ISSUER
        assert found["token_endpoint"] == f"{ISSUER}/oauth/token"
        assert found["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
        assert found["grant_types_supported"] == ["client_credentials"]


class TestRegister:
    """The clients are those of the file, at every start."""

    @pytest.mark.usefixtures("visitor")
    async def test_keeps_no_secret(self, house: Hall) -> None:
        rows = await house.rows("SELECT * FROM client")
        assert {row["client_id"] for row in rows} >= {*CLIENTS, "gone"}
        assert SECRET not in str(rows)

    async def test_token_of_another_issuer_opens_nothing(self, visitor: Visitor) -> None:
        good = await visitor.token("one-stop")
        head, claims, signature = good.split(".")
        forged = f"{head}.{claims}.{signature[:-6]}AAAAAA"
        answer = await visitor.http.get("/api/v1/dossiers", headers={"Authorization": f"Bearer {forged}"})
        assert_problem(answer, Unauthenticated)
