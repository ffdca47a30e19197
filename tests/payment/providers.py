"""The mocked VNPAY and the mocked bank as processes of their own, started and ended by tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from tests.portal.process import PLAIN, READY_S, free_port

TMN_CODE, VNPAY_SECRET, VNPAY_SECRET_PREVIOUS = "DEMOH32", "SECRETVNPAY", "SECRETVNPAY2025"
BANK_CLIENT, BANK_SECRET, BANK_SECRET_PREVIOUS = "H32", "SECRETBANK", "SECRETBANK2025"
ACCOUNT = {"bank_bin": "970415", "number": "3712012345678", "name": "KHO BAC NHA NUOC KHANH HOA"}
ROUTES = [
    {"agency": "H32", "providers": ["national_platform", "vnpay", "vietqr", "cash"], "account": ACCOUNT},
    {"agency": "H32.77", "providers": ["cash"]},
]


class MockProcess:
    """Runs `motcua vnpay` or `motcua bank` in a folder."""

    def __init__(self, name: str, folder: Path, gateway_url: str) -> None:
        self._name = name
        self._folder = folder
        self._port = free_port()
        self._settings = {
            "MOTCUA_GATEWAY_URL": gateway_url,
            "MOTCUA_VNPAY_TMN_CODE": TMN_CODE,
            "MOTCUA_VNPAY_SECRET": VNPAY_SECRET,
            "MOTCUA_BANK_CLIENT": BANK_CLIENT,
            "MOTCUA_BANK_SECRET": BANK_SECRET,
        }
        self._running: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        module = [sys.executable, "-m", "deploy.cli", self._name]
        command = [*module, "--port", str(self._port), "--folder", str(self._folder)]
        with (self._folder / "log").open("ab") as log:
            self._running = subprocess.Popen(command, env={**os.environ, **self._settings}, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_S
        while not self._is_ready():
            assert self._running.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, f"{self._name} is not ready in time"
            time.sleep(0.02)

    def kill(self) -> None:
        """End the process as a power cut would, kill -9."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()
            self._running = None

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=1, verify=PLAIN).is_success
        except httpx.HTTPError:
            return False
