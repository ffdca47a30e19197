"""One process owns all others: brings them up, restarts what crashes, takes them down, whatever ends it."""

import fcntl
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any, Protocol

from deploy.local.folder import RunFolder, write_json
from deploy.local.processes import Identity, identify
from deploy.local.program import NotStarted, Program
from deploy.local.servers import Phase

TICK_S = 0.2
BACKOFF_MAX_S = 30
STEADY_S = 10
"""A process that ran this long starts its backoff anew when it crashes."""
LOG_BYTES_MAX = 20 * 1024 * 1024
LOG_CHECK_S = 5
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class AlreadyUp(Exception):
    """Another supervisor holds this run folder."""


class _StopRequested(BaseException):
    """A signal asks the supervisor to stop; raised wherever it happens to be."""


class Runnable(Protocol):
    """What the supervisor runs: deploy.local.stack.Stack, or a smaller one."""

    folder: RunFolder
    ready_timeout_s: float
    """How long a server, or all programs together, may take to be ready."""

    def phases(self) -> Sequence[Phase]:
        """Return the servers that must be ready before the programs start."""
        ...

    @property
    def programs(self) -> Sequence[Program]:
        """Return the programs in the order in which they start."""
        ...

    def write_description(self) -> None:
        """Write stack.json."""
        ...


Say = Callable[[str, str], None]
"""Told what happens: a kind (`step`, `ready`, `failed`, or `waiting` again and again) and words."""


@dataclass
class Watched:
    """A program under supervision."""

    program: Program
    state: str = "starting"
    """starting, ready, crashed, stopping, held."""
    restarts: int = 0
    failures: int = 0
    """Crashes in a row."""
    started_at: float = 0
    next_start_at: float = 0
    stopped_by: float = 0
    identity: Identity | None = None


