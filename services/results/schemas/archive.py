"""What HTTP takes and gives."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.results.models import Result
from services.results.states import ResultStatus, Validity
from shared.errors import FieldError, InvalidRequest
from shared.events.values import ReturnMethod
from shared.identifiers import AgencyCode, DossierCode

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Tracking = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{8,20}$")]


class Taken(BaseModel):
    """What a client sends; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Given(BaseModel):
    """What a client gets; every field is always there."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)


class NewResult(Taken):
    """What goes with a document, in the query: the body is the document itself."""

    dossier_code: DossierCode
    kind_code: Code = Field(examples=["KQ.G13.000123"])
    """Code of the kind of result in the catalogue of results."""
    kind_name: Name = Field(examples=["Giấy phép xây dựng"])
    sha256: Sha256 | None = None
    """SHA-256 of the document in lower-case hexadecimal: what arrives otherwise is refused."""


class ListResults(Taken):
    """Which results to list."""

    dossier_code: DossierCode | None = None
    status: ResultStatus | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=64)
    """next_cursor of the page before."""


class IssueResult(Taken):
    """Under which number, by whom and when a result was issued."""

    number: Number = Field(examples=["15/GPXD-UBND"])
    """Số, ký hiệu: unique for an agency and a kind of result."""
    issued_by: Name
    """Who signed."""
    issued_at: AwareDatetime | None = None
    """When it was signed; now, unless given."""


class ReturnResult(Taken):
    """How and by whom a result was handed over."""

    method: ReturnMethod
    returned_by: Name
    """The official at the counter, or who put it online or into the post."""
    receiver_id_checked: bool = False
    """The receiver's identity card was looked at."""
    tracking_number: Tracking | None = Field(default=None, examples=["EB123456789VN"])
    """The post's number; needed when method is postal."""

    @model_validator(mode="after")
    def _post_has_a_number(self) -> Self:
        if self.method is ReturnMethod.POSTAL and self.tracking_number is None:
            raise ValueError("tracking_number is needed when method is postal")
        return self


class SupersedeResult(Taken):
    """Which result takes this one's place and why."""

    superseded_by: UUID
    reason: Text


class RevokeResult(Taken):
    """Why a result is no longer valid."""

    reason: Text


class ResultOut(Given):
    """A result as officials see it."""

    id: UUID
    dossier_code: str
    agency_code: str
    kind_code: str
    kind_name: str
    status: ResultStatus
    number: str | None
    sha256: str
    size_bytes: int
    media_type: str
    drafted_at: datetime
    issued_by: str | None
    issued_at: datetime | None
    return_method: ReturnMethod | None
    returned_by: str | None
    returned_at: datetime | None
    receiver_id_checked: bool | None
    tracking_number: str | None
    superseded_by: UUID | None
    ended_at: datetime | None
    """When it was superseded or revoked."""
    end_reason: str | None


class ResultPage(Given):
    """Some results, newest first."""

    items: list[ResultOut]
    next_cursor: str | None


class PublicResult(Given):
    """One result as anybody may see it: nothing personal."""

    status: Validity = Field(validation_alias="validity")
    number: str
    kind_code: str
    kind_name: str
    agency_code: str
    issued_at: datetime
    sha256: str
    """Fingerprint of the document: compare it with the SHA-256 of the file in hand."""
    media_type: str


class Verification(Given):
    """What is known of a result; numbers are unique within an agency and a kind, so several may match."""

    reference: str
    status: Validity
    """`valid` if any match is; otherwise what the newest match is."""
    matches: list[PublicResult]


class VerifyOptions(Taken):
    """Narrows the public check."""

    agency_code: AgencyCode | None = None


def verification(reference: str, results: Sequence[Result]) -> Verification:
    """Return the public answer about what a reference stands for."""
    matches = [PublicResult.model_validate(result) for result in results]
    found = [match.status for match in matches]
    status = Validity.VALID if Validity.VALID in found else next(iter(found), Validity.UNKNOWN)
    return Verification(reference=reference, status=status, matches=matches)


def encode_cursor(last: UUID) -> str:
    """Return the opaque cursor of the page that begins after a result."""
    return base64.urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def decode_cursor(cursor: str | None) -> UUID | None:
    """Return where a page begins. Raises InvalidRequest for what is no cursor of ours."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error) as problem:
        wrong = FieldError("query.cursor", "Use next_cursor of the page before.", "Con trỏ trang không hợp lệ.")
        raise InvalidRequest(errors=[wrong]) from problem
