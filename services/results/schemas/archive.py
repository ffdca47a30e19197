"""What HTTP takes and gives."""

import base64
import binascii
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.results.states import Origin, ResultStatus
from shared.bodies import Body, Trimmed
from shared.errors import FieldError, InvalidRequest
from shared.events.values import ReturnMethod
from shared.identifiers import DossierCode

Text = Annotated[str, Trimmed(500)]
Name = Annotated[str, Trimmed(200)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Number = Annotated[str, Trimmed(100)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Tracking = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{8,20}$")]


class Taken(Body):
    """What a client sends; unknown fields are refused."""


class Asked(BaseModel):
    """What a client asks for in the query; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Given(BaseModel):
    """What a client gets; every field is always there."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)


class NewResult(Asked):
    """What goes with a document, in the query: the body is the document itself."""

    dossier_code: DossierCode
    kind_code: Code = Field(examples=["KQ.G13.000123"])
    """Code of the kind of result in the catalogue of results."""
    kind_name: Name = Field(examples=["Giấy phép xây dựng"])
    sha256: Sha256 | None = None
    """SHA-256 of the document in lower-case hexadecimal: what arrives otherwise is refused."""
    origin: Origin = Origin.DIGITAL
    """`paper` for the scan of a paper, which whoever certifies the copy has signed."""
    supersedes: UUID | None = None
    """The version whose place this one takes when it is issued."""


class ListResults(Asked):
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
    valid_from: date | None = None
    """First day on which it is valid; at once, unless given."""
    valid_until: date | None = Field(default=None, examples=["2031-04-24"])
    """Last day on which it is valid; without end, unless given."""

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until must not be before valid_from")
        return self


class SupersedeResult(Taken):
    """Which result takes this one's place and why."""

    superseded_by: UUID
    reason: Text


class RevokeResult(Taken):
    """Why a result is no longer valid."""

    reason: Text


class SignatureOut(Given):
    """One digital signature of a document."""

    signer: str
    organisation: str | None
    issuer: str
    serial_number: str
    certificate_sha256: str
    signed_at: datetime | None
    time_source: str
    """`timestamp`: proven by a trusted authority; `claimed`: by the signer's own clock."""
    trust_list: str
    revocation: str
    """`good`, or `unknown` when no list of revoked certificates of its issuer is at hand."""
    algorithm: str
    reason: str | None


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
    origin: Origin
    signatures: list[SignatureOut]
    """Who signed the document, oldest first, as found on entry; empty: it is not signed."""
    version: int
    supersedes: UUID | None
    drafted_at: datetime
    issued_by: str | None
    issued_at: datetime | None
    valid_from: date | None
    valid_until: date | None
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


class Versions(Given):
    """Every version of a result, oldest first."""

    items: list[ResultOut]


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
