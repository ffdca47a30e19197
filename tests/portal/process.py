"""The portal as a process of its own, started and ended by tests."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

READY_S = 90
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: everything here is plain HTTP, and reading certificates for each client costs more than a call."""
USERNAME, PASSWORD = "tinh", "mat-khau-thu"
PARTNER, SECRET = "PARTNER01", "SECRET"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class PortalProcess:
    """Runs `python -m deploy.portal` in a folder; further settings are environment variables in lower case."""

    def __init__(self, folder: Path, *, gateway_url: str, **settings: str) -> None:
        self._folder = folder
        self._port = free_port()
        self._settings = {
            "portal_username": USERNAME,
            "portal_password": PASSWORD,
            "platform_partner": PARTNER,
            "platform_secret": SECRET,
            "gateway_url": gateway_url,
            "portal_client_id": "national-portal",
            "portal_client_secret": "client-secret",
            "portal_retry_first_s": "0.02",
            "portal_retry_last_s": "0.1",
            "portal_attempts_max": "5",
            "portal_gateway_timeout_s": "2",
            **settings,
        }
        self._running: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, "-m", "deploy.portal", "--port", str(self._port), "--folder", str(self._folder)]
        named = {f"MOTCUA_{name.upper()}": value for name, value in self._settings.items()}
        with (self._folder / "log").open("ab") as log:
            self._running = subprocess.Popen(command, env={**os.environ, **named}, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_S
        while not self._is_ready():
            assert self._running.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "the portal is not ready in time"
            time.sleep(0.02)

    def kill(self) -> None:
        """End the process as a power cut would, kill -9."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()
            self._running = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=1, verify=PLAIN).is_success
        except httpx.HTTPError:
            return False
