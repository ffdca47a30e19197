"""Our documents before tools that others wrote: spectral for OpenAPI, the official parser for AsyncAPI."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from deploy.docs.http import documents
from deploy.docs.parts import PARTS
from deploy.local.folder import ROOT
from tests.support.npm import installed

HERE = Path(__file__).parent / "npm"
SPECTRAL = "node_modules/@stoplight/spectral-cli/dist/index.js"
RUN_S = 150
ERROR = 0
"""Severity of a finding, in spectral and in the parser of AsyncAPI."""


@pytest.fixture(scope="module")
def tools() -> Path:
    """Return a folder with the tools installed."""
    return installed(HERE)


@pytest.fixture(scope="module")
def openapi(tools: Path) -> Iterator[Path]:
    """Return a folder below the tools with every OpenAPI document as the code makes it now."""
    with TemporaryDirectory(dir=tools) as folder:
        for path, text in documents(PARTS).items():
            if path.suffix == ".json":
                (Path(folder) / path.name).write_text(text, encoding="utf-8")
        yield Path(folder)


def findings(tools: Path, *files: Path) -> list[dict[str, Any]]:
    """Return what spectral finds in documents."""
    command = ["node", SPECTRAL, "lint", "--quiet", "--ruleset", "spectral.yaml", "--format", "json"]
    command += [str(file.relative_to(tools)) for file in files]
    done = subprocess.run(command, cwd=tools, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)


def errors(found: list[dict[str, Any]]) -> list[str]:
    """Return the findings that are errors, one line each."""
    return sorted(
        f"{Path(one['source']).name} {one['code']} {'.'.join(map(str, one['path']))}: {one['message']}"
        for one in found
        if one["severity"] == ERROR
    )


class TestSpectral:
    """The OAS and OWASP rule sets."""

    def test_finds_no_error_in_the_whole_document(self, tools: Path, openapi: Path) -> None:
        assert errors(findings(tools, openapi / "motcua.json")) == []

    @pytest.mark.large
    @pytest.mark.parametrize("name", [part.name for part in PARTS])
    def test_finds_no_error_in_the_document_of(self, tools: Path, openapi: Path, name: str) -> None:
        """Its paths beneath the door are part of the whole document, which is judged every time."""
        assert errors(findings(tools, openapi / f"{name}.json")) == []

    def test_would_find_what_is_wrong(self, tools: Path, openapi: Path) -> None:
        """The rules are on: a text without a bound, a write for everybody and an operation without a quota are told."""
        spoilt = json.loads((openapi / "gateway.json").read_text(encoding="utf-8"))
        lookup, file = "/api/v1/portal/lookup", "/api/v1/portal/results/file"
        spoilt["paths"] = {path: spoilt["paths"][path] for path in (lookup, file)}
        spoilt["paths"][lookup]["post"]["security"] = []
        spoilt["paths"][file]["post"]["responses"]["200"].pop("headers")
        spoilt["components"]["schemas"]["Problem"]["properties"]["code"].pop("maxLength")
        path = openapi / "spoilt.json"
        path.write_text(json.dumps(spoilt), encoding="utf-8")
        try:
            found = {line.split()[1] for line in errors(findings(tools, path))}
        finally:
            path.unlink()
        assert found == {
            "owasp:api2:2023-write-restricted",
            "owasp:api4:2023-rate-limit",
            "owasp:api4:2023-string-limit",
        }


class TestAsyncApiParser:
    """The parser of the AsyncAPI initiative."""

    def parse(self, tools: Path, document: str) -> list[str]:
        """Return the errors that the parser tells."""
        done = subprocess.run(
            ["node", "asyncapi.mjs"],
            cwd=tools,
            input=document,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert not done.stderr
        return [line for line in done.stdout.splitlines() if line.startswith(f"{ERROR} ")]

    def test_finds_no_error(self, tools: Path) -> None:
        assert self.parse(tools, (ROOT / "docs/reference/asyncapi.yaml").read_text(encoding="utf-8")) == []

    def test_would_find_what_is_wrong(self, tools: Path) -> None:
        document = (ROOT / "docs/reference/asyncapi.yaml").read_text(encoding="utf-8")
        assert self.parse(tools, document.replace("action: send", "action: shout", 1))
