"""A gateway with data services as a process of its own; whoever calls may call every service."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from deploy.local import ports
from tests.gateway.data_services.conftest import KEY
from tests.support.assertions import eventually

EVERYTHING = [{"service": "*"}]


class GatewayProcess:
    """Starts, kills and starts again."""

    def __init__(self, folder: Path, database_url: str, files: dict[str, str]) -> None:
        self.port = ports.choose(folder / "ports.json", ["gateway"])["gateway"]
        self.url = f"http://{ports.LOOPBACK}:{self.port}"
        clients = json.loads(Path(files["clients_file"]).read_text())
        (folder / "clients.json").write_text(json.dumps([{**one, "grants": EVERYTHING} for one in clients]))
        settings = {
            "database_url": database_url,
            "amqp_url": "amqp://guest:guest@127.0.0.1:1/",
            "issuer": "https://motcua.example",
            "portal_enabled": "false",
            "body_bytes_max": str(1024 * 1024 * 1024),
            "data_service_hosts": ports.LOOPBACK,
            "sealing_keys": KEY,
            **files,
            "clients_file": str(folder / "clients.json"),
        }
        self._environment = {**os.environ, **{f"MOTCUA_{name.upper()}": value for name, value in settings.items()}}
        self._log = (folder / "gateway.log").open("a")
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it and wait until it answers."""
        command = ["uvicorn", "gateway.app:create_app", "--factory", "--no-access-log"]
        self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [sys.executable, "-m", *command, "--loop", "uvloop", "--port", str(self.port)],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )
        async with httpx.AsyncClient(base_url=self.url) as http:

            async def answers() -> bool:
                assert self._process is not None
                assert self._process.poll() is None, "the gateway ended"
                try:
                    return (await http.get("/health/live")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(answers, within_s=60)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def memory_bytes(self) -> int:
        """Return the most memory that it ever held (VmHWM)."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def close(self) -> None:
        """End it, and its log."""
        self.kill()
        self._log.close()


@asynccontextmanager
async def running(folder: Path, database_url: str, files: dict[str, str]) -> AsyncIterator[GatewayProcess]:
    """Run a gateway while the block lasts."""
    process = GatewayProcess(folder, database_url, files)
    try:
        await process.start()
        yield process
    finally:
        process.close()