class Supervisor:
    """Runs a stack until it is told to stop by SIGTERM or SIGINT."""

    def __init__(self, stack: Runnable, say: Say) -> None:
        self._stack = stack
        self._folder = stack.folder
        self._say = say
        self._watched: list[Watched] = []
        self._state = "starting"
        self._description_due = False

    def run(self) -> bool:
        """Bring the stack up, watch it, and take it down again; True unless it failed to come up.

        Raises AlreadyUp when another supervisor has this folder.
        """
        self._folder.create()
        with _locked(self._folder.lock), _stopped_by_signals():
            try:
                self._bring_up()
                self._say("ready", "")
                self._watch()
            except _StopRequested:
                return True
            except Exception as problem:
                self._say("failed", str(problem) or repr(problem))
                return False
            finally:
                self._take_down()
        return True

    # Up

    def _bring_up(self) -> None:
        for stale in self._folder.held.iterdir():
            stale.unlink()
        phases = self._stack.phases()
        for phase in phases:
            if phase.server:
                self._start(phase.server)
        for phase in phases:
            if phase.server:
                self._await_ready([self._find(phase.server.name)])
            began = monotonic()
            phase.then()
            self._say("step", f"{phase.label} ({monotonic() - began:.1f} s)")
        for program in self._stack.programs:
            self._start(program)
        self._await_ready([each for each in self._watched if each.state == "starting"])
        self._stack.write_description()
        self._state = "up"
        self._write_state()

    def _start(self, program: Program) -> None:
        watched = Watched(program)
        self._watched.append(watched)
        self._spawn(watched)

    def _spawn(self, watched: Watched) -> None:
        watched.program.spawn()
        watched.started_at = monotonic()
        watched.state = "starting"
        watched.identity = watched.program.identity
        self._write_state()

    def _find(self, name: str) -> Watched:
        return next(each for each in self._watched if each.program.name == name)

    def _await_ready(self, waiting: list[Watched]) -> None:
        """Wait for several programs at once; raises NotStarted for the first that fails."""
        deadline = monotonic() + self._stack.ready_timeout_s
        while waiting:
            for watched in waiting:
                if watched.program.exit_code is not None or monotonic() > deadline:
                    raise NotStarted(watched.program.complaint())
                self._note_ready(watched)
            waiting = [each for each in waiting if each.state != "ready"]
            self._say("waiting", "")
            sleep(TICK_S / 2 if waiting else 0)

    def _note_ready(self, watched: Watched) -> None:
        if watched.program.is_ready():
            watched.state = "ready"
            self._write_state()
            took = monotonic() - watched.started_at
            self._say("step", f"{watched.program.name} ready at {watched.program.address} ({took:.1f} s)")

    # Watch

    def _watch(self) -> None:
        logs_checked_at = monotonic()
        while True:
            sleep(TICK_S)
            if not self._folder.lock.exists():
                self._say("step", f"{self._folder.path} was deleted: stopping")
                return
            for watched in self._watched:
                self._look_after(watched)
            if self._description_due:
                self._description_due = False
                self._stack.write_description()
            if monotonic() - logs_checked_at > LOG_CHECK_S:
                logs_checked_at = monotonic()
                for log in self._folder.logs.glob("*.log"):
                    _bound(log)

    def _look_after(self, watched: Watched) -> None:
        program = watched.program
        if (self._folder.held / program.name).exists():
            self._hold(watched)
        elif watched.state == "held" or (watched.state == "crashed" and monotonic() >= watched.next_start_at):
            self._restart(watched)
        elif watched.state != "crashed" and program.exit_code is not None:
            self._note_crash(watched)
        elif watched.state == "starting":
            self._note_ready(watched)

    def _hold(self, watched: Watched) -> None:
        """Stop a program without waiting for it, so that the others stay looked after."""
        program = watched.program
        if watched.state not in ("stopping", "held"):
            watched.state, watched.stopped_by = "stopping", monotonic() + program.stop_patience_s
            program.ask_to_stop()
        elif watched.state == "stopping" and (program.exit_code is not None or monotonic() > watched.stopped_by):
            program.stop()
            self._set(watched, "held")
            self._say("step", f"{program.name} is held")

    def _set(self, watched: Watched, state: str) -> None:
        watched.state = state
        self._write_state()

    def _note_crash(self, watched: Watched) -> None:
        steady = monotonic() - watched.started_at > STEADY_S
        watched.failures = 1 if steady else watched.failures + 1
        wait = min(BACKOFF_MAX_S, 2 ** (watched.failures - 1))
        watched.next_start_at = monotonic() + wait
        self._say("step", f"{watched.program.name} ended with code {watched.program.exit_code}; again in {wait} s")
        self._set(watched, "crashed")

    def _restart(self, watched: Watched) -> None:
        watched.restarts += 1
        self._description_due = True
        try:
            self._spawn(watched)
        except Exception as problem:
            self._say("step", f"{watched.program.name} did not start: {problem}")
            self._note_crash(watched)

    # Down

    def _take_down(self) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._state = "stopping"
        self._write_state()
        programs = [each.program for each in reversed(self._watched)]
        servers = [phase.server for phase in self._stack.phases() if phase.server]
        services = [program for program in programs if program not in servers]
        for group in (services[:1], services[1:], [program for program in programs if program in servers]):
            for program in group:
                program.ask_to_stop()
            for program in group:
                program.stop()
        self._folder.state.unlink(missing_ok=True)
        self._folder.stack.unlink(missing_ok=True)

    def _write_state(self) -> None:
        if not self._folder.path.exists():
            return
        rows = {each.program.name: _row(each) for each in self._watched}
        own = identify(os.getpid())
        content: dict[str, Any] = {
            "state": self._state,
            "pid": own.pid if own else 0,
            "started": own.started if own else 0,
        }
        write_json(self._folder.state, {**content, "processes": rows})


def _row(watched: Watched) -> dict[str, Any]:
    identity = watched.identity
    return {
        "pid": identity.pid if identity else None,
        "started": identity.started if identity else None,
        "state": watched.state,
        "restarts": watched.restarts,
        "address": watched.program.address,
        "pid_file": str(watched.program.pid_file),
    }


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(f"Another supervisor runs in {path.parent}.") from None
        yield


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Turn the first stop signal into _StopRequested and ignore those that follow."""

    def request(_number: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise _StopRequested

    before = {number: signal.signal(number, request) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bound(log: Path) -> None:
    """Keep a log from growing without end: past its limit it becomes NAME.log.1 and begins anew."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES_MAX:
            # The writer keeps its file open: the contents must move, not the file.
            log.with_suffix(".log.1").write_bytes(log.read_bytes())
            os.truncate(log, 0)
