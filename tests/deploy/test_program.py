"""A program is found again by its pid file, whoever started it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.processes import alive
from deploy.local.program import HttpProgram, NotStarted


@pytest.fixture
def program(tmp_path: Path) -> Iterator[HttpProgram]:
    program = made(tmp_path)
    yield program
    program.stop()


def made(folder: Path, *arguments: str) -> HttpProgram:
    memory = folder / "ports.json"
    port = (ports.remembered(memory) or ports.choose(memory, ["program"]))["program"]
    return HttpProgram(
        "program",
        log=folder / "log",
        pid_file=folder / "pid.json",
        command=[sys.executable, *(arguments or ("-m", "http.server", "-b", ports.LOOPBACK, str(port)))],
        environment={},
        url=f"http://{ports.LOOPBACK}:{port}",
        ready_path="/",
    )


class TestStart:
    """One process at most."""

    def test_is_idempotent(self, program: HttpProgram) -> None:
        program.start(timeout_s=20)
        pid = program.pid
        program.start(timeout_s=20)
        assert program.pid == pid

    def test_replaces_what_another_left(self, program: HttpProgram, tmp_path: Path) -> None:
        program.start(timeout_s=20)
        before = program.identity
        successor = made(tmp_path)
        successor.start(timeout_s=20)
        assert successor.identity == before
        successor.spawn()
        assert not alive(before)
        assert successor.pid == program.pid
        successor.stop()

    def test_does_not_take_another_at_its_address_for_itself(self, program: HttpProgram, tmp_path: Path) -> None:
        """Its port was free when it was chosen; who answers there meanwhile is no sign that this one does its work."""
        program.start(timeout_s=20)
        late = HttpProgram(
            "late",
            log=tmp_path / "late.log",
            pid_file=tmp_path / "late.json",
            command=program.command(),
            environment={},
            url=program.url,
            ready_path="/",
        )
        with pytest.raises(NotStarted, match="Address already in use"):
            late.start(timeout_s=20)
        assert program.is_ready()

    def test_tries_again_before_it_complains(self, tmp_path: Path) -> None:
        hopeless = made(tmp_path, "-c", "print('no hope')")
        with pytest.raises(NotStarted, match="3 tries"):
            hopeless.start(timeout_s=20)
        assert hopeless.log.read_text().count("no hope") == 3
