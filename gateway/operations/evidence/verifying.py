"""The offline verifier: reads a log and names the first record that is not as it was written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.operations.evidence.chain import GENESIS, EvidenceKey, Record, hash_of

FINDINGS_MAX = 100
UNSIGNED_MAX = 1_000
"""A commit holds at most so many records, and its last one is signed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the log is not what was written."""

    number: int
    """The first record it is about."""
    kind: str
    """deleted, inserted, altered (edited, or put in another's place), forged (no signature covers it), truncated."""
    detail: str


@dataclass(slots=True)
class Verdict:
    """What came of a verification."""

    records: int = 0
    first: int = 0
    last: int = 0
    signatures: int = 0
    testimonies: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a witness saw, signed, at the end of the log, or the end of a month that was sealed and dropped."""

    number: int
    hash: bytes
    signature: bytes


def verify(
    records: Iterable[Record],
    keys: Sequence[EvidenceKey],
    *,
    witnessed: Iterable[Testimony] = (),
    seals: Iterable[Testimony] = (),
) -> Verdict:
    """Read records in the order of their numbers and return everything found, the first FINDINGS_MAX of it."""
    verifier = Verifier(keys, witnessed=witnessed, seals=seals)
    for record in records:
        if not verifier.read(record):
            break
    return verifier.end()


class Verifier:
    """Reads one record after another.

    The log begins at record 1, or after the last seal that holds.
    """

    def __init__(
        self, keys: Sequence[EvidenceKey], *, witnessed: Iterable[Testimony] = (), seals: Iterable[Testimony] = ()
    ) -> None:
        self._keys = keys
        start = max((seal for seal in seals if self._holds(seal)), key=lambda seal: seal.number, default=None)
        self._number = self._covered = start.number if start else 0
        self._hash = start.hash if start else GENESIS
        self._witnessed = {said.number: said for said in witnessed if self._holds(said)}
        self.verdict = Verdict(testimonies=len(self._witnessed))

    def _holds(self, said: Testimony) -> bool:
        return any(key.holds(said.number, said.hash, said.signature) for key in self._keys)

    def read(self, record: Record) -> bool:
        """Compare a record with what came before it; False when enough was found."""
        verdict = self.verdict
        verdict.records += 1
        verdict.first = verdict.first or record.number
        if record.number <= self._number:
            self._find(record.number, "inserted", f"it stands after record {self._number}")
            return len(verdict.findings) < FINDINGS_MAX
        if record.number > self._number + 1:
            self._find(self._number + 1, "deleted", f"record {record.number} follows record {self._number}")
        elif hash_of(self._hash, record.number, record.stored_at, record.call) != record.hash:
            self._find(record.number, "altered", "its values, after the record before it, do not give its hash")
        self._check_signature(record)
        self._check_testimony(record)
        self._number, self._hash, verdict.last = record.number, record.hash, record.number
        return len(verdict.findings) < FINDINGS_MAX

    def end(self) -> Verdict:
        """Say what came of it, now that there are no more records."""
        last = self._number
        beyond = max((number for number in self._witnessed if number > last), default=0)
        if self._covered < last:
            self._find(self._covered + 1, "forged", "no signature covers it: the end of the log was cut or rewritten")
        if beyond:
            self._find(last + 1, "truncated", f"the log ends at {last}, the witness saw record {beyond}")
        self.verdict.findings.sort(key=lambda finding: finding.number)
        return self.verdict

    def _check_signature(self, record: Record) -> None:
        if record.signature is None:
            if record.number == self._covered + UNSIGNED_MAX + 1:
                self._find(self._covered + 1, "forged", f"no signature covers it up to record {record.number}")
            return
        if self._holds(Testimony(record.number, record.hash, record.signature)):
            self.verdict.signatures += 1
        elif not any(finding.number > self._covered for finding in self.verdict.findings):
            # Otherwise the record that spoilt it is named already.
            self._find(self._covered + 1, "forged", f"the signature at record {record.number} does not hold")
        self._covered = record.number

    def _check_testimony(self, record: Record) -> None:
        said = self._witnessed.pop(record.number, None)
        if said and said.hash != record.hash:
            self._find(record.number, "altered", "the witness saw another hash here")

    def _find(self, number: int, kind: str, detail: str) -> None:
        self.verdict.findings.append(Finding(number, kind, detail))
