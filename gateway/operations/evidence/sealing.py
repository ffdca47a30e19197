"""The seal of a month that is dropped: where the chain goes on, and what its records added up to, signed together."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime

import orjson

from gateway.operations.evidence.chain import EvidenceKey, Record, microseconds
from shared import clock

NO_ANSWER, CLIENT_ERROR, SERVER_ERROR = 0, 4, 5
"""Classes of HTTP status: its first digit."""


@dataclass(slots=True)
class DayFigures:
    """What a client's calls of a service on a day (of the province's time) added up to."""

    day: date
    service: str
    client_id: str
    calls: int = 0
    refused: int = 0
    failed: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    duration_us: int = 0


class Tally:
    """Adds records up."""

    def __init__(self) -> None:
        self._days: dict[tuple[date, str, str], DayFigures] = {}
        self.calls = 0

    def add(self, record: Record) -> None:
        """Count a record, as the log's own commits counted it."""
        call = record.call
        place = (record.stored_at.astimezone(clock.VN).date(), call.service, call.client_id)
        day = self._days.get(place) or self._days.setdefault(place, DayFigures(*place))
        self.calls += 1
        day.calls += 1
        day.refused += call.status // 100 == CLIENT_ERROR
        day.failed += call.status // 100 == NO_ANSWER or call.status // 100 >= SERVER_ERROR
        day.request_bytes += call.request_bytes
        day.response_bytes += call.response_bytes
        day.duration_us += call.duration_us

    def days(self) -> list[DayFigures]:
        """Return the sums in order."""
        return [self._days[place] for place in sorted(self._days)]


@dataclass(frozen=True, slots=True)
class Seal:
    """What remains of a dropped month.

    Seals from before there were figures have none, and sign the last record alone.
    """

    first_number: int
    last_number: int
    last_hash: bytes
    stored_from: datetime
    stored_to: datetime
    calls: int | None
    summary_sha256: bytes | None
    signature: bytes
    days: Sequence[DayFigures] = ()

    @property
    def span(self) -> str:
        """The records it is about, in words."""
        return f"records {self.first_number} to {self.last_number}"

    def signed_by(self, key: EvidenceKey) -> bool:
        """Tell whether a key signed it."""
        if self.summary_sha256 is None:
            return key.holds(self.last_number, self.last_hash, self.signature)
        return key.signed_message(self.message(), self.signature)

    def figures_hold(self) -> bool:
        """Tell whether the figures beside it are those that were sealed."""
        return self.summary_sha256 is None or digest_of(self.days) == self.summary_sha256

    def message(self) -> bytes:
        """Return what is signed."""
        values = [
            *(self.first_number, self.last_number, self.last_hash.hex()),
            *(microseconds(self.stored_from), microseconds(self.stored_to)),
            *(self.calls, (self.summary_sha256 or b"").hex()),
        ]
        return b"motcua transaction log seal v2 " + orjson.dumps(values)


def digest_of(days: Iterable[DayFigures]) -> bytes:
    """Return the SHA-256 of figures: a line of compact JSON each, in the order of day, service and client."""
    ordered = sorted(days, key=lambda one: (one.day, one.service, one.client_id))
    return hashlib.sha256(b"".join(orjson.dumps(astuple(one)) + b"\n" for one in ordered)).digest()


def seal(first: Record, last: Record, tally: Tally, key: EvidenceKey) -> Seal:
    """Return the signed seal of a month's records."""
    days = tally.days()
    facts = (first.number, last.number, last.hash, first.stored_at, last.stored_at, tally.calls, digest_of(days))
    bare = Seal(*facts, signature=b"", days=days)
    return Seal(*facts, signature=key.sign_message(bare.message()), days=days)
