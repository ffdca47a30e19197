"""The verbs of consultation (lấy ý kiến): ask agencies side by side, answer, waive, notice that an answer is late."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.workflow import queries
from services.workflow.errors import ConsultationInvalid, ConsultationNotFound
from services.workflow.models import Case, Consultation, Task
from services.workflow.operations import rights
from services.workflow.queries import consultations as asked
from services.workflow.states import CONSULTATION, TASK, ConsultationStatus, TaskStatus
from shared.errors import FieldError
from shared.events.workflow import (
    ConsultationAnswered,
    ConsultationAsked,
    ConsultationCancelled,
    ConsultationLate,
    ConsultationWaived,
)
from shared.ids import new_id
from shared.work import Work

OUTSTANDING = frozenset({ConsultationStatus.ASKED, ConsultationStatus.LATE})


async def consult(
    work: Work,
    *,
    task_id: UUID,
    agencies: Sequence[str],
    question: str,
    documents: Sequence[Mapping[str, Any]],
    respond_by: datetime,
    official: str,
) -> list[Consultation]:
    """Ask agencies for their opinion on a task in hand; it is not completed before all have answered or are waived.

    The case's clock runs on: what agencies owe each other is not the applicant's time.
    Emits workflow.consultation.asked.v1 for each agency.

    Raises TaskNotFound, ConsultationInvalid, TaskClaimedByAnother, OfficialNotEntitled, IllegalMove when the task is
    not in hand.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    if task.status != TaskStatus.OPEN:
        TASK.edge(TaskStatus(task.status), "complete")
    await rights.in_whose_place(work, case, task, official)
    await _refuse_invalid(work, task, agencies, respond_by)
    made = [_asked(work, case, task, agency, official, respond_by) for agency in agencies]
    for one in made:
        one.question, one.documents = question, [dict(document) for document in documents]
        event = ConsultationAsked(
            consultation_id=one.id,
            task_id=task.id,
            step_key=task.step_key,
            agency_code=one.consulted_agency_code,
            question=question,
            asked_by=official,
            asked_at=work.now,
            respond_by=respond_by,
        )
        work.session.add(one)
        queries.desk(work.session).consultations[one.id] = one
        work.move(one, CONSULTATION, "ask", event)
    task.consultations_open += len(made)
    return made


def _asked(work: Work, case: Case, task: Task, agency: str, official: str, respond_by: datetime) -> Consultation:
    return Consultation(
        id=new_id(),
        dossier_code=case.dossier_code,
        task_id=task.id,
        asking_agency_code=task.agency_code,
        consulted_agency_code=agency,
        procedure_code=case.procedure_code,
        asked_by=official,
        asked_at=work.now,
        respond_by=respond_by,
    )


async def _refuse_invalid(work: Work, task: Task, agencies: Sequence[str], respond_by: datetime) -> None:
    errors = []
    if respond_by <= work.now:
        errors.append(FieldError("respond_by", "Must be in the future.", "Hạn trả lời phải ở tương lai."))
    if len(set(agencies)) < len(agencies) or task.agency_code in agencies:
        message = "Name other agencies, each once."
        errors.append(FieldError("agencies", message, "Chọn các cơ quan khác, mỗi cơ quan một lần."))
    if not errors and task.consultations_open:
        waiting = {one.consulted_agency_code for one in await asked.list_outstanding(work.session, [task.id])}
        if again := waiting & set(agencies):
            message = f"Already asked and not answered yet: {', '.join(sorted(again))}."
            errors.append(FieldError("agencies", message, "Cơ quan này đang được lấy ý kiến."))
    if errors:
        raise ConsultationInvalid(errors=errors)


async def answer(work: Work, *, consultation_id: UUID, opinion: str, text: str, official: str) -> Consultation:
    """Answer as the agency that was asked, also after the deadline.

    opinion is `agree`, `disagree` or `other`. Emits workflow.consultation.answered.v1.

    Raises ConsultationNotFound, IllegalMove when it was answered, waived or cancelled.
    """
    found = await asked.lock_consultation(work.session, consultation_id)
    if not work.caller.may_see(found.consulted_agency_code):
        raise ConsultationNotFound(f"No consultation {consultation_id}.")
    event = ConsultationAnswered(
        consultation_id=found.id,
        task_id=found.task_id,
        agency_code=found.consulted_agency_code,
        opinion=opinion,
        answered_by=official,
        answered_at=work.now,
        respond_by=found.respond_by,
    )
    work.move(found, CONSULTATION, "answer", event)
    found.opinion, found.answer = opinion, text
    _close(work, found, official)
    return found


async def waive(work: Work, *, consultation_id: UUID, official: str, reason: str) -> Consultation:
    """Go on without an agency's answer, for a reason that is kept.

    Emits workflow.consultation.waived.v1.

    Raises ConsultationNotFound, TaskClaimedByAnother, OfficialNotEntitled, IllegalMove when nothing is awaited.
    """
    found = await asked.lock_consultation(work.session, consultation_id)
    if not work.caller.may_see(found.asking_agency_code):
        raise ConsultationNotFound(f"No consultation {consultation_id}.")
    CONSULTATION.edge(ConsultationStatus(found.status), "waive")
    case, task = await queries.lock_task(work.session, found.task_id, caller=work.caller)
    await rights.in_whose_place(work, case, task, official)
    event = ConsultationWaived(
        consultation_id=found.id,
        task_id=found.task_id,
        agency_code=found.consulted_agency_code,
        reason=reason,
        waived_by=official,
        waived_at=work.now,
    )
    work.move(found, CONSULTATION, "waive", event)
    found.waive_reason = reason
    _close(work, found, official)
    return found


def lapse(work: Work, found: Consultation) -> None:
    """Say that an agency did not answer in time. Emits workflow.consultation.late.v1."""
    event = ConsultationLate(
        consultation_id=found.id,
        task_id=found.task_id,
        agency_code=found.consulted_agency_code,
        respond_by=found.respond_by,
        noticed_at=work.now,
    )
    work.move(found, CONSULTATION, "lapse", event)


async def cancel(work: Work, tasks: Sequence[Task], *, reason: str) -> None:
    """Drop what tasks still wait for, because they go another way.

    Emits workflow.consultation.cancelled.v1 for each.
    """
    waiting = [task for task in tasks if task.consultations_open]
    if not waiting:
        return
    await work.session.flush()
    for found in await asked.list_outstanding(work.session, [task.id for task in waiting]):
        event = ConsultationCancelled(
            consultation_id=found.id, task_id=found.task_id, agency_code=found.consulted_agency_code, reason=reason
        )
        work.move(found, CONSULTATION, "cancel", event)
        found.closed_at = work.now
        queries.desk(work.session).consultations[found.id] = found
    for task in waiting:
        task.consultations_open = 0


def _close(work: Work, found: Consultation, official: str) -> None:
    found.closed_by, found.closed_at = official, work.now
    task = next(task for task in _case(work, found).tasks if task.id == found.task_id)
    task.consultations_open -= 1


def _case(work: Work, found: Consultation) -> Case:
    case = queries.desk(work.session).cases[found.dossier_code]
    if case is None:
        raise ConsultationNotFound(f"No consultation {found.id}.")
    return case
