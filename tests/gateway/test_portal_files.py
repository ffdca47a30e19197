"""Dossiers born on the portal come in with their files, exactly once, whatever breaks off on the way."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.responses import Response

from gateway.app import create_app
from gateway.errors import PortalFileAway, PortalRefused
from gateway.portal.files import FILE_BYTES_MAX
from services.intake.app import sweep_portal_files
from services.intake.models import IntakeBase
from services.intake.storage import Documents
from tests.gateway.conftest import SECRET, settings_of
from tests.gateway.handing import OTHER_PDF, PDF, FileHost, Handing, Line, elsewhere
from tests.gateway.visitor import Visitor
from tests.portal.process import PortalProcess
from tests.support.assertions import assert_problem
from tests.support.servers import Databases
from tests.support.serving import serving

FILES = {"TP01": PDF, "TP02": OTHER_PDF}
BASE64 = {component: base64.b64encode(content).decode() for component, content in FILES.items()}
CALLS = 5
"""Of two files: is it kept, keep it, twice; and the dossier."""


@pytest.fixture(scope="module")
async def standing(
    intake: Any, gateway_template: str, databases: Databases, gateway_files: dict[str, str]
) -> AsyncIterator[Any]:
    app, _ = intake
    line, host = Line(app), FileHost()
    url = await databases.create_database(template=gateway_template)
    async with serving(line) as intake_url, serving(host) as host_url:
        more = {"intake_url": intake_url, "portal_file_origins": f"{host_url},http://127.0.0.1:8090"}
        settings = settings_of(url, intake_url, gateway_files, **more, upstream_timeout_s=20, portal_file_timeout_s=2)
        gateway = create_app(settings)
        async with gateway.router.lifespan_context(gateway), serving(gateway) as gateway_url:
            app.state.tokens.use_keys(gateway.state.issuer.keys)
            yield gateway, gateway_url, line, host, host_url
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture
async def line(standing: Any) -> Line:
    return standing[2]


@pytest.fixture
async def handing(standing: Any, intake: Any) -> AsyncIterator[Handing]:
    gateway, gateway_url, line, host, host_url = standing
    app, _ = intake
    async with httpx.AsyncClient(base_url=gateway_url, timeout=30) as http:
        yield Handing(Visitor(gateway, http, SECRET), app.state.database, host, host_url)
    line.calls.clear()
    host.trouble.clear()
    host.asked.clear()
    async with app.state.database.session() as session:
        for table in reversed(IntakeBase.metadata.sorted_tables):
            if table.name in {"document", "dossier", "agency_day"}:
                await session.execute(table.delete())
        await session.execute(text("DELETE FROM idempotency_key"))
        await session.commit()


async def assert_in(handing: Handing, number: str) -> str:
    """Check that a dossier is there once, with both files, and that an official can read them; return its code."""
    (code,) = await handing.dossiers(number)
    papers = await handing.papers(code)
    assert [(one["component_code"], one["held"], one["expires_at"]) for one in papers] == [
        ("TP01", True, None),
        ("TP02", True, None),
    ]
    assert await handing.papers(None) == []
    for paper, content in zip(papers, FILES.values(), strict=True):
        assert (await handing.visitor.get(f"/api/v1/documents/{paper['id']}")).content == content
    return code


class TestHandingOver:
    """Nothing breaks."""

    async def test_brings_the_dossier_and_its_files_once(self, handing: Handing) -> None:
        dossier = handing.dossier("QG-1", FILES)
        first = await handing.hand_over(dossier)
        assert first.status_code == 201, first.text
        code = await assert_in(handing, "QG-1")
        handing.host.files.clear()
        again = await handing.hand_over({**dossier, "TrichYeuHoSo": "khác"})
        assert (again.status_code, again.json()["code"]) == (200, code)
        assert await assert_in(handing, "QG-1") == code
        assert len(handing.host.asked) == 2

    async def test_keeps_a_paper_that_is_there_twice_as_two(self, handing: Handing) -> None:
        dossier = handing.dossier("QG-2", FILES)
        dossier["TaiLieuNop"].append(dossier["TaiLieuNop"][0])
        assert (await handing.hand_over(dossier)).status_code == 201
        (code,) = await handing.dossiers("QG-2")
        assert [one["component_code"] for one in await handing.papers(code)] == ["TP01", "TP01", "TP02"]


class TestBreakingOff:
    """Gateway or intake ends, kill -9, at any step: the gateway remembers nothing, so a lost line is the same."""

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("nth", range(1, CALLS + 1))
    async def test_is_made_good_by_handing_over_again(
        self, handing: Handing, line: Line, nth: int, *, after: bool
    ) -> None:
        dossier = handing.dossier("QG-3", FILES)
        line.cut(nth, after=after)
        broken = await handing.hand_over(dossier)
        assert broken.status_code == 503
        assert len(await handing.dossiers("QG-3")) == int(nth == CALLS and after)
        mended = await handing.hand_over(dossier)
        # The lost answer to the dossier itself comes again by its key, as it was.
        assert mended.status_code == 201
        await assert_in(handing, "QG-3")
        assert len(handing.host.asked) == 2 + int(nth in {2, 4} and not after)

    async def test_at_once_many_times_is_one_dossier(self, handing: Handing) -> None:
        dossier = handing.dossier("QG-4", FILES)
        answers = await asyncio.gather(*(handing.hand_over(dossier) for _ in range(5)))
        assert all(one.status_code in {200, 201, 409, 503} for one in answers)
        assert (await handing.hand_over(dossier)).status_code in {200, 201}
        await assert_in(handing, "QG-4")


class TestFile:
    """A file cannot be had, or is not what was announced."""

    @pytest.mark.parametrize(
        "trouble",
        [Response("", 404), Response("", 500), elsewhere(), Response("", 206)],
        ids=["404", "500", "302", "206"],
    )
    async def test_that_cannot_be_had_yet_is_waited_for(self, handing: Handing, trouble: Response) -> None:
        dossier = handing.dossier("QG-5", FILES)
        handing.host.trouble["QG-5-TP02"] = trouble
        assert_problem(await handing.hand_over(dossier), PortalFileAway)
        assert await handing.dossiers("QG-5") == []
        handing.host.trouble.clear()
        assert (await handing.hand_over(dossier)).status_code == 201
        await assert_in(handing, "QG-5")

    @pytest.mark.parametrize(
        ("content", "named"),
        [
            (b"%PDF-1.7\nanother\n", "HashTepTin"),
            (b"", "HashTepTin"),
            (b"%PDF-" + bytes(FILE_BYTES_MAX), "DuongDanTaiTepTin"),
        ],
        ids=["another", "empty", "too large"],
    )
    async def test_that_is_another_one_is_refused_by_name(self, handing: Handing, content: bytes, named: str) -> None:
        dossier = handing.dossier("QG-6", FILES)
        handing.host.files["QG-6-TP02"] = content
        document = assert_problem(await handing.hand_over(dossier), PortalRefused)
        assert [one["field"] for one in document["errors"]] == [f"TaiLieuNop.1.{named}"]
        assert await handing.dossiers("QG-6") == []

    async def test_of_a_type_that_is_not_taken_is_refused_by_name(self, handing: Handing) -> None:
        dossier = handing.dossier("QG-7", {"TP01": PDF, "TP02": b"MZ\x90 a program"})
        document = assert_problem(await handing.hand_over(dossier), PortalRefused)
        assert document["errors"][0]["field"] == "TaiLieuNop.1.DuongDanTaiTepTin"

    @pytest.mark.parametrize(
        "address",
        [
            "http://127.0.0.1:1/x",
            "https://evil.example/x",
            "file:///etc/passwd",
            "//127.0.0.1/x",
            "http://user@{host}/x",
            "http://{host}@evil.example/x",
            "http://{host}.evil.example/x",
            "gopher://{host}/x",
            "http://[::1/x",
            "http://127.0.0.1:99999/x",
        ],
    )
    async def test_elsewhere_is_not_asked_for(self, handing: Handing, address: str) -> None:
        dossier = handing.dossier("QG-8", FILES)
        dossier["TaiLieuNop"][0]["DuongDanTaiTepTin"] = address.format(host=handing.host_url.removeprefix("http://"))
        document = assert_problem(await handing.hand_over(dossier), PortalRefused)
        assert [one["field"] for one in document["errors"]] == ["TaiLieuNop.0.DuongDanTaiTepTin"]
        assert handing.host.asked == []


class TestSweep:
    """Files whose dossier never comes go, bytes first."""

    async def leave_behind(self, handing: Handing, line: Line) -> None:
        line.cut(CALLS, after=False)
        await handing.hand_over(handing.dossier("QG-9", FILES))
        assert len(await handing.papers(None)) == 2

    async def sweep(self, intake: Any, handing: Handing, *, idle_days: int = 2) -> None:
        app, folder = intake
        await handing.rows(
            "UPDATE document SET expires_at = now() - interval '1 s' WHERE dossier_code IS NULL RETURNING 1"
        )
        for file in files_in(folder):
            ago = file.stat().st_mtime - idle_days * 86400
            os.utime(file, (ago, ago))
        store: Documents = app.state.documents
        await sweep_portal_files(app.state.database, store)

    async def test_takes_rows_and_bytes(self, handing: Handing, line: Line, intake: Any) -> None:
        await self.leave_behind(handing, line)
        await self.sweep(intake, handing)
        assert await handing.papers(None) == []
        kept = {file.name for file in files_in(intake[1])}
        assert not kept & {paper["HashTepTin"] for paper in handing.dossier("QG-9", FILES)["TaiLieuNop"]}

    async def test_leaves_bytes_that_another_dossier_names(self, handing: Handing, line: Line, intake: Any) -> None:
        assert (await handing.hand_over(handing.dossier("QG-10", FILES))).status_code == 201
        await self.leave_behind(handing, line)
        await self.sweep(intake, handing)
        await assert_in(handing, "QG-10")

    async def test_leaves_bytes_that_were_put_just_now(self, handing: Handing, line: Line, intake: Any) -> None:
        await self.leave_behind(handing, line)
        await self.sweep(intake, handing, idle_days=0)
        assert [one["held"] for one in await handing.papers(None)] == [False, False]
        assert (await handing.hand_over(handing.dossier("QG-9", FILES))).status_code == 201
        await assert_in(handing, "QG-9")


def files_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


async def test_the_portal_itself_hands_over_until_it_is_in(
    standing: Any, handing: Handing, line: Line, tmp_path: Path
) -> None:
    """The portal's process, its files and its patience; every second call to intake is lost."""
    gateway, gateway_url, *_ = standing
    with PortalProcess(tmp_path, gateway_url=gateway_url, portal_client_secret=SECRET) as portal:
        gateway.state.portal_files._origins = frozenset({("http", "127.0.0.1", int(portal.url.rpartition(":")[2]))})
        words = handing.dossier("QG-11", {})
        documents = [
            {"MaThanhPhanHoSo": component, "TenTepDinhKem": f"{component}.pdf", "content_base64": encoded}
            for component, encoded in BASE64.items()
        ]
        line.cut(2, after=True)
        async with httpx.AsyncClient(base_url=portal.url, timeout=60) as control:
            answer = await control.post("/_control/submit", json={**words, "TaiLieuNop": [], "documents": documents})
        told = answer.json()
        assert (told["status_code"], told["attempts"]) == (201, 2), told
        await assert_in(handing, "QG-11")
