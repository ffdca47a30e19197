"""A program of the stack: how it is started, found again, asked whether it is ready, and stopped."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

from deploy.local import web
from deploy.local.processes import (
    KILL_PATIENCE_S,
    POLL_S,
    Identity,
    end,
    identify,
    listens,
    recall,
    remember,
    send,
    spawn,
    tail,
    wait_gone,
)

START_TRIES = 3


class NotStarted(Exception):
    """A program ended before it was ready, or was not ready in time; the message ends with its log's last lines."""


class Program:
    """One process; any object made with the same pid file sees and may stop the same process."""

    death_signal: int | None = signal.SIGKILL
    """What it gets when the thread that started it ends; None lets it live on."""
    stop_signal: int = signal.SIGTERM
    stop_patience_s: float = 10

    def __init__(self, name: str, *, log: Path, pid_file: Path) -> None:
        self.name = name
        self.log = log
        self.pid_file = pid_file
        self._child: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """Return the command line."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return the process's environment."""
        return os.environ

    def working_folder(self) -> Path | None:
        """Return where it runs; None for the caller's folder."""
        return None

    def prepare(self) -> None:
        """Make what the process needs before it can start."""

    def is_ready(self) -> bool:
        """Tell whether it does its work now."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Return the address that clients use."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Return where it listens, without any secret."""
        return self.url.rpartition("@")[2]

    @property
    def identity(self) -> Identity | None:
        """The living process: the one this object started, else the one that the pid file names."""
        own = identify(self._child.pid) if self._child and self._child.poll() is None else None
        return own or recall(self.pid_file)

    @property
    def pid(self) -> int | None:
        """The living process's id."""
        return self.identity.pid if self.identity else None

    @property
    def exit_code(self) -> int | None:
        """How the process that this object started ended; None while it runs."""
        return self._child.poll() if self._child else None

    def spawn(self) -> None:
        """Start the process without waiting for it; what an earlier start left is stopped first."""
        self.stop()
        self.prepare()
        self._child = spawn(
            self.command(),
            log=self.log,
            environment=self.environment(),
            folder=self.working_folder(),
            death_signal=self.death_signal,
        )
        identity = identify(self._child.pid)
        if identity:
            remember(self.pid_file, identity)

    def start(self, *, timeout_s: float = 60) -> None:
        """Start the process and return when it is ready; at once when it already is.

        Raises NotStarted.
        """
        deadline = monotonic() + timeout_s
        if self.identity and self.is_ready():
            return
        for _ in range(START_TRIES):
            self.spawn()
            if self._became_ready(deadline):
                return
        raise NotStarted(self.complaint(timeout_s))

    def _became_ready(self, deadline: float) -> bool:
        while self.exit_code is None:
            if self.is_ready():
                return True
            if monotonic() > deadline:
                complaint = self.complaint()
                self.stop()
                raise NotStarted(complaint)
            sleep(POLL_S)
        return False

    def complaint(self, timeout_s: float | None = None) -> str:
        """Say how the start failed, with the end of the log."""
        code = self.exit_code
        what = f"ended with exit code {code}" if code is not None else "was not ready in time"
        within = f" (within {timeout_s:.0f} s, {START_TRIES} tries)" if timeout_s else ""
        return f"{self.name} {what}{within}. The end of {self.log}:\n{tail(self.log)}"

    def stop(self) -> None:
        """Stop the process and wait until it is gone; kill it when it does not listen."""
        end(self.identity, self.stop_signal, patience_s=self.stop_patience_s)
        self._forget()

    def ask_to_stop(self) -> None:
        """Ask the process to stop without waiting."""
        identity = self.identity
        send(identity, self.stop_signal)
        send(identity, signal.SIGCONT)

    def kill(self, signal_number: int = signal.SIGKILL) -> None:
        """Send a signal as a fault; returns when a killed process is gone."""
        identity = self.identity
        if send(identity, signal_number) and signal_number == signal.SIGKILL:
            wait_gone(identity, KILL_PATIENCE_S)

    def _forget(self) -> None:
        if self._child is not None:
            if self._child.poll() is None:
                self._child.kill()
            self._child.wait()
            self._child = None
        self.pid_file.unlink(missing_ok=True)


class HttpProgram(Program):
    """A program that answers HTTP: ready when its health address says so."""

    def __init__(
        self,
        name: str,
        *,
        log: Path,
        pid_file: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        url: str,
        ready_path: str = "/health/ready",
    ) -> None:
        super().__init__(name, log=log, pid_file=pid_file)
        self._command = command
        self._environment = environment
        self._url = url
        self.port = urlsplit(url).port or 80
        self.ready_url = url + ready_path

    @property
    def url(self) -> str:
        """Return the base address."""
        return self._url

    def command(self) -> Sequence[str]:
        """Return the command line it was given."""
        return self._command

    def environment(self) -> Mapping[str, str]:
        """Return this process's environment with the given settings on top."""
        return {**os.environ, **self._environment}

    def is_ready(self) -> bool:
        """Tell whether the health address answers 200 and not `degraded`, and it is this process that answers."""
        return listens(self.identity, self.port) and web.health(self.ready_url) == "ready"
