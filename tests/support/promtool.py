"""Prometheus's own tool, which judges metrics, rules and their tests (Debian's package prometheus)."""

import subprocess
from pathlib import Path

import httpx

RUN_S = 60


def promtool(*arguments: str, folder: Path | None = None, text: str = "") -> str:
    """Return what promtool objects to; nothing when it has no objection."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, input=text, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    # Findings about metrics are told without a failure in some versions, on the same stream as errors.
    return done.stdout + done.stderr if done.returncode or arguments[:2] == ("check", "metrics") else ""


async def objections(url: str) -> str:
    """Return what promtool finds in the metrics that the process at an address tells."""
    async with httpx.AsyncClient(base_url=url, timeout=RUN_S) as client:
        assert (await client.get("/health/ready")).status_code == 200
        answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return promtool("check", "metrics", text=answer.text)
