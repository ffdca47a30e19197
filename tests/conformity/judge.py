"""Lets schemathesis judge a server: every operation of its OpenAPI document, all checks, all phases."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import orjson

from deploy.local.folder import ROOT
from shared.openapi import SCOPES
from tests.support.tokens import Issuer

HERE = Path(__file__).parent
SEED = "20260407"
ALL_SCOPES = tuple(SCOPES)
CLIENT = "judge"
"""Who calls the gateway; see hooks.py."""
PATIENCE_S = 60


def token_of(issuer: Issuer, agency: str = "H32") -> str:
    """Return a token that may do everything, for as long as the longest run."""
    return issuer.token(ALL_SCOPES, agency=agency, lives=timedelta(hours=6))


@dataclass(frozen=True)
class Run:
    """One run of schemathesis against one server."""

    url: str
    token: str
    examples: int
    """Per operation in the fuzzing phase; the coverage phase has its own number, which follows from the schemas."""
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values of parameters of paths that lead to something: by name, or by the end of a path with the name."""
    document: str = "/openapi.json"
    arguments: Sequence[str] = ()

    async def report(self) -> str:
        """Return what schemathesis found; nothing when it found nothing."""
        with TemporaryDirectory() as folder:
            config = Path(folder) / "schemathesis.toml"
            async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
                answer = (await client.get(f"{self.url}{self.document}")).raise_for_status()
            (Path(folder) / "openapi.json").write_bytes(answer.content)
            config.write_bytes((HERE / "schemathesis.toml").read_bytes())
            process = await asyncio.create_subprocess_exec(
                *self._command(config),
                cwd=folder,
                env={**os.environ, **self._environment()},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                output, _ = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
        told = output.decode(errors="replace")
        print(told)  # noqa: T201 - pytest shows it when the test fails
        return told if process.returncode else ""

    def _command(self, config: Path) -> list[str]:
        return [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color"),
            *("run", "openapi.json", f"--url={self.url}"),
            *(f"--seed={SEED}", "--generation-deterministic", f"--max-examples={self.examples}"),
            *self.arguments,
        ]

    def _environment(self) -> dict[str, str]:
        known = orjson.dumps({name: list(values) for name, values in self.known.items()}).decode()
        more = {"CONFORMITY_TOKEN": self.token, "CONFORMITY_KNOWN": known, "PYTHONPATH": str(ROOT)}
        return more | {"COLUMNS": "160"}
