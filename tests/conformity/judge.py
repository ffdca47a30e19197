"""Runs schemathesis against a server."""

import asyncio
import os
import sys
from pathlib import Path

from deploy.local.folder import ROOT

HERE = Path(__file__).parent
SEED = 20260407


async def findings(url: str, token: str, *arguments: str, examples: int) -> str:
    """Let schemathesis judge the API at an address; return its report when it found something, else nothing."""
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(HERE / "schemathesis.toml"),
        "--no-color",
        "run",
        f"{url}/openapi.json",
        f"--url={url}",
        f"--seed={SEED}",
        f"--max-examples={examples}",
        "--generation-deterministic",
        *arguments,
    ]
    environment = {**os.environ, "CONFORMITY_TOKEN": token, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    report = output.decode(errors="replace")
    print(report)  # noqa: T201 - pytest shows it when the test fails
    return report if process.returncode else ""
