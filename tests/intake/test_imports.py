"""The national catalogue comes in: by command and by call, once, whole, and on from where it was stopped."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from services.intake import queries
from services.intake.operations.imports import Report
from shared import migrations
from shared.events.intake import ProcedurePublished
from tests.intake import nasty
from tests.intake.counter import Counter, dossier
from tests.support.servers import Databases

ROWS = 1200


@pytest.fixture
async def fresh(databases: Databases) -> AsyncIterator[str]:
    """Lend a migrated database without a catalogue."""
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.intake", url)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tthc.jsonl"
    path.write_bytes(b"\n".join(json.dumps(nasty.row(number)).encode() for number in range(1, ROWS + 1)))
    return path


def command(*words: str | Path, kind: str = "catalogue") -> subprocess.Popen[str]:
    """Start `motcua catalogue import`."""
    call = [sys.executable, "-m", "deploy.cli", kind, "import", *map(str, words)]
    return subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


async def run(*words: str | Path, kind: str = "catalogue") -> tuple[int, str]:
    """Run it to its end; return exit code and output."""
    process = command(*words, kind=kind)
    output, _ = await asyncio.to_thread(process.communicate)
    return process.returncode, output


async def value(url: str, statement: str) -> Any:
    """Return one value of a database."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


class TestCommand:
    async def test_goes_on_where_it_was_killed(self, fresh: str, file: Path, tmp_path: Path) -> None:
        process = command(file, "--database", fresh)
        async with asyncio.timeout(60):
            while not await value(fresh, "SELECT max(done) FROM catalogue_import"):
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        stood = await value(fresh, "SELECT count(*) FROM procedure")
        assert 0 < stood < ROWS
        code, output = await run(file, "--database", fresh, "--report", tmp_path / "r.json")
        report = json.loads((tmp_path / "r.json").read_text())
        assert (code, report["read"], report["imported"], report["refused"]) == (0, ROWS, ROWS, 0), output
        assert (report["unchanged"], report["added"], report["resumed_after"]) == (stood, ROWS - stood, stood)
        assert await value(fresh, "SELECT count(*) FROM procedure") == ROWS
        assert await value(fresh, "SELECT count(*) FROM outbox") == ROWS
        assert await value(fresh, "SELECT count(*) FROM catalogue_import WHERE finished_at IS NOT NULL") == 1

    async def test_changes_nothing_the_second_time(self, fresh: str, tmp_path: Path) -> None:
        file, report = tmp_path / "nasty.jsonl", tmp_path / "r.json"
        file.write_bytes(nasty.lines())
        for nth in range(2):
            code, output = await run(file, "--database", fresh, "--report", report)
            counts = json.loads(report.read_text())
            assert (code, counts["read"], counts["refused"]) == (1, nasty.READ, nasty.REFUSED), output
            assert counts["changed"] == 0
            assert counts["unchanged"] == (counts["imported"] - counts["repeated"] if nth else 0)
        assert await value(fresh, "SELECT max(version) FROM procedure") == 1

    async def test_looks_at_a_file_without_any_database(self, file: Path, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setenv("MOTCUA_RUN_DIR", str(tmp_path / "no-stack"))
        code, output = await run(file, "--dry-run", "--report", tmp_path / "r.json")
        assert (code, json.loads((tmp_path / "r.json").read_text())["compared_with"]) == (0, "nothing"), output
        code, output = await run(file)
        assert (code, "make up" in output) == (3, True)

    async def test_changes_nothing_when_it_only_looks(self, fresh: str, file: Path) -> None:
        code, output = await run(file, "--dry-run", "--database", fresh)
        assert (code, f"{ROWS} would be imported" in output) == (0, True), output
        assert await value(fresh, "SELECT count(*) FROM procedure") == 0

    async def test_says_what_is_wrong_with_its_words(self, tmp_path: Path, file: Path) -> None:
        assert (await run(tmp_path / "nothing.jsonl"))[0] == 2
        code, output = await run(file, "--database", "postgresql://nobody@127.0.0.1:1/nothing")
        assert (code, "does not answer" in output) == (3, True), output

    async def test_brings_in_agencies(self, fresh: str, tmp_path: Path) -> None:
        file = tmp_path / "units.json"
        wards = [{"code": "22339", "name": "Phường Nha Trang"}, {"code": "22342", "name": "Phường Bắc Nha Trang"}]
        file.write_text(json.dumps([{"code": "56", "name": "Tỉnh Khánh Hoà", "wards": wards}]), encoding="utf-8")
        for counts in ("3 added, 0 changed, 0 unchanged", "0 added, 0 changed, 3 unchanged"):
            code, output = await run(file, "--database", fresh, kind="agencies")
            assert (code, counts in output) == (0, True), output
        assert await value(fresh, "SELECT entry ->> 'name' FROM agency WHERE code = 'H32.922.339'") == (
            "Ủy ban nhân dân phường Nha Trang"
        )


class TestCall:
    """The same over HTTP; the database is put back as it was."""

    @pytest.fixture
    async def keeper(self, counter: Counter) -> AsyncIterator[Counter]:
        yield counter
        async with counter.database.session() as session:
            for statement in (
                "DELETE FROM procedure WHERE version > 1 OR code LIKE '9.%'",
                "DELETE FROM catalogue_import",
                "DELETE FROM field WHERE code = 'linh_vuc_mau'",
            ):
                await session.execute(text(statement))
            await session.commit()
            counter.app.state.catalogue = await queries.load_catalogue(session)

    async def bring_in(self, counter: Counter, *procedures: Any, **more: Any) -> dict[str, Any]:
        body = {"procedures": procedures} | more
        answer = await counter.post("/catalogue/imports", body, scopes=["catalogue:write"])
        assert answer.status_code == 200, answer.text
        async with counter.database.session() as session:
            counter.app.state.catalogue = await queries.load_catalogue(session, counter.app.state.catalogue)
        return answer.json()

    async def test_takes_the_portals_words_and_tells(self, keeper: Counter) -> None:
        row = {
            "MATTHC": "9.000001",
            "TENTTHC": "Đăng ký mẫu",
            "LINHVUCTHUCHIEN": [{"MALINHVUC": "linh_vuc_mau", "TENLINHVUC": "Lĩnh vực mẫu"}],
            "COQUANTHUCHIEN": [{"MADONVI": "000.00.14.H32"}],
            "CACHTHUCTHUCHIEN": [{"KENH": "2", "THOIGIAN": [{"THOIGIANGIAIQUYET": "3", "DONVITINH": "Ngày làm việc"}]}],
        }
        report = await self.bring_in(keeper, row, source="LayThuTuc")
        assert (report["added"], report["refused"]) == (1, 0)
        (told,) = await keeper.told("9.000001")
        assert isinstance(told, ProcedurePublished)
        assert [step.key for step in told.process.steps] == ["appraise", "sign"]
        found = (await keeper.client.get("/procedures/9.000001")).json()
        assert (found["agencies"], found["channels"], found["duration"]["amount"]) == (["H32.14"], ["online"], 3)
        page = (await keeper.get("/catalogue/imports", scopes=["catalogue:write"])).json()
        assert [(one["source"], one["done"]) for one in page["items"]] == [("LayThuTuc", 1)]

    async def test_keeps_what_the_province_has_set(self, keeper: Counter) -> None:
        """A gap in the source erases neither process nor term, neither receivers nor fees."""
        before = (await keeper.client.get("/procedures/1.004222")).json()
        report = await self.bring_in(keeper, {"code": "1.004222", "name": "Tên mới", "channels": ["direct", "online"]})
        assert (report["changed"], "province_kept" in {odd["kind"] for odd in report["oddities"]}) == (1, True)
        after = (await keeper.client.get("/procedures/1.004222")).json()
        assert (after["name"], after["versions"]) == ("Tên mới", [2, 1])
        for kept in ("duration", "agencies", "fees", "components", "results", "levels", "applicants", "field_code"):
            assert after[kept] == before[kept], kept
        assert (await self.bring_in(keeper, {"code": "1.004222", "name": "Tên mới"}))["unchanged"] == 1
        older = (await keeper.client.get("/procedures/1.004222", params={"version": 1})).json()
        assert older["name"] == before["name"]

    async def test_keeps_the_several_fees_that_a_province_tells_apart(self, keeper: Counter) -> None:
        row = nasty.row(1, channels=[nasty.way(fees=[nasty.fee(4_500_000)])]) | {"code": "2.000822"}
        before = (await keeper.client.get("/procedures/2.000822")).json()
        assert (await self.bring_in(keeper, row))["changed"] == 1
        assert (await self.bring_in(keeper, row))["unchanged"] == 1
        after = (await keeper.client.get("/procedures/2.000822")).json()
        assert len(after["fees"]["direct"]) == len(before["fees"]["direct"]) == 2

    async def test_leaves_ended_what_has_ended(self, keeper: Counter) -> None:
        """Causes named in DOMAIN.md §7: expired procedures that are still listed."""
        report = await self.bring_in(keeper, {"code": "1.010385", "name": "Vẫn liệt kê"})
        assert "expired_kept" in {odd["kind"] for odd in report["oddities"]}
        assert not (await keeper.client.get("/procedures/1.010385")).json()["in_force"]

    async def test_only_looks_when_asked_to(self, keeper: Counter) -> None:
        assert (await self.bring_in(keeper, nasty.row(1), dry_run=True))["added"] == 1
        assert (await keeper.client.get("/procedures/9.000001")).status_code == 404

    async def test_needs_the_right(self, counter: Counter) -> None:
        assert (await counter.post("/catalogue/imports", {"procedures": []})).status_code == 403

    async def test_imported_procedures_are_submitted_to_by_level(self, keeper: Counter) -> None:
        await self.bring_in(keeper, nasty.row(1, levels=["commune"]), nasty.row(2, levels=["ministry"]))
        papers = [{"component_code": "TP01", "paper": True}]
        for procedure, status in (("9.000001", 201), ("9.000002", 422)):
            answer = await keeper.submit(dossier(procedure_code=procedure, documents=papers))
            assert answer.status_code == status, answer.text


def test_counts_of_a_report_add_up() -> None:
    report = Report(added=3, changed=2, unchanged=5, repeated=1, refusals=[{"line": 1, "code": "", "reason": "none"}])
    assert (report.imported, report.read) == (11, 12)
