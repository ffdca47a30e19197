"""Operating-system processes: started so that they die with their parent, signalled only when surely the same."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep

from deploy.local.folder import read_json, write_json

PR_SET_PDEATHSIG = 1
LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""
POLL_S = 0.05
KILL_PATIENCE_S = 10
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Identity:
    """A process id with the moment it started (clock ticks since boot): ids are used again, the pair is not."""

    pid: int
    started: int


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; empty when there is no such process."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []


def identify(pid: int) -> Identity | None:
    """Return the identity of a living process; None for a dead or unreaped one."""
    fields = _stat(pid)
    return Identity(pid, int(fields[19])) if fields and fields[0] not in "ZX" else None


def alive(identity: Identity | None) -> bool:
    """Tell whether exactly this process still lives."""
    return identity is not None and identify(identity.pid) == identity


def frozen(identity: Identity) -> bool:
    """Tell whether the process was stopped by SIGSTOP."""
    return _stat(identity.pid)[:1] == ["T"]


def send(identity: Identity | None, signal_number: int) -> bool:
    """Signal exactly this process; False when it is gone, even if its id belongs to another one by now."""
    if identity is None:
        return False
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(identity.pid)
        try:
            if alive(identity):
                signal.pidfd_send_signal(descriptor, signal_number)
                return True
        finally:
            os.close(descriptor)
    return False


def wait_gone(identity: Identity | None, seconds: float) -> bool:
    """Wait until the process is gone; False when it still lives after that time."""
    deadline = monotonic() + seconds
    while alive(identity):
        if monotonic() > deadline:
            return False
        sleep(POLL_S)
    return True


def end(identity: Identity | None, polite: int = signal.SIGTERM, *, patience_s: float) -> None:
    """Ask a process to stop, and kill it when it does not in time; a frozen one is woken first."""
    if send(identity, polite):
        send(identity, signal.SIGCONT)
        if not wait_gone(identity, patience_s) and send(identity, signal.SIGKILL):
            wait_gone(identity, KILL_PATIENCE_S)


def listens(identity: Identity | None, port: int) -> bool:
    """Tell whether exactly this process is who listens on a TCP port, on IPv4."""
    if identity is None or not alive(identity):
        return False
    process = Path(f"/proc/{identity.pid}")
    with suppress(OSError):
        return not _listening(process, port).isdisjoint(_sockets(process))
    return False


def _listening(process: Path, port: int) -> set[str]:
    """Return the inodes of the sockets that listen on a port where the process lives (proc(5), /proc/net/tcp)."""
    rows = [line.split() for line in (process / "net" / "tcp").read_text(encoding="ascii").splitlines()[1:]]
    return {row[9] for row in rows if row[3] == LISTEN and row[1].endswith(f":{port:04X}")}


def _sockets(process: Path) -> set[str]:
    targets = [str(file.readlink()) for file in (process / "fd").iterdir()]
    return {target.removeprefix("socket:[").removesuffix("]") for target in targets if target.startswith("socket:[")}


def uptime_s(identity: Identity) -> float:
    """Return for how many seconds the process has run."""
    since_boot = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return since_boot - identity.started / _TICKS_A_SECOND


def memory_bytes(identity: Identity) -> int:
    """Return the memory of a process and all it started, pages they share counted once."""
    return sum(_proportional_bytes(pid) for pid in _family(identity.pid))


def _family(leader: int) -> list[int]:
    parents = {
        int(entry.name): _stat(int(entry.name))[1:2] for entry in Path("/proc").iterdir() if entry.name.isdigit()
    }
    family = [leader]
    for member in family:
        family += [pid for pid, parent in parents.items() if parent == [str(member)]]
    return family


def _proportional_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    folder: Path | None = None,
    death_signal: int | None = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to a log.

    death_signal reaches it when the calling thread ends, however that happens; None lets it outlive its parent.
    """
    parent = os.getpid()
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if death_signal is not None:
            libc.prctl(PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:
                os._exit(1)

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 - parents here have one thread
        )


def remember(path: Path, identity: Identity) -> None:
    """Keep an identity in a file."""
    write_json(path, asdict(identity))


def recall(path: Path) -> Identity | None:
    """Return the identity kept in a file when that very process still lives."""
    known = read_json(path)
    identity = Identity(known["pid"], known["started"]) if known else None
    return identity if alive(identity) else None


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    with suppress(FileNotFoundError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    return "(no log)"
