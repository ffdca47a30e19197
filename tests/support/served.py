"""Servers as processes of their own: started, killed and started again by tests; they end with their worker."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import SecretStr

from deploy.local import ports
from deploy.local.program import HttpProgram


class Served(HttpProgram):
    """`python -m` a module on a port of its own; settings are environment variables (MOTCUA_…) in lower case.

    As a block it runs as long as the block does.
    """

    stop_signal = signal.SIGKILL
    """As a power cut would."""

    def __init__(
        self, folder: Path, module: str, *arguments: str, settings: Mapping[str, Any], ready_path: str = "/health/ready"
    ) -> None:
        name = module.rpartition(".")[2]
        port = free_port(folder)
        super().__init__(
            name,
            log=folder / "log",
            pid_file=folder / "process.json",
            command=[sys.executable, "-m", module, *arguments, "--port", str(port)],
            environment={f"MOTCUA_{setting.upper()}": _plain(value) for setting, value in settings.items()},
            url=f"http://{ports.LOOPBACK}:{port}",
            ready_path=ready_path,
        )

    def __enter__(self) -> Self:
        self.start(timeout_s=90)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start(timeout_s=90)

    def memory_bytes(self, figure: Literal["VmRSS", "VmHWM"]) -> int:
        """Return the memory that it holds now (VmRSS), or the most that it ever held (VmHWM)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(figure))


def free_port(folder: Path) -> int:
    """Return a port for the server that keeps its things in a folder: the same one each time."""
    return ports.choose(folder / "ports.json", ["server"])["server"]


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
