"""The keys that tokens are signed with: changed under traffic without a token being refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from deploy.keys.command import app as keys_app
from gateway.errors import InvalidClient
from gateway.operations.keyring import KeysRefused, KeyState, add_key, new_key, promote_key, read_keys, retire_key
from shared import clock
from shared.errors import Unauthenticated
from tests.gateway.conftest import OpenGateway
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem, eventually

LIVE = timedelta(minutes=10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    return path


@pytest.fixture
async def issuing(open_gateway: OpenGateway, file: Path) -> AsyncIterator[Visitor]:
    """Lend a gateway with a key file of its own."""
    async with open_gateway(signing_key_file=str(file)) as visitor:
        yield visitor


def motcua_keys(file: Path, *arguments: str) -> str:
    """Run `motcua keys` on a file; return what it says."""
    done = CliRunner().invoke(keys_app, [*arguments, "--file", str(file)])
    assert done.exit_code == 0, done.output
    return done.output


async def published(visitor: Visitor) -> list[str]:
    return [key["kid"] for key in (await visitor.http.get("/.well-known/jwks.json")).json()["keys"]]


async def fresh_token(visitor: Visitor) -> str:
    visitor._tokens.clear()
    return await visitor.token("one-stop")


def kid_of(token: str) -> str:
    return jws.extract_compact(token.encode()).headers()["kid"]


async def call(visitor: Visitor, token: str) -> httpx.Response:
    return await visitor.http.get("/api/v1/dossiers", headers={"Authorization": f"Bearer {token}"})


class TestRotation:
    async def test_under_way_refuses_no_token_until_the_key_is_ended(self, issuing: Visitor, file: Path) -> None:
        (first,) = await published(issuing)
        old = await fresh_token(issuing)
        motcua_keys(file, "add")

        async def both() -> list[str]:
            found = await published(issuing)
            return found if len(found) == 2 else []

        second = (await eventually(both))[1]
        assert kid_of(await fresh_token(issuing)) == first == kid_of(old)
        motcua_keys(file, "promote", second[:12], "--now")

        async def signs() -> str:
            token = await fresh_token(issuing)
            return token if kid_of(token) == second else ""

        new = await eventually(signs)
        assert [(await call(issuing, token)).is_success for token in (old, new)] == [True, True]
        motcua_keys(file, "retire", first, "--now")

        async def refused() -> httpx.Response | None:
            answer = await call(issuing, old)
            return answer if answer.status_code == 401 else None

        answer = await eventually(refused)
        assert answer is not None
        assert_problem(answer, Unauthenticated)
        assert await published(issuing) == [second]
        assert (await call(issuing, new)).is_success

    async def test_to_a_broken_file_changes_nothing(self, issuing: Visitor, file: Path) -> None:
        before = await published(issuing)
        await asyncio.to_thread(file.write_text, "{")
        await issuing.app.state.book.refresh()
        assert kid_of(await fresh_token(issuing)) in before
        assert_problem(
            await issuing.http.post("/oauth/token", data={"grant_type": "client_credentials"}), InvalidClient
        )


class TestSteps:
    def test_wait_until_every_verifier_knows(self) -> None:
        now = clock.now()
        keys = add_key([new_key(KeyState.SIGNING, now)], now)
        first, second = (one.kid for one in keys)
        with pytest.raises(KeysRefused, match="too short a time"):
            promote_key(keys, second, now + timedelta(minutes=9))
        later = now + timedelta(minutes=10)
        promoted = promote_key(keys, second, later)
        assert [one.state for one in promoted] == [KeyState.FORMER, KeyState.SIGNING]
        with pytest.raises(KeysRefused, match="still good"):
            retire_key(promoted, first, later + timedelta(minutes=9), tokens_live=LIVE)
        left = retire_key(promoted, first, later + LIVE, tokens_live=LIVE)
        assert [one.kid for one in left] == [second]

    def test_go_back_at_once(self) -> None:
        """A former key is known to everybody still."""
        now = clock.now()
        both = add_key([new_key(KeyState.SIGNING, now)], now)
        first, second = (one.kid for one in both)
        forth = promote_key(both, second, now, at_once=True)
        back = promote_key(forth, first, now)
        assert [one.state for one in back] == [KeyState.SIGNING, KeyState.FORMER]

    def test_never_leave_nothing_to_sign_with(self) -> None:
        keys = [new_key(KeyState.SIGNING, clock.now())]
        with pytest.raises(KeysRefused):
            retire_key(keys, keys[0].kid, clock.now(), tokens_live=LIVE, at_once=True)

    def test_are_refused_with_the_reason_by_the_command(self, file: Path) -> None:
        motcua_keys(file, "add")
        second = read_keys(file.read_text())[1].kid
        done = CliRunner().invoke(keys_app, ["promote", second, "--file", str(file)])
        assert done.exit_code == 1
        assert "too short a time ago" in done.output
        assert "does not sign yet" in motcua_keys(file, "list")


class TestFile:
    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[]",
            '{"keys": []}',
            '{"keys": [{"kty": "EC"}]}',
            json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
            json.dumps(ECKey.generate_key("P-256").as_dict(private=False)),
        ],
        ids=["empty", "list", "none", "broken", "curve", "public"],
    )
    def test_without_a_key_to_sign_with_is_refused(self, content: str) -> None:
        with pytest.raises(KeysRefused):
            read_keys(content)
