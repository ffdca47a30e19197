"""What a person sees of the stack."""

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.control import Control
from deploy.local.folder import RunFolder
from deploy.local.launch import detached
from deploy.local.processes import Identity
from deploy.local.status import Follower
from tests.deploy.census import processes_of
from tests.deploy.standin import command, quiet


@pytest.fixture(autouse=True)
def _run_dir(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTCUA_RUN_DIR", str(folder.path))


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


class TestWhenDown:
    """Every command says so and does no harm."""

    def test_says_how_to_start(self) -> None:
        assert run("status") == (1, "The stack is down. Start it:  make up\n")
        assert run("down") == (0, "Nothing was running.\n")
        assert run("logs", "intake") == (1, "No log 'intake'; there are: none yet.\n")

    def test_wants_both_addresses_of_a_broker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POSTGRES_URL", "postgresql://admin@db.example/postgres")
        monkeypatch.setenv("RABBITMQ_URL", "amqp://admin@broker.example")
        code, words = run("up")
        assert code == 1
        assert "RABBITMQ_MANAGEMENT_URL=" in words

    def test_clean_deletes_the_folder(self, folder: RunFolder) -> None:
        assert run("clean")[0] == 0
        assert not folder.path.exists()


class TestWhenUp:
    """The commands show what runs."""

    def test_status_tells_health_and_restarts(self, folder: RunFolder) -> None:
        detached(folder, quiet, command(folder, "one", "two"))
        control = Control(folder)
        control.kill("one")
        control.wait_ready("one")
        control.stop("two")
        code, words = run("status")
        rows = {line.split()[0]: line.split() for line in words.splitlines() if line.split()}
        assert code == 0
        assert rows["one"][1] == str(control.pid("one"))
        assert rows["one"][3] == "ready"
        assert rows["one"][-1] == "1"
        assert "held" in rows["two"]

    def test_logs_show_the_end_and_what_comes(self, folder: RunFolder) -> None:
        detached(folder, quiet, command(folder, "one"))
        assert run("logs", "one") == (0, "the last words of behaves\n")
        assert "supervisor  " in run("logs")[1]
        follower = Follower([folder.logs / "one.log"])
        with (folder.logs / "one.log").open("a") as log:
            log.write("whole\nin two ")
            log.flush()
            assert list(follower.added()) == ["whole"]
            log.write("parts\n")
        assert list(follower.added()) == ["in two parts"]
        (folder.logs / "one.log").write_text("cut\n")
        assert list(follower.added()) == ["cut"]

    def test_clean_stops_everything_first(self, folder: RunFolder) -> None:
        detached(folder, quiet, command(folder, "one"))
        assert isinstance(Control(folder).identity("one"), Identity)
        assert run("clean")[0] == 0
        assert processes_of(folder.path) == []
        assert not folder.path.exists()
