"""A token says which closed agencies its client sees; intake knows them."""

from dataclasses import dataclass

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.responses import JSONResponse, Response

from gateway.operations.succession import Succession
from gateway.upstream import Upstream
from tests.gateway.backstage import Backstage, Heard, echo
from tests.gateway.conftest import SECRET
from tests.gateway.visitor import Visitor


@dataclass
class Intake:
    """Answers as intake does, or as it does when it cannot."""

    status: int = 200
    asked: int = 0

    async def __call__(self, heard: Heard) -> Response:
        if not heard.target.startswith("/agencies/"):
            return await echo(heard)
        self.asked += 1
        return JSONResponse({"predecessors": ["H43", "H45"]}, self.status)


@pytest.fixture
def intake(backstage: Backstage) -> Intake:
    played = Intake()
    backstage.answer = played
    return played


async def test_stands_in_the_token(visitor: Visitor, intake: Intake) -> None:
    visitor.app.state.succession = Succession(visitor.app.state.upstream)
    form = {"grant_type": "client_credentials", "client_id": "one-stop", "client_secret": SECRET}
    answer = await visitor.http.post("/oauth/token", data=form)
    keys = KeySet.import_key_set((await visitor.http.get("/.well-known/jwks.json")).json())
    claims = jwt.decode(answer.json()["access_token"], keys, algorithms=["ES256"]).claims
    assert (claims["inherited"], intake.asked) == (["H43", "H45"], 1)


async def test_is_asked_once_a_minute_and_never_in_the_way(visitor: Visitor, intake: Intake) -> None:
    upstream: Upstream = visitor.app.state.upstream
    known = Succession(upstream)
    assert await known.inherited(None) == ()
    assert [await known.inherited("H32") for _ in range(3)] == [("H43", "H45")] * 3
    assert intake.asked == 1
    for status in (404, 500):
        intake.status = status
        assert await Succession(upstream).inherited("H32") == ()
