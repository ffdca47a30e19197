"""The supervisor, with tiny programs in place of the real ones and a process of its own, as in real life."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.control import Control, NotRunning
from deploy.local.folder import ROOT, RunFolder, read_json
from deploy.local.launch import NotUp, detached
from deploy.local.processes import alive
from tests.deploy.census import eventually, processes_of
from tests.deploy.standin import command


def up(folder: RunFolder, *behaviours: str) -> tuple[Control, list[str]]:
    told: list[str] = []
    detached(folder, told.append, command(folder, *behaviours))
    return Control(folder), told


class TestUp:
    """`up` starts everything or nothing."""

    def test_returns_when_every_program_is_ready(self, folder: RunFolder) -> None:
        control, told = up(folder, "one", "two")
        assert control.is_up
        assert control.is_ready("one")
        assert control.is_ready("two")
        assert [line.split()[0] for line in sorted(told)] == ["one", "two"]
        assert read_json(folder.stack) == {"one": control.pid("one"), "two": control.pid("two")}
        assert folder.stack.stat().st_mode & 0o777 == 0o600

    def test_says_what_a_program_that_ended_said_last(self, folder: RunFolder) -> None:
        with pytest.raises(NotUp, match=r"(?s)two ended with exit code 3.*the last words of crashes"):
            up(folder, "one", "two:crashes")
        assert processes_of(folder.path) == []

    def test_gives_up_on_a_program_that_is_never_ready(self, folder: RunFolder) -> None:
        with pytest.raises(NotUp, match=r"(?s)two was not ready in time.*the last words of lingers"):
            up(folder, "one", "two:lingers")
        assert processes_of(folder.path) == []

    def test_refuses_a_folder_that_another_supervisor_has(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one")
        pid = control.pid("one")
        with pytest.raises(NotUp, match="Another supervisor runs"):
            up(folder, "one")
        assert control.pid("one") == pid

    def test_leaves_two_folders_to_each_other(self, folder: RunFolder, tmp_path: Path) -> None:
        other = RunFolder(tmp_path / "other")
        first, _ = up(folder, "one")
        second, _ = up(other, "one")
        assert first.rows()["one"]["address"] != second.rows()["one"]["address"]
        assert second.take_down()
        assert first.is_ready("one")
        assert processes_of(other.path) == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_leaves_nothing_when_interrupted(self, folder: RunFolder, number: int) -> None:
        words = command(folder, "one", "two:lingers")
        script = f"from deploy.local.launch import *; detached(RunFolder(Path({str(folder.path)!r})), print, {words})"
        patient = {**os.environ, "STANDIN_READY_S": "60"}
        asking = subprocess.Popen(
            [sys.executable, "-c", f"from pathlib import Path; {script}"],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            env=patient,
        )
        assert eventually(lambda: len(processes_of(folder.path)) >= 4)
        asking.send_signal(number)
        asking.wait(20)
        # Whoever was asked politely waits for it; after kill -9 the supervisor notices by itself.
        assert eventually(lambda: processes_of(folder.path) == [], within_s=5 if number == signal.SIGKILL else 0)


class TestWatch:
    """Whatever crashes comes back; whatever is held stays down."""

    def test_restarts_what_was_killed(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one", "two")
        before, neighbour = control.pid("one"), control.pid("two")
        control.kill("one")
        assert not control.is_ready("one")
        control.wait_ready("one")
        assert control.pid("one") != before
        assert control.pid("two") == neighbour
        assert control.rows()["one"]["restarts"] == 1
        assert eventually(lambda: read_json(folder.stack)["one"] == control.pid("one"))
        assert "one ended with code -9; again in 1 s" in (folder.logs / "supervisor.log").read_text()

    def test_keeps_down_what_was_stopped(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one", "two:stubborn")
        control.stop("two")
        with pytest.raises(NotRunning):
            control.pid("two")
        assert control.rows()["two"]["restarts"] == 0
        control.start("two")
        assert control.is_ready("two")

    def test_a_frozen_program_is_not_ready_until_it_goes_on(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one")
        control.pause("one")
        assert eventually(lambda: not control.is_ready("one"))
        control.resume("one")
        control.wait_ready("one", timeout_s=5)
        assert control.rows()["one"]["restarts"] == 0

    def test_names_the_processes_there_are(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one")
        with pytest.raises(NotRunning, match="there are: one"):
            control.stop("eins")


class TestDown:
    """Nothing outlives the supervisor."""

    def test_stops_everything_even_the_stubborn_and_the_frozen(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one", "two:stubborn", "three")
        control.pause("three")
        assert control.take_down()
        assert processes_of(folder.path) == []
        assert not folder.stack.exists()
        assert not control.take_down()

    def test_lets_everything_finish_what_it_does(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one:tidies")
        control.take_down()
        assert "all is tidy" in (folder.logs / "one.log").read_text()

    def test_everything_stops_when_the_folder_is_deleted(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one", "two:stubborn")
        supervisor = control.supervisor
        shutil.rmtree(folder.path)
        assert eventually(lambda: not alive(supervisor) and processes_of(folder.path) == [])
        assert not folder.path.exists()

    def test_everything_dies_with_a_killed_supervisor(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one", "two:stubborn")
        assert control.supervisor
        os.kill(control.supervisor.pid, signal.SIGKILL)
        assert eventually(lambda: processes_of(folder.path) == [])

    def test_up_works_again_after_a_killed_supervisor(self, folder: RunFolder) -> None:
        control, _ = up(folder, "one")
        assert control.supervisor
        before = control.identity("one")
        os.kill(control.supervisor.pid, signal.SIGKILL)
        control, _ = up(folder, "one")
        assert control.is_ready("one")
        assert not alive(before)
