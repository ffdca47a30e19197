"""What whoever has a dossier's tracking code may see: where it stands and when what happened, nothing personal."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from services.intake.models import Dossier, SupplementRequest
from services.intake.schemas.answers import Answer
from services.intake.states import DossierStatus


class Stage(StrEnum):
    """Where a dossier stands, as its applicant sees it."""

    SUBMITTED = "submitted"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    PROCESSING = "processing"
    COMPLETED = "completed"
    RETURNED = "returned"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RETRACTED = "retracted"


STAGES_VI = {
    Stage.SUBMITTED: "Đã nộp, chờ tiếp nhận",
    Stage.SUPPLEMENT_REQUESTED: "Cần bổ sung hồ sơ",
    Stage.PROCESSING: "Đang giải quyết",
    Stage.COMPLETED: "Đã có kết quả, chờ trả",
    Stage.RETURNED: "Đã trả kết quả",
    Stage.REJECTED: "Không được tiếp nhận",
    Stage.WITHDRAWN: "Đã rút",
    Stage.RETRACTED: "Đã hủy do nhập nhầm",
}


class TrackingView(Answer):
    """A dossier as its tracking code shows it."""

    code: str
    stage: Stage
    stage_vi: str
    submitted_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    """When the result is due by now."""
    respond_by: datetime | None
    """Until when a supplement is awaited."""
    completed_at: datetime | None
    returned_at: datetime | None
    rejected_at: datetime | None
    withdrawn_at: datetime | None
    retracted_at: datetime | None


def tracking_view(dossier: Dossier, supplements: Sequence[SupplementRequest]) -> TrackingView:
    """Return what the tracking code shows; `supplements` are those that are open."""
    stage = _stage(dossier, asked=bool(supplements))
    return TrackingView(
        code=dossier.code,
        stage=stage,
        stage_vi=STAGES_VI[stage],
        submitted_at=dossier.submitted_at,
        accepted_at=dossier.accepted_at,
        due_at=dossier.current_due_at or dossier.due_at,
        respond_by=supplements[0].respond_by if stage is Stage.SUPPLEMENT_REQUESTED else None,
        completed_at=dossier.case_completed_at,
        returned_at=dossier.returned_at,
        rejected_at=dossier.rejected_at,
        withdrawn_at=dossier.withdrawn_at,
        retracted_at=dossier.retracted_at,
    )


def _stage(dossier: Dossier, *, asked: bool) -> Stage:
    status = DossierStatus(dossier.status)
    if status is not DossierStatus.ACCEPTED:
        return Stage(status.value)
    if dossier.returned_at is not None:
        return Stage.RETURNED
    if dossier.case_completed_at is not None:
        return Stage.COMPLETED
    return Stage.SUPPLEMENT_REQUESTED if asked else Stage.PROCESSING
