"""What comes in about dossiers."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from services.intake.operations import Paper, Reuse, Submission
from shared import bodies
from shared.bodies import BLANK, Trimmed
from shared.events.values import Channel, Party, ReturnMethod

FORM_BYTES_MAX = 200_000
NAME_MAX = 500
PAPERS_MAX = 200


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as problem:
        raise ValueError("no such moment in UTC") from problem


Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,60}$")]
MediaType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+\-]{1,60}/[A-Za-z0-9_.+\-]{1,60}$")]
EMAIL = rf"^[^@{BLANK}]+@[^@{BLANK}]+\.[^@{BLANK}]+$"
Line = Annotated[str, Trimmed(200)]
Note = Annotated[str, Trimmed(2000)]
Reason = Annotated[str, Trimmed(2000, least=10)]
"""A reason that a citizen can understand: ten characters at least."""
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone."""
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


def _bounded(data: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(data)) > FORM_BYTES_MAX:
        raise ValueError(f"at most {FORM_BYTES_MAX} bytes; large things are documents")
    return data


FormData = Annotated[dict[str, Any], AfterValidator(_bounded)]
"""What was filled into an e-form: personal data."""


class Body(bodies.Body):
    """What a call sends; fields that are not known are refused."""

    model_config = ConfigDict(frozen=True)


class PartyBody(Body, Party):
    """An applicant or owner (personal data)."""

    # Said again: of two bases the last one's setting holds, and an event's Party takes what it does not know.
    model_config = ConfigDict(extra="forbid")

    name: Line = Field(examples=["Nguyễn Thị An"])
    id_number: Annotated[str, StringConstraints(pattern=r"^[0-9\-]{1,20}$")] | None = Field(
        None, examples=["056190001234"]
    )
    """Digits only; an MST of a branch has -NNN behind them."""
    email: Annotated[str, StringConstraints(pattern=EMAIL, max_length=200)] | None = None
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 .]{6,18}[0-9]$")] | None = Field(
        None, examples=["0905 123 456"]
    )
    address: Annotated[str, Trimmed(500, least=0)] | None = None
    portal_account: Line | None = None


class ConsentBody(Body):
    """The consent to read an earlier result (personal data)."""

    by: Line
    """Who consented."""
    at: Moment
    text: Note
    """What was consented to, in the words shown."""


class ReuseBody(Body):
    """An earlier result in place of a paper; its owner must be the dossier's."""

    result_id: UUID
    consent: ConsentBody
    purpose: Line


class PaperBody(Body):
    """One thing handed in: name exactly one of document_id, sha256, paper, reused_result, reuse."""

    component_code: Code = Field(examples=["TP01"])
    """A component of the procedure, or `other`."""
    name: Annotated[str, Trimmed(NAME_MAX)] | None = None
    media_type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+\-]{1,60}/[A-Za-z0-9_.+\-]{1,60}$")] | None = (
        None
    )
    size_bytes: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    sha256: Sha256 | None = None
    """Hash of a file that the calling system keeps."""
    paper: bool = False
    """Shown or left at the counter; there is no file."""
    document_id: UUID | None = None
    """A file uploaded before (POST /documents)."""
    reused_result: Line | None = None
    """Number of an earlier result that was shown in place of a new paper."""
    reuse: ReuseBody | None = None
    """An earlier result of the archive in place of a new paper; the archive confirms it before the acceptance."""
    from_national_store: bool = False
    """The applicant took it from the store at the national portal."""
    replaces: UUID | None = None
    """In an answer to a request: the document handed in before in whose place it comes."""

    def paper_given(self) -> Paper:
        """Return the paper as the operations know it."""
        given = self.__dict__ | {"reuse": _reuse(self.reuse) if self.reuse else None}
        return Paper(**given)


def _reuse(body: ReuseBody) -> Reuse:
    consent = body.consent
    return Reuse(body.result_id, consent.by, consent.at, consent.text, body.purpose)


