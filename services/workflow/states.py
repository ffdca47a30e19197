"""The lives of a case and of a task: every move there is, with the event it tells."""

from enum import StrEnum

from shared.events import workflow as told
from shared.states import Edge, Lifecycle


class CaseStatus(StrEnum):
    """Where a case stands."""

    RUNNING = "running"
    AWAITING_SUPPLEMENT = "awaiting_supplement"
    AWAITING_PAYMENT = "awaiting_payment"
    STOPPED = "stopped"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class TaskStatus(StrEnum):
    """Where one step of a case stands."""

    WAITING = "waiting"
    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """It lies on a way that the case does not take."""


class ConsultationStatus(StrEnum):
    """Where a question to another agency stands."""

    ASKED = "asked"
    LATE = "late"
    ANSWERED = "answered"
    WAIVED = "waived"
    CANCELLED = "cancelled"


class PauseReason(StrEnum):
    """Why the clock stands still; also the word that case.resumed carries in `after`."""

    SUPPLEMENT = "supplement"
    PAYMENT = "payment"
    STOP = "stop"


class ClockKind(StrEnum):
    """What an entry of the clock's ledger says."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    SET = "set"
    """The due date was promised anew (an extension); what follows counts from there."""
    RECALCULATE = "recalculate"
    """The calendar was amended: the same ledger gives another due date."""


_CASE, _TASK = CaseStatus, TaskStatus

CASE = Lifecycle(
    "case",
    CaseStatus,
    [
        Edge("start", None, _CASE.RUNNING, told.CaseStarted),
        Edge("request_supplement", _CASE.RUNNING, _CASE.AWAITING_SUPPLEMENT, told.CaseSupplementRequested),
        Edge("take_supplement", _CASE.AWAITING_SUPPLEMENT, _CASE.RUNNING, told.CaseResumed),
        Edge("await_payment", _CASE.RUNNING, _CASE.AWAITING_PAYMENT, told.CasePaymentAwaited),
        Edge("take_payment", _CASE.AWAITING_PAYMENT, _CASE.RUNNING, told.CaseResumed),
        Edge("stop", _CASE.RUNNING, _CASE.STOPPED, told.CaseStopped),
        Edge("resume", _CASE.STOPPED, _CASE.RUNNING, told.CaseResumed),
        Edge("complete", _CASE.RUNNING, _CASE.COMPLETED, told.CaseCompleted),
        Edge("withdraw", _CASE.RUNNING, _CASE.WITHDRAWN, told.CaseWithdrawn),
        Edge("withdraw", _CASE.AWAITING_SUPPLEMENT, _CASE.WITHDRAWN, told.CaseWithdrawn),
        Edge("withdraw", _CASE.AWAITING_PAYMENT, _CASE.WITHDRAWN, told.CaseWithdrawn),
    ],
)

TASK = Lifecycle(
    "task",
    TaskStatus,
    [
        Edge("plan", None, _TASK.WAITING, told.TaskPlanned),
        Edge("open", _TASK.WAITING, _TASK.OPEN, told.TaskOpened),
        Edge("skip", _TASK.WAITING, _TASK.SKIPPED, told.TaskSkipped),
        Edge("skip", _TASK.OPEN, _TASK.SKIPPED, told.TaskSkipped),
        Edge("skip", _TASK.CLAIMED, _TASK.SKIPPED, told.TaskSkipped),
        Edge("skip", _TASK.RETURNED, _TASK.SKIPPED, told.TaskSkipped),
        Edge("plan", _TASK.SKIPPED, _TASK.WAITING, told.TaskPlanned),
        Edge("claim", _TASK.OPEN, _TASK.CLAIMED, told.TaskClaimed),
        Edge("release", _TASK.CLAIMED, _TASK.OPEN, told.TaskReleased),
        Edge("reassign", _TASK.CLAIMED, _TASK.CLAIMED, told.TaskReassigned),
        Edge("complete", _TASK.CLAIMED, _TASK.DONE, told.TaskCompleted),
        Edge("return", _TASK.CLAIMED, _TASK.RETURNED, told.TaskReturned),
        Edge("open", _TASK.RETURNED, _TASK.OPEN, told.TaskOpened),
        Edge("reopen", _TASK.DONE, _TASK.OPEN, told.TaskOpened),
        Edge("cancel", _TASK.WAITING, _TASK.CANCELLED, told.TaskCancelled),
        Edge("cancel", _TASK.OPEN, _TASK.CANCELLED, told.TaskCancelled),
        Edge("cancel", _TASK.CLAIMED, _TASK.CANCELLED, told.TaskCancelled),
        Edge("cancel", _TASK.RETURNED, _TASK.CANCELLED, told.TaskCancelled),
    ],
)

_CONSULTATION = ConsultationStatus

CONSULTATION = Lifecycle(
    "consultation",
    ConsultationStatus,
    [
        Edge("ask", None, _CONSULTATION.ASKED, told.ConsultationAsked),
        Edge("lapse", _CONSULTATION.ASKED, _CONSULTATION.LATE, told.ConsultationLate),
        Edge("answer", _CONSULTATION.ASKED, _CONSULTATION.ANSWERED, told.ConsultationAnswered),
        Edge("answer", _CONSULTATION.LATE, _CONSULTATION.ANSWERED, told.ConsultationAnswered),
        Edge("waive", _CONSULTATION.ASKED, _CONSULTATION.WAIVED, told.ConsultationWaived),
        Edge("waive", _CONSULTATION.LATE, _CONSULTATION.WAIVED, told.ConsultationWaived),
        Edge("cancel", _CONSULTATION.ASKED, _CONSULTATION.CANCELLED, told.ConsultationCancelled),
        Edge("cancel", _CONSULTATION.LATE, _CONSULTATION.CANCELLED, told.ConsultationCancelled),
    ],
)
