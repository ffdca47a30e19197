"""Programs that are measured, each a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from deploy.local import ports

START_S = 60


@dataclass(frozen=True, slots=True)
class Running:
    """A program that answers."""

    url: str
    pid: int


@asynccontextmanager
async def program(app: str, environment: Mapping[str, str]) -> AsyncIterator[Running]:
    """Run an ASGI app as the services are run (uvicorn, uvloop, one process, no access log)."""
    with TemporaryDirectory() as memory:
        port = ports.choose(Path(memory) / "ports.json", [app])[app]
    command = ["uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    url = f"http://127.0.0.1:{port}"
    async with serving(command, environment, f"{url}/openapi.json", url) as running:
        yield running


@asynccontextmanager
async def serving(
    command: Sequence[str], environment: Mapping[str, str], probe: str, url: str
) -> AsyncIterator[Running]:
    """Run a Python module that serves at a URL, from when its probe is answered until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command), env={**os.environ, **environment}, cwd=Path(__file__).parent.parent
    )
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(START_S):
            while not await _answers(client, probe):
                if process.returncode is not None:
                    raise RuntimeError(f"{command[0]} ended with {process.returncode}")
                await asyncio.sleep(0.1)
        yield Running(url, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(client: httpx.AsyncClient, probe: str) -> bool:
    try:
        return (await client.get(probe)).status_code < 500
    except httpx.TransportError:
        return False
