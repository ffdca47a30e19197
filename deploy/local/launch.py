"""Starts the supervisor, attached or as a process of its own that reports until the stack is up."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

from deploy.local.folder import ROOT, RunFolder
from deploy.local.processes import end, identify
from deploy.local.supervisor import AlreadyUp, Runnable, Supervisor
from shared import clock

STOP_PATIENCE_S = 90
Tell = Callable[[str], None]


class NotUp(Exception):
    """The stack did not come up; the message says why."""


def in_foreground(stack: Runnable, tell: Tell, on_ready: Callable[[], None]) -> bool:
    """Run the stack until Ctrl-C or SIGTERM; False when it did not come up."""

    def say(kind: str, words: str) -> None:
        if kind == "ready":
            on_ready()
        elif words:
            tell(words)

    return Supervisor(stack, say).run()


def detached(folder: RunFolder, tell: Tell, command: list[str] | None = None) -> None:
    """Start a supervisor that outlives this process; return once the stack is up.

    Ctrl-C and SIGTERM meanwhile take everything down again. Raises NotUp.
    """
    folder.create()
    reading, writing = os.pipe()
    command = command or [sys.executable, "-m", "deploy.cli", "supervise"]
    with (folder.logs / "supervisor.log").open("ab") as log:
        child = subprocess.Popen(
            [*command, "--report", str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            pass_fds=[writing],
            start_new_session=True,
        )
    os.close(writing)
    try:
        _follow_report(reading, tell)
    except BaseException:
        end(identify(child.pid), patience_s=STOP_PATIENCE_S)
        child.wait()
        raise


def _follow_report(reading: int, tell: Tell) -> None:
    interrupt = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with os.fdopen(reading, encoding="utf-8") as report:
            for line in report:
                kind, words = json.loads(line)
                if kind == "ready":
                    return
                if kind == "failed":
                    raise NotUp(words)
                if words:
                    tell(words)
    finally:
        signal.signal(signal.SIGTERM, interrupt)
    raise NotUp("The supervisor ended before the stack was up; see logs/supervisor.log.")


def supervise(stack: Runnable, report: int) -> bool:
    """Be the supervisor: tell a pipe what happens until the stack is up, and the log all the time."""
    with os.fdopen(report, "w", encoding="utf-8", buffering=1) as pipe:

        def say(kind: str, words: str) -> None:
            if kind != "waiting":
                print(clock.now().isoformat(timespec="milliseconds"), kind, words, flush=True)
            if pipe.closed:
                return
            try:
                pipe.write(json.dumps([kind, words]) + "\n")
            except BrokenPipeError:
                # Whoever asked for the stack was killed before it was up: nobody wants it any more.
                signal.raise_signal(signal.SIGTERM)
            if kind == "ready":
                pipe.close()

        try:
            return Supervisor(stack, say).run()
        except AlreadyUp as refusal:
            say("failed", str(refusal))
            return False
