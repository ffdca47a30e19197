"""What the public check takes and gives: nothing personal."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from services.results.models import DigitisedResult, Result
from services.results.schemas.archive import Asked, Given
from services.results.states import Validity
from shared.clock import VN
from shared.identifiers import AgencyCode


class PublicResult(Given):
    """One result as anybody may see it: nothing personal."""

    status: Validity
    number: str
    kind_code: str
    kind_name: str
    agency_code: str
    issued_at: datetime | None
    """None for a paper of old, of which only the day is known."""
    issued_on: date
    valid_from: date | None
    valid_until: date | None
    version: int
    sha256: str
    """Fingerprint of the document: compare it with the SHA-256 of the file in hand."""
    media_type: str
    signed: bool
    """The document carries a digital signature that was good when it came in."""
    digitised: bool
    """Scanned from a paper that was issued outside this system."""


class Verification(Given):
    """What is known of a result; numbers are unique within an agency and a kind, so several may match."""

    reference: str
    """What was asked for; the SHA-256 of the file when a file was sent."""
    status: Validity
    """`valid` if any match is; otherwise what the newest match is."""
    matches: list[PublicResult]


class VerifyOptions(Asked):
    """Narrows the public check."""

    agency_code: AgencyCode | None = None


def verification(
    reference: str, results: Sequence[Result], scans: Iterable[DigitisedResult], today: date
) -> Verification:
    """Return the public answer about what a reference stands for on a day."""
    matches = [*(_public(one, today) for one in results), *(_public_scan(one, today) for one in scans)]
    found = [match.status for match in matches]
    status = Validity.VALID if Validity.VALID in found else next(iter(found), Validity.UNKNOWN)
    return Verification(reference=reference, status=status, matches=matches)


def _public(one: Result, today: date) -> PublicResult:
    issued = one.issued_at or one.drafted_at
    return PublicResult(
        status=one.validity(today),
        number=one.number or "",
        kind_code=one.kind_code,
        kind_name=one.kind_name,
        agency_code=one.agency_code,
        issued_at=issued,
        issued_on=issued.astimezone(VN).date(),
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        version=one.version,
        sha256=one.sha256,
        media_type=one.media_type,
        signed=bool(one.signatures),
        digitised=False,
    )


def _public_scan(one: DigitisedResult, today: date) -> PublicResult:
    ended = Validity.REVOKED if one.ended_at else Validity.EXPIRED
    return PublicResult(
        status=Validity.VALID if one.valid_on(today) else ended,
        number=one.number,
        kind_code=one.kind_code,
        kind_name=one.kind_name,
        agency_code=one.agency_code,
        issued_at=None,
        issued_on=one.issued_on,
        valid_from=None,
        valid_until=one.valid_until,
        version=1,
        sha256=one.sha256,
        media_type=one.media_type,
        signed=one.signature == "valid",
        digitised=True,
    )
