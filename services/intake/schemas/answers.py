"""What goes out about dossiers; only DossierView holds personal data."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.intake.models import Document, Dossier, SupplementRequest
from services.intake.operations import NOT_WHOLLY_ONLINE, Notice, Submitted
from services.intake.states import DossierStatus, actions
from shared.events.values import Channel, FeeItem, Party, ReturnMethod, ServiceLevel


class Answer(BaseModel):
    """What a call gets."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class DossierLine(Answer):
    """A dossier in a list, and the answer to its submission."""

    code: str
    status: DossierStatus
    actions: list[str]
    """What can be done now: accept, reject, request_supplement, supplement, close, withdraw, retract."""
    procedure_code: str
    procedure_version: int
    procedure_name: str
    agency_code: str
    agency_name: str
    competent_agency_code: str | None
    """Who decides on it; null when the receiving agency does."""
    channel: Channel
    return_method: ReturnMethod
    handled_as: ServiceLevel
    """`full_online` (toàn trình) or `partial` (một phần): how this dossier itself is handled."""
    submitted_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    """Ngày hẹn trả as promised; null before the acceptance, or when the procedure has no term."""
    current_due_at: datetime | None
    """As workflow moved it since; null while it did not."""
    origin: str
    origin_reference: str | None


class NoticeView(Answer):
    """Something to know, not a refusal."""

    code: str
    """`owner_has_open_dossier`, `could_be_wholly_online`, a kind of rule, or why a dossier is handled partly online."""
    message: str
    message_vi: str
    dossier_code: str | None
    """The other dossier, if you may see it."""
    legal_basis: str | None


class SubmittedView(DossierLine):
    """A dossier that was just handed in."""

    tracking_code: str
    """For the applicant: opens status and dates at /tracking/{tracking_code} without a login."""
    handled_because: list[NoticeView]
    """Why it is handled partly online; nothing when wholly."""
    warnings: list[NoticeView]


class DossierPage(Answer):
    """A part of a list of dossiers."""

    items: list[DossierLine]
    next_cursor: str | None


class SupplementView(Answer):
    """Something that was asked of the applicant."""

    id: UUID
    content: str
    requested_by: str
    requested_at: datetime
    respond_by: datetime
    answered_at: datetime | None
    late: bool
    """Not answered by respond_by, or only after it."""
    while_processing: bool
    """Asked while the case runs, not before the acceptance."""


class WithdrawalView(Answer):
    """The applicant's wish to have the dossier back."""

    state: str
    """`requested`, `refused` or `done`."""
    reason: str
    requested_at: datetime | None
    refused_at: datetime | None
    refusal: str | None
    withdrawn_at: datetime | None


class DossierState(DossierLine):
    """Where a dossier stands; the answer to what is done with it."""

    open_supplement: SupplementView | None
    withdrawal: WithdrawalView | None


class PortalFileView(Answer):
    """A file that another portal sent, kept for its dossier."""

    id: UUID
    sha256: str
    size_bytes: int
    media_type: str


class DocumentView(Answer):
    """A document of a dossier, or one that was just uploaded."""

    id: UUID
    component_code: str | None
    name: str
    media_type: str | None
    size_bytes: int | None
    sha256: str | None
    held: bool
    """The file can be downloaded here."""
    reused_result: str | None
    """Number of the earlier result that stands for the paper."""
    reuse_answer: str | None
    """Of a claim that an earlier result stands for the paper: `confirmed`, `refused`, null while it waits."""
    reuse_refusal: str | None


class AcceptanceView(Answer):
    """How the dossier was accepted."""

    accepted_at: datetime
    accepted_by: str
    note: str | None
    late_entry: bool
    entered_at: datetime
    """When it came into the system."""
    late_reason: str | None
    calendar_version: str


class RejectionView(Answer):
    """How the dossier was refused."""

    rejected_at: datetime
    rejected_by: str
    reason: str
    legal_basis: str


class RetractionView(Answer):
    """How the dossier was struck off."""

    retracted_at: datetime
    retracted_by: str
    reason: str


class DossierView(DossierState):
    """A whole dossier (personal data)."""

    tracking_code: str
    summary: str
    case_code: str | None
    form_code: str | None
    form_version: int | None
    """The version of the e-form that was filled in (GET /forms/{code}?version=)."""
    form_data: dict[str, Any] | None
    handled_because: list[NoticeView]
    entered_at: datetime
    """When it came into the system; later than submitted_at for late entries."""
    late_reason: str | None
    returned_at: datetime | None
    """When the result was handed over."""
    applicant: Party
    owner: Party
    fees: list[FeeItem]
    documents: list[DocumentView]
    supplements: list[SupplementView]
    acceptance: AcceptanceView | None
    rejection: RejectionView | None
    retraction: RetractionView | None


def dossier_line(dossier: Dossier, supplement: SupplementRequest | None = None, *, now: datetime) -> DossierLine:
    """Return a dossier as a list shows it; `supplement` is the open request, if one is."""
    return DossierLine.model_validate(_line(dossier, supplement, now))


