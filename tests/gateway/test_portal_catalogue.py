"""The portal's catalogue is pulled, compared with the province's, and brought in by people's decision."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import create_app
from gateway.errors import DiffDecided
from gateway.operations.deciding import AutomaticPuller
from gateway.operations.pulling import PullPlan
from gateway.portal.catalogue import in_portal_codes, listed, own_code
from tests.gateway.conftest import SECRET, settings_of
from tests.gateway.hall import Hall
from tests.gateway.visitor import Visitor
from tests.portal.process import PASSWORD, USERNAME, PortalProcess
from tests.support.assertions import assert_problem, eventually
from tests.support.servers import Databases
from tests.support.serving import serving

PATH = "/api/v1/portal/catalogue"
ONE, OTHER = "1.004222", "1.000656"


class Library:
    """A gateway between a portal whose catalogue changes and an intake that has the sample's."""

    def __init__(self, visitor: Visitor, control: httpx.AsyncClient, hall: Hall) -> None:
        self.visitor = visitor
        self.control = control
        self.hall = hall

    async def pull(self, **body: Any) -> dict[str, Any]:
        """Ask for a pull, let it be made, and return how it ended."""
        asked = await self.visitor.post(f"{PATH}/pulls", who="cataloguer", json=body)
        assert asked.status_code == 202, asked.text
        assert await self.visitor.app.state.puller.pull_due()
        return (await self.visitor.get(f"{PATH}/pulls/{asked.json()['id']}", who="ops")).json()

    async def diffs(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.visitor.get(f"{PATH}/diffs", who="ops", params={"state": "open", **query})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def decide(self, diff: dict[str, Any], verb: str, **more: Any) -> httpx.Response:
        return await self.visitor.post(f"{PATH}/diffs/{diff['id']}/{verb}", who="cataloguer", **more)

    async def change(self, code: str, words: dict[str, Any] | None) -> None:
        (await self.control.put(f"/procedures/{code}", json=words)).raise_for_status()

    async def fault(self, kind: str, service: str = "LayDanhSachTTHC", **more: Any) -> None:
        answer = await self.control.post("/faults", json={"service": service, "kind": kind, **more})
        assert answer.status_code == 201, answer.text

    async def procedure(self, code: str) -> dict[str, Any]:
        return (await self.visitor.get(f"/api/v1/procedures/{code}")).json()

    async def until(self, code: str, reached: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until intake's processes have read the catalogue anew."""

        async def so() -> bool:
            return reached(await self.procedure(code))

        await eventually(so)

    async def gone(self) -> list[str]:
        rows = await self.hall.rows("SELECT code FROM catalogue_item WHERE gone_at IS NOT NULL ORDER BY code")
        return [row["code"] for row in rows]

    async def asked(self, service: str) -> int:
        rows = (await self.control.get("/received", params={"limit": 10_000})).json()["rows"]
        return sum(row["service"] == service for row in rows)


@pytest.fixture(scope="module")
async def standing(
    intake: tuple[FastAPI, Path],
    gateway_template: str,
    databases: Databases,
    gateway_files: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Any]:
    app, _ = intake
    url = await databases.create_database(template=gateway_template)
    with PortalProcess(tmp_path_factory.mktemp("library"), gateway_url="http://127.0.0.1:1") as portal:
        async with serving(app) as intake_url:
            login = {"portal_username": USERNAME, "portal_password": PASSWORD, "portal_timeout_s": 2}
            more = {"intake_url": intake_url, "portal_url": portal.url, "portal_dialect": "rest", **login}
            gateway = create_app(settings_of(url, intake_url, gateway_files, **more, upstream_timeout_s=30))
            async with gateway.router.lifespan_context(gateway), serving(gateway) as gateway_url:
                app.state.tokens.use_keys(gateway.state.issuer.keys)
                yield gateway, gateway_url, portal
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture
async def library(standing: Any) -> AsyncIterator[Library]:
    """Lend a library that is in step: everything that differed was applied."""
    gateway, gateway_url, portal = standing
    puller = gateway.state.puller
    puller.plan = PullPlan(every_s=None, refreshed_max=0)
    async with (
        httpx.AsyncClient(base_url=gateway_url, timeout=60) as http,
        httpx.AsyncClient(base_url=f"{portal.url}/_control", timeout=30) as control,
    ):
        await control.delete("/faults")
        hall = Hall(gateway.state.database)
        found = Library(Visitor(gateway, http, SECRET), control, hall)
        assert (await found.pull(accept_smaller=True))["outcome"] == "complete"
        settling = AutomaticPuller(puller.database, puller.portal, puller.province, puller.plan)
        await settling._apply_all()
        await control.delete("/faults")
        yield found


async def test_applied_differences_do_not_come_again(library: Library) -> None:
    """What was brought in is what the portal has: the next pull finds nothing, and asks for no details again."""
    details = await library.asked("LayThuTuc")
    again = await library.pull()
    assert (again["outcome"], await library.diffs()) == ("complete", [])
    assert again["counts"]["LayDanhSachTTHC"] > 60
    assert await library.asked("LayThuTuc") == details


class TestChange:
    """The portal has something otherwise."""

    async def test_is_shown_by_field_and_brought_in_by_decision(self, library: Library) -> None:
        before, details = await library.procedure(ONE), await library.asked("LayThuTuc")
        await library.change(ONE, {"TENTTHC": f"{before['name']} (sửa đổi)"})
        assert (await library.pull())["counts"]["changed"] == 1
        assert await library.asked("LayThuTuc") == details + 1
        (diff,) = await library.diffs()
        assert (diff["code"], diff["kind"]) == (ONE, "changed")
        named = {one["field"]: (one["ours"], one["theirs"]) for one in diff["fields"]}
        assert named["name"] == (before["name"], f"{before['name']} (sửa đổi)")
        dry = await library.decide(diff, "apply", params={"dry_run": True})
        assert (dry.status_code, dry.json()["report"]["changed"]) == (200, 1)
        assert (await library.procedure(ONE))["name"] == before["name"]
        applied = await library.decide(diff, "apply")
        assert applied.json()["diff"]["state"] == "applied"
        await library.until(ONE, lambda found: found["name"] == f"{before['name']} (sửa đổi)")
        assert_problem(await library.decide(diff, "apply"), DiffDecided)

    async def test_that_was_dismissed_stays_away_until_it_is_another(self, library: Library) -> None:
        name = (await library.procedure(OTHER))["name"]
        await library.change(OTHER, {"TENTTHC": f"{name} (A)"})
        await library.pull()
        (diff,) = await library.diffs()
        assert (await library.decide(diff, "dismiss", json={"note": "Cổng ghi sai"})).status_code == 200
        await library.pull()
        assert await library.diffs() == []
        await library.change(OTHER, {"TENTTHC": f"{name} (B)"})
        await library.pull()
        assert [one["code"] for one in await library.diffs()] == [OTHER]
        await library.change(OTHER, {"TENTTHC": name})
        await library.pull()
        assert await library.diffs() == []
        assert (await library.diffs(state="settled"))[-1]["code"] == OTHER

    async def test_of_a_new_procedure_brings_it_in(self, library: Library) -> None:
        words = {"TENTTHC": "Thủ tục mới", "LINHVUCTHUCHIEN": [{"MALINHVUC": "LV9", "TENLINHVUC": "Lĩnh vực mới"}]}
        await library.change("9.000001", words)
        await library.pull()
        (diff,) = await library.diffs()
        assert (diff["code"], diff["kind"], diff["fields"]) == ("9.000001", "new", [])
        await library.decide(diff, "apply")
        await library.until("9.000001", lambda found: found.get("name") == "Thủ tục mới")


class TestEnding:
    """A procedure is no longer listed."""

    async def test_of_one_is_proposed_and_ends_without_deleting(self, library: Library) -> None:
        await library.change("1.001193", None)
        await library.pull()
        (diff,) = await library.diffs()
        assert (diff["code"], diff["kind"]) == ("1.001193", "ended")
        assert (await library.procedure("1.001193"))["valid_to"] is None
        assert (await library.decide(diff, "apply")).json()["diff"]["state"] == "applied"
        await library.until("1.001193", lambda found: found["valid_to"] is not None)
        await library.pull()
        assert await library.diffs() == []

    @pytest.mark.parametrize(
        ("kind", "more", "outcome"),
        [
            ("half_list", {}, "incomplete"),
            ("garbage_200", {"count": 7}, "failed"),
            ("delay", {"delay_s": 5}, "failed"),
            ("error_500", {}, "failed"),
        ],
    )
    async def test_of_a_thousand_by_a_bad_answer_does_not_happen(
        self, library: Library, kind: str, more: dict[str, Any], outcome: str
    ) -> None:
        gone = await library.gone()
        for _ in range(2):
            await library.fault(kind, **more)
            pulled = await library.pull()
            assert (pulled["outcome"], bool(pulled["reason"])) == (outcome, True)
        assert await library.diffs() == []
        assert await library.gone() == gone
        await library.control.delete("/faults")
        assert (await library.pull())["outcome"] == "complete"
        assert await library.diffs() == []

    async def test_is_believed_of_a_short_list_when_somebody_has_looked(self, library: Library) -> None:
        await library.fault("half_list", count=1)
        pulled = await library.pull(accept_smaller=True)
        assert (pulled["outcome"], pulled["counts"]["ended"] > 30) == ("complete", True)
        assert {one["kind"] for one in await library.diffs()} == {"ended"}
        await library.pull()
        assert await library.diffs() == []


class TestAccess:
    """Who may look and who may decide."""

    async def test_is_by_scope(self, library: Library) -> None:
        assert (await library.visitor.get(f"{PATH}/diffs", who="statistics")).status_code == 403
        assert (await library.visitor.get(f"{PATH}/diffs", who="cataloguer")).status_code == 200
        assert (await library.visitor.post(f"{PATH}/pulls", who="ops", json={})).status_code == 403
        assert (await library.visitor.post(f"{PATH}/diffs/1/apply", who="ops")).status_code == 403
        assert (await library.visitor.get(f"{PATH}/diffs/999999", who="ops")).status_code == 404


@pytest.mark.parametrize(
    ("rows", "before", "doubt"),
    [
        ([], 0, True),
        ([{"MATTHC": "1.1"}], 0, False),
        ([{"MATTHC": "1.1"}, {"TENTTHC": "x"}], 0, True),
        ([{"MATTHC": "1.1"}, {"MATTHC": "1.1"}], 0, True),
        ([{"MATTHC": str(n)} for n in range(95)], 100, False),
        ([{"MATTHC": str(n)} for n in range(94)], 100, True),
    ],
)
def test_a_list_is_whole_or_not(rows: list[Any], before: int, *, doubt: bool) -> None:
    assert bool(listed("LayDanhSachTTHC", rows, before=before, shrink_max=0.05).doubt) is doubt


async def test_messages_go_out_in_the_portals_codes(library: Library) -> None:
    """The province writes its own suffix and field; the portal gets its own."""
    known = await library.visitor.app.state.portal._codes()
    told = in_portal_codes({"MaTTHC": f"{OTHER}.000.00.00.H32", "MaLinhVuc": "x", "TenLinhVuc": "y"}, known)
    assert told["MaTTHC"] == own_code(OTHER)
    assert (told["MaLinhVuc"], told["TenLinhVuc"]) == (known[OTHER].field, known[OTHER].field_name)
    assert in_portal_codes({"MaTTHC": "8.888888", "MaLinhVuc": "x"}, known) == {"MaTTHC": "8.888888", "MaLinhVuc": "x"}
