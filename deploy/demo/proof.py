"""The proof: what the services know against what the portal was told and what the feed gave, status by status.

Also events told against events folded, money taken against receipts, refunds and the ledger, and the transaction log
against its own chain.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from deploy.demo.feed import Feed
from deploy.reconciling import reconcile_now
from gateway.operations.evidence import (
    EvidenceKey,
    Verifier,
    check_all,
    read_anchor_files,
    read_anchors,
    read_database,
    read_roots,
    read_seals,
    read_testimonies,
)
from shared import clock

# Written apart from the gateway's own table on purpose: the proof must not believe what it checks.
REACHED: Mapping[tuple[str, str], int] = {
    ("dossier", "submitted"): 1,
    ("dossier", "accepted"): 2,
    ("dossier", "rejected"): 3,
    ("case_file", "running"): 4,
    ("dossier", "supplement_requested"): 5,
    ("case_file", "awaiting_supplement"): 5,
    ("case_file", "awaiting_payment"): 6,
    ("dossier", "withdrawn"): 7,
    ("dossier", "retracted"): 7,
    ("case_file", "stopped"): 8,
    ("case_file", "completed"): 9,
    ("result", "returned"): 10,
}
MOMENT = timedelta(seconds=1)
OWNERS = ("intake", "workflow", "payment", "results")

_HISTORY = """
    SELECT subject, entity, to_status, at FROM status_change
    WHERE subject = ANY($1::text[]) AND from_status IS DISTINCT FROM to_status ORDER BY id
"""
_TOLD = "SELECT subject, last FROM subject_sequence WHERE subject = ANY($1::text[])"
_FOLDED = "SELECT dossier_code, source, count(*) FROM timeline WHERE dossier_code = ANY($1::text[]) GROUP BY 1, 2"
_LEFT = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM waiting)"
_MONEY = """
    WITH mine AS (SELECT id, status FROM fee WHERE dossier_code = ANY($1::text[])),
         money AS (SELECT p.id, p.fee_id FROM payment p JOIN mine ON mine.id = p.fee_id WHERE p.status = 'succeeded')
    SELECT (SELECT count(*) FROM mine WHERE status = 'paid') AS fees_paid,
           (SELECT count(*) FROM mine WHERE status = 'due') AS fees_due,
           (SELECT count(*) FROM money) AS payments,
           (SELECT count(*) FROM receipt r JOIN mine ON mine.id = r.fee_id) AS receipts,
           (SELECT count(*) FROM refund r JOIN money ON money.id = r.payment_id) AS refunds,
           (SELECT coalesce(sum(d.amount_vnd), 0)::bigint FROM deposit d JOIN payment p ON p.id = d.payment_id
            WHERE p.dossier_code = ANY($1::text[])) AS received_vnd,
           (SELECT coalesce(sum(amount_vnd), 0)::bigint FROM ledger_entry
            WHERE dossier_code = ANY($1::text[]) AND cause IN ('settled', 'unsettled')) AS booked_vnd
"""
_GAPS = "SELECT series FROM receipt GROUP BY issuer_code, series HAVING max(number) <> count(*) OR min(number) <> 1"
_HANDLED_LAG = """
    SELECT percentile_cont($2::float8[]) WITHIN GROUP (ORDER BY extract(epoch FROM folded_at - committed_at)::float8)
    FROM timeline WHERE dossier_code = ANY($1::text[])
"""
_PORTAL_LAG = """
    SELECT percentile_cont($2::float8[]) WITHIN GROUP
           (ORDER BY extract(epoch FROM acknowledged_at - owed_since)::float8)
    FROM portal_debt WHERE dossier_code = ANY($1::text[]) AND owed_since < $3
"""


@dataclass(slots=True)
class Proof:
    """What was found. Every difference is a sentence that names the dossier."""

    dossiers: int
    statuses: int = 0
    events: int = 0
    changes: int = 0
    reconciled: int = 0
    """Dossiers that the gateway itself looked up at the portal at the end and found in step."""
    differences: list[str] = field(default_factory=list)
    money: dict[str, int] = field(default_factory=dict)
    records: int = 0
    """Records of the transaction log that were verified: each stands as it was written."""
    handled_lag_s: tuple[float, float] = (0.0, 0.0)
    """p50, p99 from commit to folded at the gateway."""
    portal_lag_s: tuple[float, float] = (0.0, 0.0)
    """p50, p99 from commit to the portal's acknowledgement, while the portal was well."""
    portal_lag_all_s: tuple[float, float] = (0.0, 0.0)
    """The same over the whole run, misbehaviour and outage included."""


async def prove(
    codes: Collection[str], urls: Mapping[str, str], portal: Mapping[str, Sequence[int]], feed: Feed, ill_from: datetime
) -> Proof:
    """Compare everything; urls: the databases by service; ill_from: when the portal began to misbehave."""
    listed = sorted(codes)
    proof = Proof(dossiers=len(listed))
    history: dict[str, list[tuple[Any, int]]] = defaultdict(list)
    told: dict[tuple[str, str], int] = {}
    for owner in OWNERS:
        connection = await asyncpg.connect(urls[owner])
        try:
            await _read_owner(connection, owner, listed, history, told, proof)
        finally:
            await connection.close()
    known = {code: [status for _, status in sorted(rows, key=lambda row: row[0])] for code, rows in history.items()}
    compare_statuses(proof, listed, known, portal, feed)
    connection = await asyncpg.connect(urls["gateway"])
    try:
        await _read_gateway(connection, listed, told, proof, ill_from)
    finally:
        await connection.close()
    proof.changes = sum(len(feed.changes[code]) for code in listed)
    if proof.changes != proof.events:
        proof.differences.append(f"the feed gave {proof.changes} changes for {proof.events} events")
    return proof


