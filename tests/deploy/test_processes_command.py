"""`motcua processes`: a folder of drawings is checked offline, and brought into workflow's database in bulk."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared import migrations
from tests.support.servers import Databases
from tests.workflow.drawn import FILES, content
from tests.workflow.test_processes import drawn


@pytest.fixture
async def url(databases: Databases) -> AsyncIterator[str]:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.workflow", url)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


async def run(*words: str | Path, database: str = "") -> tuple[int, str]:
    """Run the command; return its exit code and what it said."""
    environment = {**os.environ, "MOTCUA_WORKFLOW_DATABASE_URL": database, "COLUMNS": "300"}
    command = [sys.executable, "-m", "deploy.cli", "processes", *map(str, words)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def province(folder: Path, count: int) -> Path:
    """Fill a folder with drawings, those of the modellers among them."""
    for nth, file in enumerate(drawn(count)[0]):
        (folder / f"{nth:04}.bpmn").write_bytes(file)
    for name in FILES:
        (folder / name).write_bytes(content(name))
    return folder


async def test_check_names_file_line_element_and_reason(tmp_path: Path) -> None:
    broken = content("camunda-modeler.bpmn").replace(b'"minutes" value="960"', b'"minutes" value="?"')
    (tmp_path / "broken.bpmn").write_bytes(broken)
    (tmp_path / "good.bpmn").write_bytes(content("bpmn-io.bpmn"))
    (tmp_path / "odd.json").write_text("{}", encoding="utf-8")
    code, said = await run("check", tmp_path)
    assert code == 1
    assert "broken.bpmn: line 62: userTask Activity_inspect “Kiểm tra thực địa”" in said
    assert "odd.json: member code" in said
    assert "3 processes: 1 can run, 2 cannot run" in said


async def test_import_takes_a_folder_once(tmp_path: Path, url: str) -> None:
    await imported(tmp_path, url, 30)


@pytest.mark.large
async def test_import_takes_a_province(tmp_path: Path, url: str) -> None:
    await imported(tmp_path, url, 2_745)


async def imported(folder: Path, url: str, count: int) -> None:
    """Import a folder dry, for real, and once more."""
    report = folder / "report.jsonl"
    province(folder, count)
    # Camunda Modeler's and bpmn.io's files are for one procedure; only one of them says for which agency.
    for words, said_of_it in ((["--dry-run"], "new"), ([], "new"), ([], "unchanged")):
        code, said = await run("import", folder, "--report", report, *words, database=url)
        assert (code, f"{count + len(FILES)} {said_of_it}" in said) == (0, True), said
    assert len([json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]) == count + len(FILES)


@pytest.mark.parametrize(("words", "code"), [(["check", "/nowhere/at/all.bpmn"], 2), (["import", "/nowhere"], 2)])
async def test_without_files(words: list[str], code: int) -> None:
    assert (await run(*words))[0] == code


async def test_without_a_database(tmp_path: Path) -> None:
    (tmp_path / "good.bpmn").write_bytes(content("bpmn-io.bpmn"))
    code, said = await run("import", tmp_path, database="postgresql://nobody@127.0.0.1:9/none")
    assert (code, "There is no workflow database" in said) == (3, True)
