"""How documents are generated; that they are up to date is seen to by `make check`."""

import json
from pathlib import Path

import pytest
import typer

from deploy import docs as command
from deploy.docs import bus
from deploy.docs.text import Incomplete, as_yaml, between, table
from deploy.local.folder import ROOT
from shared.errors import catalogue


def test_are_stale_when_they_are_missing_or_differ(tmp_path: Path) -> None:
    same, other, missing = tmp_path / "same", tmp_path / "other", tmp_path / "missing"
    same.write_text("a", encoding="utf-8")
    other.write_text("b", encoding="utf-8")
    assert command.stale_documents({same: "a", other: "a", missing: "a"}) == {other: "a", missing: "a"}


def test_check_names_what_is_stale_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "documents", lambda: {tmp_path / "docs/a.md": "new"})
    with pytest.raises(typer.Exit) as end:
        command.docs(check=True)
    assert (end.value.exit_code, capsys.readouterr().err.split()[-1]) == (1, "docs/a.md")
    assert not (tmp_path / "docs/a.md").exists()
    command.docs(check=False)
    assert (tmp_path / "docs/a.md").read_text(encoding="utf-8") == "new"
    command.docs(check=True)


def test_every_problem_has_a_stable_code_and_two_titles() -> None:
    page = (ROOT / "docs/reference/problems.md").read_text(encoding="utf-8")
    for problem in catalogue():
        if problem.__module__.startswith(("shared", "services", "gateway")):
            assert f"| `{problem.code}` | {problem.status} |" in page
            assert problem.title() != problem.title_vi


def test_an_event_needs_an_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "ROOT", tmp_path)
    with pytest.raises(Incomplete, match=r"intake\.dossier\.accepted\.v1\.json: write an example"):
        bus.example("intake.dossier.accepted.v1")


def test_broken_promises_stop_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A schema that promised more than the code keeps is not overwritten."""
    before = bus.asyncapi.event_schema(bus.EVENTS["intake.dossier.accepted.v1"])
    before["properties"]["gone"] = {"type": "string"}
    path = tmp_path / bus.SCHEMAS / "intake.dossier.accepted.v1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(before), encoding="utf-8")
    monkeypatch.setattr(bus, "ROOT", tmp_path)
    with pytest.raises(typer.Exit):
        command.docs(check=False)
    assert "intake.dossier.accepted.v1: data.gone was removed" in capsys.readouterr().err
    assert json.loads(path.read_text(encoding="utf-8")) == before


class TestBetween:
    """The place in a page where the code writes."""

    def test_is_filled(self) -> None:
        page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
        assert between(page, "x", "new") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
        assert between(between(page, "x", "1"), "x", "new") == between(page, "x", "new")

    @pytest.mark.parametrize("page", ["", "<!-- x -->\n", "<!-- x -->\n<!-- /x -->\n" * 2])
    def test_must_be_there_once(self, page: str) -> None:
        with pytest.raises(LookupError, match="needs one place"):
            between(page, "x", "new")


def test_text_in_tables_and_yaml_keeps_its_meaning() -> None:
    assert table(["A"], [["x|y"]]) == "| A |\n| --- |\n| x\\|y |"
    assert as_yaml({"a": "1\n2\n", "b": "yes"}) == "a: |\n  1\n  2\nb: 'yes'\n"