async def _read_owner(
    connection: asyncpg.Connection,
    owner: str,
    codes: list[str],
    history: dict[str, list[tuple[Any, int]]],
    told: dict[tuple[str, str], int],
    proof: Proof,
) -> None:
    for row in await connection.fetch(_HISTORY, codes):
        status = REACHED.get((row["entity"], row["to_status"]))
        if status:
            history[row["subject"]].append((row["at"], status))
    for row in await connection.fetch(_TOLD, codes):
        told[row["subject"], owner] = row["last"]
        proof.events += row["last"]
    left = await connection.fetchval(_LEFT)
    if left:
        proof.differences.append(f"{owner} still has {left} events in its outbox or waiting")
    if owner == "payment":
        await _check_money(connection, codes, proof)


async def _check_money(connection: asyncpg.Connection, codes: list[str], proof: Proof) -> None:
    money = proof.money = dict(await connection.fetchrow(_MONEY, codes) or {})
    if money["fees_paid"] != money["receipts"]:
        proof.differences.append(f"{money['fees_paid']} fees paid, {money['receipts']} receipts")
    if money["payments"] - money["fees_paid"] > money["refunds"]:
        proof.differences.append(
            f"{money['payments']} payments for {money['fees_paid']} fees, {money['refunds']} refunds"
        )
    if money["received_vnd"] != money["booked_vnd"]:
        proof.differences.append(f"{money['received_vnd']} đồng received, {money['booked_vnd']} in the ledger")
    for row in await connection.fetch(_GAPS):
        proof.differences.append(f"receipts of series {row['series']} are not gap-free")


async def prove_evidence(proof: Proof, url: str, *, key_file: Path, witness: Path, authority: Path) -> None:
    """Verify the whole transaction log, its time stamps too; every finding is a difference."""
    connection = await asyncpg.connect(url)
    try:
        stamps = [*read_anchor_files(witness), *await read_anchors(connection)]
        anchored, unproven = await check_all(stamps, read_roots(authority))
        verifier = Verifier(
            [EvidenceKey.read(str(key_file))],
            witnessed=read_testimonies(witness),
            seals=await read_seals(connection),
            anchored=anchored,
        )
        async for record in read_database(connection):
            if not verifier.read(record):
                break
    finally:
        await connection.close()
    verdict = verifier.end()
    proof.records = verdict.records
    proof.differences += [
        f"transaction log, record {finding.number}: {finding.kind}, {finding.detail}"
        for finding in [*verdict.findings, *unproven]
    ]


async def prove_reconciliation(proof: Proof, url: str, wait_s: float) -> None:
    """Let the gateway compare itself with the portal; everything it finds is a difference."""
    found = await reconcile_now(url, wait_s)
    proof.reconciled = found.run["in_step"]
    if found.run["unanswered"] or found.run["on_their_way"]:
        proof.differences.append(f"the reconciliation could not judge every dossier: {found.run}")
    proof.differences += [
        f"{one['dossier_code']}: the reconciliation found {one['kind']} ({one['state']})" for one in found.standing
    ]


def compare_statuses(
    proof: Proof,
    codes: list[str],
    known: Mapping[str, list[int]],
    portal: Mapping[str, Sequence[int]],
    feed: Feed,
) -> None:
    """Add a difference for each dossier whose statuses are not the same, in the same order, everywhere."""
    for code in codes:
        ours = known.get(code, [])
        proof.statuses += len(ours)
        for name, theirs in (
            ("the portal was told", list(portal.get(code, []))),
            ("the feed gave", feed.statuses(code)),
        ):
            if theirs != ours:
                proof.differences.append(f"{code}: the services know {ours}, {name} {theirs}")


async def _read_gateway(
    connection: asyncpg.Connection,
    codes: list[str],
    told: Mapping[tuple[str, str], int],
    proof: Proof,
    ill_from: datetime,
) -> None:
    folded = {(row["dossier_code"], row["source"]): row["count"] for row in await connection.fetch(_FOLDED, codes)}
    for (code, owner), count in told.items():
        if folded.get((code, owner), 0) != count:
            proof.differences.append(
                f"{code}: {owner} told {count} events, the gateway folded {folded.get((code, owner))}"
            )
    share = [0.5, 0.99]
    proof.handled_lag_s = _pair(await connection.fetchval(_HANDLED_LAG, codes, share))
    # What was committed a moment before the portal fell ill was told by an ill portal.
    proof.portal_lag_s = _pair(await connection.fetchval(_PORTAL_LAG, codes, share, ill_from - MOMENT))
    proof.portal_lag_all_s = _pair(await connection.fetchval(_PORTAL_LAG, codes, share, clock.now()))


def _pair(found: Sequence[float] | None) -> tuple[float, float]:
    return (found[0] or 0.0, found[1] or 0.0) if found else (0.0, 0.0)
