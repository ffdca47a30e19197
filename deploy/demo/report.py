"""The table a person reads, and the same as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.demo.plan import LABELS, Ending
from deploy.demo.run import Outcome
from shared import clock

WIDTH_MAX = 80
SHOWN_MAX = 20


def passed(outcome: Outcome) -> bool:
    """Tell whether nothing differs, nothing failed, nothing was lost."""
    return not outcome.proof.differences and not outcome.failures and not outcome.portal["disorder"]


def show(console: Console, outcome: Outcome) -> None:
    """Print the table."""
    console.print(_endings(outcome))
    console.print(_figures(outcome))
    proof = outcome.proof
    problems = [*outcome.failures, *proof.differences]
    for line in problems[:SHOWN_MAX]:
        console.print(f"[red]✗[/red] {line}", highlight=False, soft_wrap=True)
    if len(problems) > SHOWN_MAX:
        console.print(f"  … {len(problems) - SHOWN_MAX} more in the report")
    if passed(outcome):
        console.print(
            f"[green]✓[/green] {proof.dossiers} dossiers, {proof.statuses} statuses: services, portal and feed agree. "
            "0 lost, 0 doubled, 0 out of order."
        )


def _endings(outcome: Outcome) -> Table:
    table = Table(title="Hồ sơ theo cách kết thúc / Dossiers by ending", width=min(WIDTH_MAX, 80))
    table.add_column("Kết thúc")
    table.add_column("Ending")
    table.add_column("Ended", justify="right")
    for ending in Ending:
        planned, ended = outcome.planned.get(ending, 0), outcome.ended.get(ending, 0)
        if planned:
            table.add_row(*LABELS[ending], str(ended) if ended == planned else f"[red]{ended}/{planned}[/red]")
    table.add_section()
    table.add_row("Tổng", "total", str(sum(outcome.ended.values())))
    return table


def _figures(outcome: Outcome) -> Table:
    proof, portal = outcome.proof, outcome.portal
    table = Table(title="Đối chiếu / The proof", width=min(WIDTH_MAX, 80), show_header=False)
    table.add_column("what")
    table.add_column("figure", justify="right")
    rows = [
        ("Calls through the door (sent again after no answer)", f"{outcome.tally.calls:,} ({outcome.tally.repeated})"),
        ("Events told = folded = in the feed", f"{proof.events:,} / {proof.changes:,}"),
        ("Statuses the portal was told", f"{proof.statuses:,}"),
        ("Commit → handled, p50 / p99", _ms(proof.handled_lag_s)),
        ("Commit → portal, portal well, p50 / p99", _ms(proof.portal_lag_s)),
        ("Commit → portal, whole run, p50 / p99", _ms(proof.portal_lag_all_s)),
        ("Times the portal misbehaved", f"{outcome.faults_fired:,}"),
        ("Resent statuses the portal recognised", f"{portal['duplicates']:,}"),
        ("Fees paid / receipts / refunds of double payments", _money(proof.money)),
        ("Lives a second, from first to last", f"{proof.dossiers / outcome.seconds['lives']:.1f}"),
        ("Records of the transaction log verified", f"{proof.records:,}"),
        ("Data-service calls / 304 / from the cache", _data_services(outcome)),
        ("Breaker opened / closed; failed call sent again / effects", _mended(outcome)),
        ("Dossiers that a reconciliation found in step at the portal", f"{proof.reconciled:,}"),
        ("Differences", str(len(proof.differences))),
        ("Out of order at the portal", str(portal["disorder"])),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _ms(pair: tuple[float, float]) -> str:
    return " / ".join(f"{seconds * 1000:,.0f} ms" for seconds in pair)


def _data_services(outcome: Outcome) -> str:
    found = outcome.data_services
    return f"{found.calls} / {found.not_modified} / {found.from_cache}" if found.calls else "–"


def _mended(outcome: Outcome) -> str:
    found = outcome.data_services
    if not found.calls:
        return "–"
    return f"{found.breaker_opened} / {found.breaker_closed}; {found.sent_again} / {found.effects}"


def _money(money: dict[str, int]) -> str:
    return f"{money['fees_paid']} / {money['receipts']} / {money['refunds']}"


def write(folder: Path, outcome: Outcome) -> Path:
    """Write report.json and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    proof = outcome.proof
    report = {
        "at": clock.now().isoformat(),
        "passed": passed(outcome),
        "dossiers": proof.dossiers,
        "endings": {ending.value: outcome.ended.get(ending, 0) for ending in outcome.planned},
        "planned": {ending.value: count for ending, count in outcome.planned.items()},
        "statuses": proof.statuses,
        "events": proof.events,
        "changes": proof.changes,
        "reconciled": proof.reconciled,
        "calls": outcome.tally.calls,
        "calls_repeated": outcome.tally.repeated,
        "money": proof.money,
        "transaction_log_records": proof.records,
        "lag_s": {
            "handled_p50_p99": proof.handled_lag_s,
            "portal_well_p50_p99": proof.portal_lag_s,
            "portal_all_p50_p99": proof.portal_lag_all_s,
        },
        "faults_fired": outcome.faults_fired,
        "portal": outcome.portal,
        "seconds": outcome.seconds,
        "data_services": asdict(outcome.data_services),
        "differences": proof.differences,
        "failures": outcome.failures,
    }
    path = folder / "report.json"
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return path


def console() -> Console:
    """Return where the demo speaks: plain and 80 columns wide when nobody looks at a terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_MAX)
