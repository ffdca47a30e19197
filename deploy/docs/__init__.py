"""The command `motcua docs`: what is written about the code by the code itself."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deploy.docs import bus, http, services
from deploy.docs.parts import PARTS
from deploy.docs.text import Incomplete
from deploy.local.folder import ROOT


def docs(
    *, check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a document is stale.")] = False
) -> None:
    """Write the generated documents: events, AsyncAPI, OpenAPI, problems, lifecycles, settings."""
    broken = bus.broken_promises()
    if broken:
        _fail("Readers rely on this; tell a new version of the event instead:", broken)
    try:
        stale = stale_documents(documents())
    except Incomplete as problem:
        _fail("Something that people write is missing:", map(str, problem.args))
    names = [str(path.relative_to(ROOT)) for path in stale]
    if check and stale:
        _fail("Stale, run `motcua docs`:", names)
    for path, content in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    typer.echo("\n".join(["Written:", *names]) if stale else "Every generated document is up to date.")


def documents() -> dict[Path, str]:
    """Return every generated document by its path, as it should be. Raises Incomplete."""
    return {ROOT / path: content for part in (bus, http, services) for path, content in part.documents(PARTS).items()}


def stale_documents(wanted: Mapping[Path, str]) -> dict[Path, str]:
    """Return the documents that are missing or differ from what they should be."""
    return {
        path: content
        for path, content in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    }


def _fail(headline: str, lines: Iterable[str]) -> NoReturn:
    typer.echo("\n  ".join([headline, *lines]), err=True)
    raise typer.Exit(1)
