"""Access tokens: only those of the issuer, for us, and in time."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.caller import Caller
from shared.errors import Unauthenticated, Unavailable
from shared.tokens import Claims, TokenVerifier
from tests.support.serving import serving
from tests.support.tokens import ISSUER, Issuer


class Keyring:
    """The issuer's published keys, on a real server: what it answers, and how often it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = 0
        self.answer: Any = None
        self.status = 200
        self.hold: asyncio.Event | None = None

    def publish(self, *issuers: Issuer) -> None:
        """Publish the public keys of issuers."""
        self.answer = {"keys": [key for issuer in issuers for key in issuer.keys().as_dict(private=False)["keys"]]}


@pytest.fixture
async def keyring() -> AsyncIterator[Keyring]:
    async def jwks(_: Request) -> Response:
        keyring.asked += 1
        if keyring.hold:
            await keyring.hold.wait()
        body = keyring.answer if isinstance(keyring.answer, bytes) else orjson.dumps(keyring.answer)
        return Response(body, keyring.status)

    async with serving(Starlette(routes=[Route("/jwks", jwks)])) as url:
        keyring = Keyring(f"{url}/jwks")
        yield keyring


@pytest.fixture
def issuer(keyring: Keyring) -> Issuer:
    issuer = Issuer()
    keyring.publish(issuer)
    return issuer


@pytest.fixture
async def verifier(keyring: Keyring) -> AsyncIterator[TokenVerifier]:
    async with httpx.AsyncClient() as http:
        yield TokenVerifier(issuer=ISSUER, jwks_url=keyring.url, http=http)


def signed(issuer: Issuer, header: dict[str, Any], claims: dict[str, Any], key: Any = None) -> str:
    algorithms = [header["alg"]]
    return jwt.encode(header, claims, key or issuer.key, algorithms=algorithms)


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class TestVerify:
    """Who an Authorization header stands for."""

    async def test_reads_client_agency_and_scopes(self, verifier: TokenVerifier, issuer: Issuer) -> None:
        token = issuer.token(["a:b", "c"], client_id="one", agency="H32.14")
        expected = Caller("one", "H32.14", frozenset({"a:b", "c"}))
        assert await verifier.verify(f"Bearer {token}") == expected
        assert await verifier.verify(f"bearer {token}") == expected
        nobodys = issuer.token([], agency=None)
        assert await verifier.verify(f"Bearer {nobodys}") == Caller("one-stop", None, frozenset())

    @pytest.mark.parametrize(
        "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer x", "Bearer a.b.c", "Bearer ..", "Token x"]
    )
    @pytest.mark.usefixtures("issuer")
    async def test_refuses_what_is_no_token(self, verifier: TokenVerifier, header: str | None) -> None:
        with pytest.raises(Unauthenticated):
            await verifier.verify(header)

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "http://elsewhere"},
            {"iss": None},
            {"aud": "another"},
            {"aud": ["another", "third"]},
            {"aud": None},
            {"sub": None},
            {"sub": ""},
            {"exp": None},
            {"exp": "soon"},
            {"exp": 0},
            {"nbf": 4_000_000_000},
        ],
        ids=str,
    )
    async def test_refuses_wrong_claims(self, verifier: TokenVerifier, issuer: Issuer, claims: dict[str, Any]) -> None:
        token = issuer.token(["a"], **claims)
        with pytest.raises(Unauthenticated):
            await verifier.verify(f"Bearer {token}")

    async def test_refuses_an_expired_token_also_one_it_knew(self, verifier: TokenVerifier, issuer: Issuer) -> None:
        """The leeway for clocks that differ is 30 seconds."""
        for lives in (timedelta(seconds=-31), timedelta(days=-1)):
            with pytest.raises(Unauthenticated):
                await verifier.verify(f"Bearer {issuer.token([], lives=lives)}")
        short = issuer.token([], lives=timedelta(seconds=-29))
        await verifier.verify(f"Bearer {short}")

    @pytest.mark.usefixtures("issuer")
    async def test_refuses_another_key_under_the_issuers_kid(self, verifier: TokenVerifier) -> None:
        with pytest.raises(Unauthenticated):
            await verifier.verify(f"Bearer {Issuer().token(['a'])}")

    async def test_refuses_an_unknown_kid(self, verifier: TokenVerifier, issuer: Issuer) -> None:
        claims = claims_of(issuer.token(["a"]))
        with pytest.raises(Unauthenticated):
            await verifier.verify(f"Bearer {signed(issuer, {'alg': 'ES256', 'kid': 'other'}, claims)}")

    async def test_refuses_every_other_algorithm(self, verifier: TokenVerifier, issuer: Issuer) -> None:
        """None at all, and the public key used as a secret (the classic confusion)."""
        claims = claims_of(issuer.token(["a"]))
        none = ".".join(_part(part) for part in ({"alg": "none", "kid": "test"}, claims)) + "."
        public = OctKey.import_key(orjson.dumps(issuer.keys().as_dict(private=False)["keys"][0]))
        confused = signed(issuer, {"alg": "HS256", "kid": "test"}, claims, public)
        for token in (none, confused):
            with pytest.raises(Unauthenticated):
                await verifier.verify(f"Bearer {token}")

    async def test_refuses_a_token_that_was_tampered_with(self, verifier: TokenVerifier, issuer: Issuer) -> None:
        head, _, signature = issuer.token(["a"]).split(".")
        claims = claims_of(issuer.token(["a"])) | {"scope": "ops:act"}
        with pytest.raises(Unauthenticated):
            await verifier.verify(f"Bearer {head}.{_part(claims)}.{signature}")
        good = issuer.token(["a"])
        await verifier.verify(f"Bearer {good}")
        with pytest.raises(Unauthenticated):
            await verifier.verify(f"Bearer {good[:-4]}AAAA")


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")


