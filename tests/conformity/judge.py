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

from deploy.local.folder import ROOT
from shared.openapi import SCOPES
from tests.support.tokens import Issuer

HERE = Path(__file__).parent
SEED = "20260407"
ALL_SCOPES = tuple(SCOPES)
PATIENCE_S = 60
_KNOWN_SHARE = 0.7
"""How often a parameter is one of those that are known to be there."""


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
    known: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    """Values of parameters, like `path.code`, that lead to something."""
    document: str = "/openapi.json"
    arguments: Sequence[str] = ()

    async def report(self) -> str:
        """Return what schemathesis found; nothing when it found nothing."""
        with TemporaryDirectory() as folder:
            config = Path(folder) / "schemathesis.toml"
            config.write_text((HERE / "schemathesis.toml").read_text() + self._dictionaries())
            async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
                answer = await client.get(f"{self.url}{self.document}")
                (Path(folder) / "openapi.json").write_bytes(answer.raise_for_status().content)
            process = await asyncio.create_subprocess_exec(
                *self._command(config),
                cwd=folder,
                env={**os.environ, "CONFORMITY_TOKEN": self.token, "PYTHONPATH": str(ROOT), "COLUMNS": "160"},
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

    def _dictionaries(self) -> str:
        lines = ["", "[dictionaries]"]
        lines += [f'"{name}" = {{ values = {list(values)!r} }}' for name, values in self.known.items()]
        lines += ["", "[parameters]"]
        lines += [f'"{name}" = {{ dictionary = "{name}", probability = {_KNOWN_SHARE} }}' for name in self.known]
        return "\n".join(lines) + "\n"
