"""Who gets through the door: nobody without a token, nobody without the scope, nobody to another agency's dossier."""

import pytest

from gateway.errors import DossierUnknown
from shared.errors import Forbidden
from shared.problems import MEDIA_TYPE
from tests.gateway.backstage import Backstage
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, returned
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem


class TestWithoutToken:
    """What is no endpoint; every endpoint there is stands in tests/rights."""

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/ops/intake/waiting",
            "/api/v1/portal-submissions",
            "/api/v1/health/ready",
            "/api/v1/metrics",
            "/api/v1/docs",
            "/api/v1/nowhere",
            "/api/v1/",
        ],
    )
    async def test_a_services_back_rooms_are_no_address(
        self, visitor: Visitor, backstage: Backstage, path: str
    ) -> None:
        """Neither without a token nor with one."""
        for answer in (await visitor.http.get(path), await visitor.get(path)):
            assert answer.status_code in {401, 403, 404}
            assert answer.headers["content-type"] == MEDIA_TYPE
        assert backstage.heard == []

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST"])
    async def test_a_public_address_is_public_for_reading_only(
        self, visitor: Visitor, backstage: Backstage, method: str
    ) -> None:
        answer = await visitor.http.request(method, "/api/v1/procedures/1.004222")
        assert answer.status_code == 401
        assert backstage.heard == []


class TestRights:
    """A token opens what its scopes say."""

    @pytest.mark.parametrize(
        ("method", "path", "who"),
        [
            ("GET", "/api/v1/sync/changes", "one-stop"),
            ("GET", "/api/v1/dossiers/x/timeline", "statistics"),
            ("POST", "/api/v1/portal/dossiers", "one-stop"),
            ("POST", "/api/v1/portal/lookup", "ops"),
            ("GET", "/api/v1/ops/overview", "one-stop"),
            ("GET", "/api/v1/ops/intake/waiting", "national-portal"),
            ("POST", "/api/v1/ops/intake/waiting/x/replay", "one-stop"),
            ("POST", "/api/v1/ops/gateway/waiting/x/replay", "statistics"),
        ],
    )
    async def test_missing_is_403(
        self, visitor: Visitor, backstage: Backstage, method: str, path: str, who: str
    ) -> None:
        assert_problem(await visitor.send(method, path, who=who, json={"reason": "good"}), Forbidden)
        assert backstage.heard == []


class TestAgency:
    """Another agency's dossier is none."""

    async def test_of_the_dossier_or_above_sees_it(self, visitor: Visitor, house: Hall) -> None:
        life = returned(Life())
        await house.take(life.events)
        for who in ("one-stop", "one-stop-h32.14"):
            answer = await visitor.get(f"/api/v1/dossiers/{life.code}/timeline", who=who)
            assert answer.status_code == 200
            assert answer.json()["portal_status"] == 10
            assert len(answer.json()["items"]) == len(life.events)

    @pytest.mark.parametrize(
        ("agency", "who"),
        [
            ("H32.14", "other-province"),
            ("H32.14", "nobody"),
            ("H32.15", "one-stop-h32.14"),
            ("H32.140", "one-stop-h32.14"),
        ],
    )
    async def test_elsewhere_gets_what_a_stranger_gets(
        self, visitor: Visitor, house: Hall, agency: str, who: str
    ) -> None:
        life = Life(code=f"{agency}-260407-0001", agency=agency)
        await house.take(returned(life).events)
        there = await visitor.get(f"/api/v1/dossiers/{life.code}/timeline", who=who)
        nowhere = await visitor.get("/api/v1/dossiers/H32.99-260407-0001/timeline", who=who)
        assert_problem(there, DossierUnknown)
        assert_problem(nowhere, DossierUnknown)
        assert there.text.replace(life.code, "") == nowhere.text.replace("H32.99-260407-0001", "")
