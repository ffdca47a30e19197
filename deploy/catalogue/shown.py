"""What a person sees of an import in the end."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

KINDS_SHOWN = 40
REFUSALS_SHOWN = 10


def show_outcome(console: Console, report: dict[str, Any], *, dry_run: bool) -> None:
    """Print counts, the kinds of oddities and the first refusals."""
    verb = "would be imported" if dry_run else "imported"
    console.print(f"{report['read']} read, {report['imported']} {verb}, {report['refused']} refused")
    parts = [f"{report[name]} {name}" for name in ("added", "changed", "unchanged", "repeated")]
    console.print(f"  of the imported: {', '.join(parts)}")
    if report["kinds"]:
        console.print(f"{sum(kind['count'] for kind in report['kinds'])} oddities, each decided and in the report:")
    for kind in report["kinds"][:KINDS_SHOWN]:
        console.print(f"  {kind['count']:>6}  {kind['title']} / {kind['title_vi']}")
    for refusal in report["refusals"][:REFUSALS_SHOWN]:
        console.print(f"[red]✗[/] line {refusal['line']} {refusal['code']}: {refusal['reason']}", highlight=False)
    if len(report["refusals"]) > REFUSALS_SHOWN:
        console.print(f"  … {len(report['refusals']) - REFUSALS_SHOWN} more in the report")


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write a report as JSON; raises OSError."""
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
