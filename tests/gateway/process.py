"""The gateway as a process of its own, to be killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
from pydantic import SecretStr

from gateway.app import create_app
from gateway.settings import GatewaySettings
from shared.guard.protocol import server_options
from shared.settings import Limits
from tests.portal.process import free_port

ROOT = Path(__file__).parents[2]
READY_S = 60


class GatewayProcess:
    """Runs the gateway with settings, given as its environment."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        named = {f"MOTCUA_{name.upper()}": _plain(value) for name, value in settings}
        self._environment = {**os.environ, **named}
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__, str(self._port)]
        self._running = subprocess.Popen(command, cwd=ROOT, env=self._environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_S
        while not self._is_live():
            assert self._running.poll() is None, "the gateway did not start"
            assert time.monotonic() < deadline, "the gateway is not up in time"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it as a power cut would: kill -9."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()
            self._running = None

    def _is_live(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=1).is_success
        except httpx.HTTPError:
            return False


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


if __name__ == "__main__":
    uvicorn.run(create_app(), host="127.0.0.1", port=int(sys.argv[1]), **server_options(Limits()))
