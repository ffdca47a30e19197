"""The offline verifier: reads a log and names the first record that is not as it was written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.operations.evidence.chain import GENESIS, EvidenceKey, Record, hash_of
from gateway.operations.evidence.sealing import Seal

FINDINGS_MAX = 100
UNSIGNED_MAX = 1_000
"""A commit holds at most so many records, and its last one is signed."""
CLOCKS_APART = timedelta(minutes=5)
"""So much the authority's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the log is not what was written."""

    number: int
    """The first record it is about."""
    kind: str
    """deleted, inserted, altered (edited, or put in another's place), forged (no signature covers it), truncated,
    unsealed (figures of a dropped month that its seal does not cover), unproven (a time stamp that does not hold)."""
    detail: str


@dataclass(slots=True)
class Verdict:
    """What came of a verification."""

    records: int = 0
    first: int = 0
    last: int = 0
    signatures: int = 0
    testimonies: int = 0
    anchors: int = 0
    """Time stamps that hold and tell of this log."""
    anchored: int = 0
    """The last record that one of them covers."""
    anchored_at: datetime | None = None
    """When that was stamped, by the authority's clock."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    def add(self, other: "Verdict") -> None:
        """Take in what came of the next stretch of the log."""
        self.records += other.records
        self.first = self.first or other.first
        self.last = other.last or self.last
        self.signatures += other.signatures
        self.findings = [*self.findings, *other.findings]


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a witness saw, signed, at the end of the log."""

    number: int
    hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Anchored:
    """A head of the log as an authority stamped it; the stamp was checked."""

    number: int
    hash: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a verifier begins: after a record with a hash."""

    number: int = 0
    hash: bytes = GENESIS


def verify(
    records: Iterable[Record],
    keys: Sequence[EvidenceKey],
    *,
    witnessed: Iterable[Testimony] = (),
    seals: Iterable[Seal] = (),
    anchored: Iterable[Anchored] = (),
) -> Verdict:
    """Read records in the order of their numbers and return everything found, the first FINDINGS_MAX of it."""
    verifier = Verifier(keys, witnessed=witnessed, seals=seals, anchored=anchored)
    for record in records:
        if not verifier.read(record):
            break
    return verifier.end()


class Verifier:
    """Reads one record after another.

    The log begins at record 1, or after the last seal that holds, or where a stretch does. to_the_end: the last record
    that is read is the log's last one.
    """

    def __init__(
        self,
        keys: Sequence[EvidenceKey],
        *,
        witnessed: Iterable[Testimony] = (),
        seals: Iterable[Seal] = (),
        anchored: Iterable[Anchored] = (),
        stretch: Stretch | None = None,
        to_the_end: bool = True,
    ) -> None:
        self._keys = keys
        self.verdict = Verdict()
        start = stretch or self._after_seals(seals)
        self._to_the_end = to_the_end
        self._number = self._covered = self._agreed = start.number
        self._hash = start.hash
        self._witnessed = {said.number: said for said in witnessed if self._holds(said)}
        self._anchored = {said.number: said for said in anchored}
        self.verdict.testimonies, self.verdict.anchors = len(self._witnessed), len(self._anchored)
        newest = max(self._anchored.values(), key=lambda said: said.number, default=None)
        if newest:
            self.verdict.anchored, self.verdict.anchored_at = newest.number, newest.at

    def _after_seals(self, seals: Iterable[Seal]) -> Stretch:
        """Return where the dropped months end; what is wrong with their seals and figures is found."""
        end = Stretch()
        for seal in sorted(seals, key=lambda one: one.last_number):
            if not any(seal.signed_by(key) for key in self._keys):
                self._find(seal.first_number, "unsealed", f"the seal of {seal.span} is not signed with this key")
                continue
            if seal.first_number != end.number + 1:
                self._find(end.number + 1, "deleted", f"no seal tells of it: the next is of {seal.span}")
            if not seal.figures_hold():
                self._find(seal.first_number, "unsealed", f"the figures of {seal.span} are not those that were sealed")
            end = Stretch(seal.last_number, seal.last_hash)
        return end

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
        elif not self._follows(record):
            self._find(record.number, "altered", "its values, after the record before it, do not give its hash")
        if record.signature is not None or record.number > self._covered + UNSIGNED_MAX:
            self._check_signature(record)
        if record.number in self._witnessed or record.number in self._anchored:
            self._check_outside(record)
        self._number, self._hash, verdict.last = record.number, record.hash, record.number
        return len(verdict.findings) < FINDINGS_MAX

    def _follows(self, record: Record) -> bool:
        try:
            return hash_of(self._hash, record.number, record.stored_at, record.call) == record.hash
        except (TypeError, ValueError):
            # What cannot even be written as JSON was never hashed.
            return False

    def end(self) -> Verdict:
        """Say what came of it, now that there are no more records."""
        last = self._number
        if self._covered < last:
            self._find(self._covered + 1, "forged", "no signature covers it: the end of the log was cut or rewritten")
        if self._to_the_end:
            self._check_the_end(last)
        self.verdict.findings.sort(key=lambda finding: finding.number)
        return self.verdict

    def _check_the_end(self, last: int) -> None:
        witnessed = max((number for number in self._witnessed if number > last), default=0)
        stamped = max((number for number in self._anchored if number > last), default=0)
        if witnessed:
            self._find(last + 1, "truncated", f"the log ends at {last}, the witness saw record {witnessed}")
        elif stamped:
            self._find(last + 1, "truncated", f"the log ends at {last}, record {stamped} bears a time stamp")

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

    def _check_outside(self, record: Record) -> None:
        """Compare a record with what was kept outside the database."""
        said, stamp = self._witnessed.pop(record.number, None), self._anchored.pop(record.number, None)
        since = f"; records {self._agreed + 1} to {record.number} are in doubt"
        if stamp and stamp.hash != record.hash:
            self._find(record.number, "altered", f"another hash was time-stamped here on {stamp.at:%Y-%m-%d}{since}")
        elif said and said.hash != record.hash:
            self._find(record.number, "altered", f"the witness saw another hash here{since}")
        elif stamp and record.stored_at > stamp.at + CLOCKS_APART:
            self._find(record.number, "altered", f"it was stored after it was time-stamped, at {stamp.at.isoformat()}")
        else:
            self._agreed = record.number

    def _find(self, number: int, kind: str, detail: str) -> None:
        self.verdict.findings.append(Finding(number, kind, detail))
