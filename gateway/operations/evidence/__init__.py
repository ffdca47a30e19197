"""The transaction log as evidence: written before a change is answered, chained, signed, and verified offline."""

from gateway.operations.evidence.anchoring import Anchoring, Authority, keep
from gateway.operations.evidence.carrying import Export, write_beginning, write_record
from gateway.operations.evidence.chain import Call, EvidenceKey, Record
from gateway.operations.evidence.months import drop_old, keep_months, turn_months
from gateway.operations.evidence.reading import read_anchors, read_database, read_seals
from gateway.operations.evidence.sealing import Seal
from gateway.operations.evidence.stamps import (
    Anchor,
    Unproven,
    append_anchor,
    check,
    check_all,
    imprint,
    read_anchor_files,
    read_roots,
)
from gateway.operations.evidence.stretches import Outside, verify_database
from gateway.operations.evidence.verifying import Anchored, Finding, Testimony, Verdict, Verifier, verify
from gateway.operations.evidence.witness import Witness, read_testimonies
from gateway.operations.evidence.writing import Evidence, EvidenceAway

__all__ = [
    "Anchor",
    "Anchored",
    "Anchoring",
    "Authority",
    "Call",
    "Evidence",
    "EvidenceAway",
    "EvidenceKey",
    "Export",
    "Finding",
    "Outside",
    "Record",
    "Seal",
    "Testimony",
    "Unproven",
    "Verdict",
    "Verifier",
    "Witness",
    "append_anchor",
    "check",
    "check_all",
    "drop_old",
    "imprint",
    "keep",
    "keep_months",
    "read_anchor_files",
    "read_anchors",
    "read_database",
    "read_roots",
    "read_seals",
    "read_testimonies",
    "turn_months",
    "verify",
    "verify_database",
    "write_beginning",
    "write_record",
]
