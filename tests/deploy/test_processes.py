"""Processes are only signalled when surely the same, and die with their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.local.folder import ROOT, write_json
from deploy.local.processes import Identity, alive, end, identify, memory_bytes, recall, remember, send, spawn, uptime_s
from tests.deploy.census import eventually, processes_of

SLEEPER = [sys.executable, "-c", "import time; print('asleep', flush=True); time.sleep(60)"]
TIDY = [
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('tidy', flush=True); time.sleep(60)",
]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


def started(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], Identity]:
    child = spawn(command, log=log, environment=os.environ)
    assert eventually(log.read_text)
    identity = identify(child.pid)
    assert identity
    return child, identity


class TestIdentity:
    """A process id alone proves nothing."""

    def test_a_recycled_pid_is_never_signalled(self, tmp_path: Path) -> None:
        child, identity = started(SLEEPER, tmp_path / "log")
        predecessor = Identity(identity.pid, identity.started - 1)
        assert not alive(predecessor)
        assert not send(predecessor, signal.SIGKILL)
        end(predecessor, patience_s=1)
        assert child.poll() is None
        assert send(identity, signal.SIGKILL)
        assert child.wait(5) == -signal.SIGKILL

    def test_a_dead_child_that_nobody_reaped_counts_as_dead(self, tmp_path: Path) -> None:
        child, identity = started(SLEEPER, tmp_path / "log")
        child.send_signal(signal.SIGKILL)
        assert eventually(lambda: not alive(identity))

    def test_is_recalled_only_while_it_lives(self, tmp_path: Path) -> None:
        child, identity = started(SLEEPER, tmp_path / "log")
        remember(tmp_path / "pid.json", identity)
        assert recall(tmp_path / "pid.json") == identity
        write_json(tmp_path / "stale.json", {"pid": identity.pid, "started": identity.started - 1})
        assert recall(tmp_path / "stale.json") is None
        assert recall(tmp_path / "missing.json") is None
        child.kill()


class TestEnd:
    """Asks first, and kills when that does not help."""

    def test_kills_what_does_not_listen(self, tmp_path: Path) -> None:
        child, identity = started(STUBBORN, tmp_path / "log")
        end(identity, patience_s=0.2)
        assert child.wait(5) == -signal.SIGKILL

    def test_wakes_what_is_frozen(self, tmp_path: Path) -> None:
        child, identity = started(TIDY, tmp_path / "log")
        send(identity, signal.SIGSTOP)
        end(identity, patience_s=5)
        assert child.wait(5) == 7


class TestSpawn:
    """Children end with their parent unless told otherwise."""

    def test_a_child_dies_with_a_killed_parent(self, tmp_path: Path) -> None:
        script = (
            "import os, sys, time; from pathlib import Path; from deploy.local.processes import spawn;"
            f"folder = {str(tmp_path)!r};"
            "sleeper = [sys.executable, '-c', 'import time; time.sleep(60)', folder];"
            "spawn(sleeper, log=Path(folder, 'log'), environment={});"
            "time.sleep(60)"
        )
        parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
        assert eventually(lambda: len(processes_of(tmp_path)) == 2)
        parent.kill()
        parent.wait()
        assert eventually(lambda: processes_of(tmp_path) == [])

    def test_tells_uptime_and_memory(self, tmp_path: Path) -> None:
        child, identity = started(SLEEPER, tmp_path / "log")
        assert 0 <= uptime_s(identity) < 60
        assert 2**20 < memory_bytes(identity) < 2**28
        child.kill()