class DossierBody(Body):
    """A dossier to submit."""

    procedure_code: Code = Field(examples=["1.004222"])
    agency_code: Code = Field(examples=["H32.14.21"])
    """The agency that receives it, in the present or the old form."""
    competent_agency_code: Code | None = None
    """The agency that decides, when another one of the same province than the receiving one."""
    channel: Channel
    applicant: PartyBody
    """Who hands it in (người nộp)."""
    owner: PartyBody | None = None
    """In whose name (chủ hồ sơ); the applicant's own when left out."""
    summary: Annotated[str, Trimmed(1000, least=0)] = ""
    """Trích yếu; the procedure's name when left out."""
    case_code: Code | None = None
    """The procedure's case (trường hợp), where it has several."""
    form_data: FormData | None = None
    """What was filled into the procedure's e-form (GET /procedures/{code}: `form`)."""
    documents: Annotated[list[PaperBody], Field(max_length=PAPERS_MAX)] = Field(default=[])
    return_method: ReturnMethod
    submitted_at: Moment | None = None
    """When it was handed in, if that is entered late: direct and postal dossiers, at most 30 days back."""
    late_reason: Line | None = None
    """Why it is entered on a later day than it was handed in."""

    def submission(self) -> Submission:
        """Return the submission as the operations know it."""
        return Submission(
            procedure_code=self.procedure_code,
            agency_code=self.agency_code,
            competent_agency_code=self.competent_agency_code,
            form_data=self.form_data,
            channel=self.channel,
            applicant=self.applicant,
            owner=self.owner,
            return_method=self.return_method,
            summary=self.summary,
            case_code=self.case_code,
            papers=[document.paper_given() for document in self.documents],
            submitted_at=self.submitted_at,
            late_reason=self.late_reason,
        )


class PortalPartyBody(PartyBody):
    """An applicant as another portal knows him: how he can be reached is taken as it stands there."""

    email: Line | None = None
    phone: Line | None = None


class PortalDossierBody(DossierBody):
    """A dossier that a citizen submitted at another portal, in our words."""

    applicant: PortalPartyBody
    owner: PortalPartyBody | None = None
    origin: Literal["national_portal"]
    origin_reference: Line
    """The dossier's name at that portal; the same one always gives the same dossier."""

    def submission(self) -> Submission:
        """Return the submission with where it comes from."""
        return replace(super().submission(), origin=self.origin, origin_reference=self.origin_reference)


class AcceptBody(Body):
    """The acceptance of a dossier as valid."""

    accepted_by: Line
    accepted_at: Moment | None = None
    """When it was accepted, if that is entered late: not before the submission, not in the future."""
    late_reason: Line | None = None
    """Why it is entered on a later day."""
    note: Note | None = None


class RejectBody(Body):
    """A refusal in writing (form 03)."""

    reason: Reason
    legal_basis: Line
    rejected_by: Line


class RetractBody(Body):
    """The striking off of a dossier that was entered by mistake."""

    reason: Reason
    """What the mistake was: entered twice, or for the wrong procedure."""
    retracted_by: Line


class RequestSupplementBody(Body):
    """What is asked of the applicant (form 02)."""

    content: Reason
    requested_by: Line
    respond_within_days: Annotated[int, Field(ge=1, le=90)]
    """Calendar days; the answer is due by the end of work of the last one."""


class SupplementBody(Body):
    """The applicant's answer."""

    documents: Annotated[list[PaperBody], Field(min_length=1, max_length=PAPERS_MAX)]
    answered_at: Moment | None = None
    """When it was handed in, if that is entered late."""
    late_reason: Line | None = None
    """Why it is entered on a later day."""
    received_by: Line | None = None
    """Who took the papers at the counter."""


class CloseBody(Body):
    """The end of a dossier whose applicant did not answer in time."""

    reason: Reason
    legal_basis: Line
    closed_by: Line


class WithdrawBody(Body):
    """The applicant's wish to have the dossier back."""

    reason: Reason
