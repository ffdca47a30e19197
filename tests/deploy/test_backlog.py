"""The command `motcua backlog`: what it answers to what people type."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.backlog.command import app
from deploy.backlog.index import open_index


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Run the command with an archive that is not there."""
    monkeypatch.setenv("MOTCUA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("MOTCUA_STORAGE_URL", (tmp_path / "store").as_uri())
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def test_sample_is_an_index_with_its_scans(run: Any, tmp_path: Path) -> None:
    assert run("sample", tmp_path / "sample", "--rows", "3").exit_code == 0
    index = open_index(tmp_path / "sample" / "index.csv")
    assert index.rows_total == 3
    assert all((tmp_path / "sample" / index.named(row)["file"]).is_file() for row in index.rows())


def test_import_says_why_an_index_cannot_be_taken(run: Any, tmp_path: Path) -> None:
    answer = run("import", tmp_path, "--rejects", tmp_path / "r.csv")
    assert (answer.exit_code, "index.csv" in answer.stdout) == (2, True)


def test_import_never_writes_over_the_index(run: Any, tmp_path: Path) -> None:
    run("sample", tmp_path, "--rows", "1")
    before = (tmp_path / "index.csv").read_bytes()
    answer = run("import", tmp_path, "--rejects", tmp_path / "." / "index.csv")
    assert (answer.exit_code, "another file" in answer.stdout) == (2, True)
    assert (tmp_path / "index.csv").read_bytes() == before


def test_import_says_that_it_can_be_repeated_when_the_database_is_away(run: Any, tmp_path: Path) -> None:
    run("sample", tmp_path, "--rows", "1")
    answer = run("import", tmp_path, "--rejects", tmp_path / "r.csv")
    assert (answer.exit_code, "same command again" in answer.stdout.replace("\n", " ")) == (1, True)


def test_import_refuses_an_agency_that_is_none(run: Any, tmp_path: Path) -> None:
    run("sample", tmp_path, "--rows", "1")
    assert run("import", tmp_path, "--rejects", tmp_path / "r.csv", "--agency", "Khánh Hòa").exit_code == 2
