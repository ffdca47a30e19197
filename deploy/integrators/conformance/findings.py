"""What a check found, and how people and machines read it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check."""

    name: str
    outcome: Literal["passed", "failed", "advised", "skipped"]
    """advised: not demanded, but it would serve everybody."""
    promise: str
    detail: str = ""


def show(found: Iterable[Finding], report: Path | None) -> bool:
    """Print findings as they come and write them to a file; return whether none failed and some check was made."""
    kept = []
    for one in found:
        kept.append(one)
        typer.echo(f"{one.outcome:8} {one.name:24} {one.detail or one.promise}")
    failed = sum(one.outcome == "failed" for one in kept)
    typer.echo(f"{len(kept)} checks, {failed} failed")
    if report:
        report.write_text(json.dumps([asdict(one) for one in kept], ensure_ascii=False, indent=1), encoding="utf-8")
    return not failed and any(one.outcome == "passed" for one in kept)
