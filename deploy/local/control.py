"""Acts on the processes of a running stack, for people, tests and faults.

>>> stack = Control()
>>> stack.kill("intake")          # kill -9; the supervisor starts it again
>>> stack.wait_ready("intake")
>>> stack.stop("rabbitmq")        # stays down until
>>> stack.start("rabbitmq")
>>> stack.pause("rabbitmq")       # SIGSTOP, until resume
"""

import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from deploy.local.folder import RunFolder, read_json, run_folder
from deploy.local.processes import KILL_PATIENCE_S, Identity, alive, end, frozen, recall, send, wait_gone

POLL_S = 0.1
READY_TIMEOUT_S = 60
SUPERVISOR_PATIENCE_S = 90
LEFTOVER_PATIENCE_S = 10


class NotRunning(Exception):
    """The stack, or the named process of it, does not run."""


class Control:
    """The running stack of one run folder."""

    def __init__(self, folder: RunFolder | None = None) -> None:
        self.folder = folder or run_folder()

    # What there is

    def _state(self) -> Mapping[str, Any]:
        return read_json(self.folder.state) or {}

    @property
    def supervisor(self) -> Identity | None:
        """The living supervisor."""
        state = self._state()
        identity = Identity(state["pid"], state["started"]) if state else None
        return identity if alive(identity) else None

    @property
    def is_up(self) -> bool:
        """Tell whether the stack came up and its supervisor lives."""
        return self.supervisor is not None and self._state().get("state") == "up"

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what the supervisor knows of each process."""
        return self._state().get("processes", {})

    def identity(self, name: str) -> Identity:
        """Return a living process; raises NotRunning."""
        row = self.rows().get(name) or {}
        identity = Identity(row["pid"], row["started"]) if row.get("pid") else None
        if identity is None or not alive(identity):
            raise NotRunning(f"{name} does not run; there are: {', '.join(self.rows()) or 'no processes'}")
        return identity

    def pid(self, name: str) -> int:
        """Return a living process's id; raises NotRunning."""
        return self.identity(name).pid

    def is_ready(self, name: str) -> bool:
        """Tell whether a process lives, is not frozen, and was seen ready since it started."""
        try:
            identity = self.identity(name)
        except NotRunning:
            return False
        return self.rows()[name]["state"] == "ready" and not frozen(identity)

    # What can be done

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> Identity:
        """Send a signal; after SIGKILL, return once the process is gone. The supervisor starts it again.

        Raises NotRunning.
        """
        identity = self.identity(name)
        send(identity, signal_number)
        if signal_number == signal.SIGKILL:
            wait_gone(identity, KILL_PATIENCE_S)
        return identity

    def pause(self, name: str) -> None:
        """Freeze a process."""
        self.kill(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a frozen process go on."""
        self.kill(name, signal.SIGCONT)

    def stop(self, name: str, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Stop a process in good order and keep it down; returns when it is. Raises TimeoutError."""
        self._hold_file(name).touch()
        _await(lambda: self.rows()[name]["state"] == "held", f"{name} to stop", timeout_s)

    def start(self, name: str, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start a process that was stopped; returns when it is ready. Raises TimeoutError."""
        self._hold_file(name).unlink(missing_ok=True)
        _await(lambda: self.rows()[name]["state"] not in ("held", "stopping"), f"{name} to start", timeout_s)
        self.wait_ready(name, timeout_s=timeout_s)

    def restart(self, name: str, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Stop a process in good order and start it again. Raises TimeoutError."""
        self.stop(name, timeout_s=timeout_s)
        self.start(name, timeout_s=timeout_s)

    def wait_ready(self, name: str, *, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return when a process is ready, which after `kill` means: its successor. Raises TimeoutError."""
        _await(lambda: self.is_ready(name), f"{name} to be ready", timeout_s)

    def _hold_file(self, name: str) -> Path:
        if not self.supervisor:
            raise NotRunning("The stack is not up.")
        if name not in self.rows():
            raise NotRunning(f"There is no process {name}; there are: {', '.join(self.rows())}")
        return self.folder.held / name

    def take_down(self) -> bool:
        """Stop the whole stack, and whatever a killed supervisor left; False when nothing ran."""
        supervisor = self.supervisor
        end(supervisor, patience_s=SUPERVISOR_PATIENCE_S)
        leftovers = list(self._leftovers())
        for identity in leftovers:
            # PostgreSQL's word for "at once", and an end to all others.
            end(identity, signal.SIGQUIT, patience_s=LEFTOVER_PATIENCE_S)
        self.folder.state.unlink(missing_ok=True)
        self.folder.stack.unlink(missing_ok=True)
        return supervisor is not None or bool(leftovers)

    def _leftovers(self) -> Iterator[Identity]:
        for pattern in ("pids/*.json", "*/server.json", "*/epmd.json"):
            for pid_file in self.folder.path.glob(pattern):
                identity = recall(pid_file)
                if identity:
                    yield identity


def _await(condition: Callable[[], bool], what: str, timeout_s: float) -> None:
    deadline = monotonic() + timeout_s
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError(f"Waited {timeout_s:.0f} s for {what}.")
        sleep(POLL_S)