@given(st.text() | st.from_regex(r"Bearer [\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
async def test_any_header_is_a_caller_or_refused(header: str) -> None:
    async with httpx.AsyncClient() as http:
        verifier = TokenVerifier(issuer=ISSUER, jwks_url="http://127.0.0.1:1/", http=http)
        verifier.use_keys(Issuer().keys())
        with pytest.raises(Unauthenticated):
            await verifier.verify(header)


class TestKeys:
    """The issuer's keys, fetched when needed."""

    async def test_are_fetched_once_for_all(self, verifier: TokenVerifier, issuer: Issuer, keyring: Keyring) -> None:
        headers = [f"Bearer {issuer.token([str(n)])}" for n in range(50)]
        await asyncio.gather(*map(verifier.verify, headers))
        await asyncio.gather(*map(verifier.verify, headers))
        assert keyring.asked == 1

    async def test_that_cannot_be_fetched_are_an_outage_told_at_once(
        self, verifier: TokenVerifier, issuer: Issuer, keyring: Keyring
    ) -> None:
        """Fifty calls at once ask the issuer once, not one after the other."""
        keyring.status = 503
        header = f"Bearer {issuer.token([])}"
        outcomes = await asyncio.gather(*(verifier.verify(header) for _ in range(50)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
        assert keyring.asked == 1

    @pytest.mark.parametrize(
        "answer", [b"", b"<html>", b"{}", b"[]", b"null", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{}]}']
    )
    async def test_that_are_none_are_an_outage(
        self, verifier: TokenVerifier, issuer: Issuer, keyring: Keyring, answer: bytes
    ) -> None:
        keyring.answer = answer
        with pytest.raises(Unavailable):
            await verifier.verify(f"Bearer {issuer.token([])}")

    async def test_known_ones_serve_while_the_issuer_is_away(self, issuer: Issuer, keyring: Keyring) -> None:
        async with httpx.AsyncClient() as http:
            verifier = TokenVerifier(issuer=ISSUER, jwks_url=keyring.url, http=http, refresh_s=0)
            await verifier.verify(f"Bearer {issuer.token(['a'])}")
            keyring.status = 500
            for scope in "bcd":
                assert (await verifier.verify(f"Bearer {issuer.token([scope])}")).scopes == {scope}
            assert keyring.asked == 2

    async def test_new_ones_are_found_when_a_token_names_one(
        self, verifier: TokenVerifier, issuer: Issuer, keyring: Keyring
    ) -> None:
        """After a change of keys nobody waits for the five minutes to pass; strangers' tokens do not ask each time."""
        await verifier.verify(f"Bearer {issuer.token([])}")
        renewed = Issuer()
        renewed.key = ECKey.generate_key("P-256", {"kid": "new", "use": "sig", "alg": "ES256"})
        keyring.publish(issuer, renewed)
        claims = claims_of(issuer.token(["a"]))
        token = signed(renewed, {"alg": "ES256", "kid": "new"}, claims)
        assert (await verifier.verify(f"Bearer {token}")).scopes == {"a"}
        for _ in range(10):
            with pytest.raises(Unauthenticated):
                await verifier.verify(f"Bearer {signed(issuer, {'alg': 'ES256', 'kid': 'unheard-of'}, claims)}")
        assert keyring.asked == 2

    async def test_that_are_gone_take_their_tokens_along(
        self, verifier: TokenVerifier, issuer: Issuer, keyring: Keyring
    ) -> None:
        """A key that was withdrawn may have been stolen: what it signed is verified anew, and then refused."""
        token = issuer.token(["a"])
        await verifier.verify(f"Bearer {token}")
        other = Issuer()
        other.key = ECKey.generate_key("P-256", {"kid": "other"})
        keyring.publish(other)
        await verifier.verify("Bearer " + signed(other, {"alg": "ES256", "kid": "other"}, claims_of(token)))
        with pytest.raises(Unauthenticated):
            await verifier.verify(f"Bearer {token}")


class TestClaims:
    """What another issuer calls client, scopes and agency."""

    @pytest.mark.parametrize(
        ("names", "claims"),
        [
            ({"client": "azp"}, {"azp": "one", "scope": "a b", "agency": "H32"}),
            ({"client": "client_id", "scope": "scp"}, {"client_id": "one", "scp": ["a", "b"], "agency": "H32"}),
            (
                {"scope": "realm_access.roles", "agency": "https://x.vn/agency"},
                {"sub": "one", "realm_access": {"roles": ["a", "b"]}, "https://x.vn/agency": "H32"},
            ),
        ],
    )
    def test_are_read_by_the_names_that_are_set(self, names: dict[str, str], claims: dict[str, Any]) -> None:
        assert Claims(**names).read(claims) == Caller("one", "H32", frozenset({"a", "b"}))

    @pytest.mark.parametrize("claims", [{}, {"azp": ""}, {"azp": 7}, {"azp": ["one"]}, {"sub": "one"}], ids=str)
    def test_without_a_client_are_nobodys(self, claims: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="azp"):
            Claims(client="azp").read(claims)

    def test_of_an_odd_shape_give_no_right(self) -> None:
        found = Claims(scope="a.b.c").read({"sub": "one", "a": {"b": 3}, "inherited": 7, "agency": None})
        assert found == Caller("one")

    def test_tell_the_certificate_that_a_token_is_bound_to(self) -> None:
        assert Claims().read({"sub": "one", "cnf": {"x5t#S256": "abc"}}).certificate == "abc"
        # Bound to something that we cannot check: no certificate fits.
        assert Claims().read({"sub": "one", "cnf": {"jkt": "abc"}}).certificate == ""