def submitted_view(submitted: Submitted, *, now: datetime) -> SubmittedView:
    """Return the answer to a submission."""
    dossier = submitted.dossier
    return SubmittedView.model_validate(
        _line(dossier, None, now)
        | {
            "tracking_code": dossier.tracking_code,
            "handled_because": _because(dossier),
            "warnings": submitted.notices,
        }
    )


def dossier_state(dossier: Dossier, supplement: SupplementRequest | None, *, now: datetime) -> DossierState:
    """Return where a dossier stands; `supplement` is the open request, if one is."""
    return DossierState.model_validate(_state(dossier, supplement, now))


def dossier_view(
    dossier: Dossier, documents: Sequence[Document], supplements: Sequence[SupplementRequest], *, now: datetime
) -> DossierView:
    """Return a whole dossier."""
    waiting = [request for request in supplements if request.answered_at is None]
    more = {name: getattr(dossier, name) for name in _WHOLE}
    return DossierView.model_validate(
        _state(dossier, waiting[0] if waiting else None, now)
        | more
        | {
            "handled_because": _because(dossier),
            "documents": documents,
            "supplements": [_supplement(request, now) for request in supplements],
            "acceptance": _acceptance(dossier),
            "rejection": _rejection(dossier),
            "retraction": _retraction(dossier),
        }
    )


_WHOLE = (
    "tracking_code",
    "summary",
    "case_code",
    "form_code",
    "form_version",
    "form_data",
    "entered_at",
    "late_reason",
    "returned_at",
    "applicant",
    "owner",
    "fees",
)
_SAME = tuple(name for name in DossierLine.model_fields if name not in {"status", "actions"})


def _because(dossier: Dossier) -> list[Notice]:
    return [NOT_WHOLLY_ONLINE[reason] for reason in dossier.handled_because]


def _line(dossier: Dossier, supplement: SupplementRequest | None, now: datetime) -> dict[str, Any]:
    status = DossierStatus(dossier.status)
    line: dict[str, Any] = {name: getattr(dossier, name) for name in _SAME}
    line["status"] = status
    line["actions"] = actions(
        status,
        supplement_open=supplement is not None,
        supplement_overdue=supplement is not None and supplement.respond_by < now,
        withdrawal_open=_withdrawal_state(dossier) == "requested",
        case_ended=dossier.case_completed_at is not None,
    )
    return line


def _state(dossier: Dossier, supplement: SupplementRequest | None, now: datetime) -> dict[str, Any]:
    waits = dossier.status in {DossierStatus.SUPPLEMENT_REQUESTED, DossierStatus.ACCEPTED}
    asked = supplement if waits else None
    state = _line(dossier, asked, now)
    state["open_supplement"] = _supplement(asked, now) if asked else None
    state["withdrawal"] = _withdrawal(dossier)
    return state


def _supplement(request: SupplementRequest, now: datetime) -> SupplementView:
    return SupplementView(
        id=request.id,
        content=request.content,
        requested_by=request.requested_by,
        requested_at=request.requested_at,
        respond_by=request.respond_by,
        answered_at=request.answered_at,
        late=request.respond_by < (request.answered_at or now),
        while_processing=request.cause is not None,
    )


def _withdrawal_state(dossier: Dossier) -> str | None:
    if dossier.withdrawn_at is not None:
        return "done"
    if dossier.withdrawal_refused_at is not None:
        return "refused"
    return "requested" if dossier.withdrawal_requested_at is not None else None


def _withdrawal(dossier: Dossier) -> WithdrawalView | None:
    state = _withdrawal_state(dossier)
    if state is None:
        return None
    return WithdrawalView(
        state=state,
        reason=dossier.withdrawal_reason or "",
        requested_at=dossier.withdrawal_requested_at,
        refused_at=dossier.withdrawal_refused_at,
        refusal=dossier.withdrawal_refusal,
        withdrawn_at=dossier.withdrawn_at,
    )


def _acceptance(dossier: Dossier) -> AcceptanceView | None:
    if dossier.accepted_at is None:
        return None
    return AcceptanceView(
        accepted_at=dossier.accepted_at,
        accepted_by=dossier.accepted_by or "",
        note=dossier.acceptance_note,
        late_entry=bool(dossier.late_entry),
        entered_at=dossier.acceptance_entered_at or dossier.accepted_at,
        late_reason=dossier.acceptance_late_reason,
        calendar_version=dossier.calendar_version or "",
    )


def _rejection(dossier: Dossier) -> RejectionView | None:
    if dossier.rejected_at is None:
        return None
    return RejectionView(
        rejected_at=dossier.rejected_at,
        rejected_by=dossier.rejected_by or "",
        reason=dossier.rejection_reason or "",
        legal_basis=dossier.rejection_legal_basis or "",
    )


def _retraction(dossier: Dossier) -> RetractionView | None:
    if dossier.retracted_at is None:
        return None
    return RetractionView(
        retracted_at=dossier.retracted_at,
        retracted_by=dossier.retracted_by or "",
        reason=dossier.retraction_reason or "",
    )
