"""The transaction log as evidence: written before a change is answered, chained, signed, and verified offline."""

from gateway.operations.evidence.chain import Call, EvidenceKey, Record
from gateway.operations.evidence.months import drop_old, keep_months, turn_months
from gateway.operations.evidence.reading import Export, read_database, read_seals, write_record, write_seals
from gateway.operations.evidence.verifying import Finding, Testimony, Verdict, Verifier, verify
from gateway.operations.evidence.witness import Witness, read_testimonies
from gateway.operations.evidence.writing import Evidence, EvidenceAway

__all__ = [
    "Call",
    "Evidence",
    "EvidenceAway",
    "EvidenceKey",
    "Export",
    "Finding",
    "Record",
    "Testimony",
    "Verdict",
    "Verifier",
    "Witness",
    "drop_old",
    "keep_months",
    "read_database",
    "read_seals",
    "read_testimonies",
    "turn_months",
    "verify",
    "write_record",
    "write_seals",
]
