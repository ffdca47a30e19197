"""Accounts follow a SCIM 2.0 directory: all of it or nothing, page by page, leavers deactivated."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.workflow import platform
from services.workflow.app import follow_directory
from services.workflow.errors import RosterRefused
from services.workflow.models import Account
from services.workflow.platform import ASSIGNMENTS, ENTERPRISE, DirectoryIncomplete
from services.workflow.settings import WorkflowSettings
from tests.support.serving import serving
from tests.workflow.office import AGENCY, Office
from tests.workflow.processes import LINEAR

TOKEN = "directory-token"


def user(number: int, **more: Any) -> dict[str, Any]:
    """Make a user as directories with the enterprise extension give it."""
    return {
        "id": f"id-{number}",
        "userName": f"official-{number}",
        "displayName": f"Cán bộ {number}",
        "active": True,
        "emails": [{"value": f"official-{number}@example.org", "primary": True}],
        "roles": [{"value": "specialist"}],
        ENTERPRISE: {"organization": AGENCY, "department": "unit-check"},
    } | more


@dataclass(slots=True)
class Directory:
    """A directory that can misbehave."""

    users: list[dict[str, Any]] = field(default_factory=list)
    lost: int = 0
    """So many users are counted but never given."""
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, request: Request) -> JSONResponse:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({}, status_code=401)
        self.asked.append(dict(request.query_params))
        start, count = int(request.query_params["startIndex"]), int(request.query_params["count"])
        page = self.users[start - 1 : start - 1 + min(count, 3)]
        return JSONResponse(
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": len(self.users) + self.lost,
                "startIndex": start,
                "itemsPerPage": len(page),
                "Resources": page,
            },
            status_code=self.status,
        )


@pytest.fixture
async def directory(office: Office) -> AsyncIterator[Directory]:
    known = Directory([user(number) for number in range(1, 12)])
    app = FastAPI()
    app.add_api_route("/scim/v2/Users", known.answer)
    async with serving(app) as url:
        settings = {"database_url": office.database.dsn, "amqp_url": "amqp://nobody/", "directory_token": TOKEN}
        settings |= {"directory_url": f"{url}/scim/v2"}
        office.app.state.settings = WorkflowSettings.model_validate(settings)
        yield known


async def pull(office: Office) -> None:
    async with httpx.AsyncClient() as http:
        await follow_directory(office.app, http)


async def active(office: Office) -> set[str]:
    return {account.username for account in await office.rows(Account) if account.active}


class TestPull:
    """What the directory says becomes what may be done."""

    async def test_takes_every_page(self, office: Office, directory: Directory) -> None:
        await pull(office)
        assert len(await active(office)) == 11
        assert [page["startIndex"] for page in directory.asked] == ["1", "4", "7", "10"]
        await office.start(LINEAR)
        assert (await office.act("check", "claim", official="official-3")).status_code == 200
        shown = await office.get("/officials/official-3")
        assert (shown["source"], shown["name"], shown["assignments"][0]["role"]) == (
            "directory",
            "Cán bộ 3",
            "specialist",
        )

    async def test_who_is_gone_or_inactive_may_do_nothing(self, office: Office, directory: Directory) -> None:
        await pull(office)
        directory.users = [user(number) for number in range(1, 11)]
        directory.users[0]["active"] = False
        await pull(office)
        assert await active(office) == {f"official-{number}" for number in range(2, 11)}
        await office.start(LINEAR)
        for gone in ("official-1", "official-11"):
            assert (await office.act("check", "claim", official=gone)).json()["code"] == "official_not_entitled"

    async def test_our_extension_gives_units_and_dates(self, office: Office, directory: Directory) -> None:
        held = {"agency": AGENCY, "unit": "unit-decide", "role": "specialist", "from": "2026-01-01", "to": "2026-06-30"}
        directory.users = [user(1, **{ASSIGNMENTS: {"assignments": [held]}})]
        await pull(office)
        shown = await office.get("/officials/official-1")
        assert shown["assignments"] == [
            {
                "agency_code": AGENCY,
                "unit_code": "unit-decide",
                "role": "specialist",
                "valid_from": "2026-01-01",
                "valid_to": "2026-06-30",
            }
        ]

    async def test_users_without_an_agency_are_left_out(self, office: Office, directory: Directory) -> None:
        directory.users.append({"id": "robot", "userName": "robot"})
        await pull(office)
        assert "robot" not in await active(office)


class TestNothing:
    """A directory that does not give all of itself changes nothing."""

    @pytest.mark.parametrize("fault", ["lost", "status", "malformed"])
    async def test_is_taken_from_a_broken_one(self, office: Office, directory: Directory, fault: str) -> None:
        await pull(office)
        before = await active(office)
        directory.users.pop()
        if fault == "lost":
            directory.lost = 1
        elif fault == "status":
            directory.status = 500
        else:
            directory.users[0][ASSIGNMENTS] = {"assignments": [{"agency": AGENCY}]}
        with pytest.raises(DirectoryIncomplete):
            await pull(office)
        assert await active(office) == before

    async def test_is_taken_when_too_many_left(self, office: Office, directory: Directory) -> None:
        await pull(office)
        directory.users = directory.users[:5]
        with pytest.raises(RosterRefused):
            await pull(office)
        assert len(await active(office)) == 11

    async def test_is_asked_for_without_end(self, office: Office, directory: Directory) -> None:
        directory.users, directory.lost = [], 5
        with pytest.raises(DirectoryIncomplete):
            await pull(office)
        assert len(directory.asked) < platform.PAGES_MAX
