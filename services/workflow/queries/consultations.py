"""Reads: questions to other agencies, and the slips of a case."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import false, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.workflow.errors import ConsultationNotFound, SlipNotFound
from services.workflow.models import Consultation, Slip
from services.workflow.queries import cases, pages
from services.workflow.queries.pages import Page
from services.workflow.queries.worklists import asked_for
from services.workflow.states import ConsultationStatus
from shared.caller import Caller

OUTSTANDING = text("status IN ('asked', 'late')")


async def list_of_case(session: AsyncSession, dossier_code: str) -> Sequence[Consultation]:
    """Return every consultation of a case in the order asked."""
    query = select(Consultation).where(Consultation.dossier_code == dossier_code).order_by(Consultation.id)
    return (await session.scalars(query)).all()


async def list_outstanding(session: AsyncSession, task_ids: Sequence[UUID]) -> Sequence[Consultation]:
    """Return what some tasks, whose case is locked, still wait for."""
    query = select(Consultation).where(Consultation.task_id.in_(task_ids), OUTSTANDING).order_by(Consultation.id)
    return (await session.scalars(query)).all()


async def list_awaited(
    session: AsyncSession, *, caller: Caller, agency: str | None, late: bool | None, page: Page
) -> tuple[Sequence[Consultation], str | None]:
    """Return the questions that await an agency's answer, the nearest deadline first."""
    tops = asked_for(caller, agency)
    below = or_(false(), *(pages.within(Consultation.consulted_agency_code, top) for top in tops))
    query = select(Consultation).where(OUTSTANDING, below)
    if late is not None:
        query = query.where(Consultation.status == (ConsultationStatus.LATE if late else ConsultationStatus.ASKED))
    return await pages.cut(session, query, (Consultation.respond_by, Consultation.id), page, UUID)


async def list_by_id(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Consultation]:
    """Return consultations by their ids, in order."""
    return (await session.scalars(select(Consultation).where(Consultation.id.in_(ids)).order_by(Consultation.id))).all()


async def get_consultation(session: AsyncSession, consultation_id: UUID, *, caller: Caller) -> Consultation:
    """Return a consultation to who asked or was asked; raises ConsultationNotFound."""
    found = await session.get(Consultation, consultation_id)
    if found is None or not caller.may_see(found.asking_agency_code, found.consulted_agency_code):
        raise ConsultationNotFound(f"No consultation {consultation_id}.")
    return found


async def lock_consultation(session: AsyncSession, consultation_id: UUID) -> Consultation:
    """Return a consultation, locked by its case; raises ConsultationNotFound."""
    on_desk = cases.desk(session).consultations
    if consultation_id in on_desk:
        return on_desk[consultation_id]
    code = await session.scalar(select(Consultation.dossier_code).where(Consultation.id == consultation_id))
    if code is None:
        raise ConsultationNotFound(f"No consultation {consultation_id}.")
    await cases.lock_cases(session, [code])
    found = await session.get(Consultation, consultation_id, populate_existing=True)
    if found is None:
        raise ConsultationNotFound(f"No consultation {consultation_id}.")
    on_desk[consultation_id] = found
    return found


async def list_slips(session: AsyncSession, dossier_code: str) -> Sequence[Slip]:
    """Return the slips issued for a dossier."""
    query = select(Slip).where(Slip.dossier_code == dossier_code).order_by(Slip.issued_at, Slip.form, Slip.nth)
    return (await session.scalars(query)).all()


async def get_slip(session: AsyncSession, dossier_code: str, form: str, nth: int | None) -> Slip:
    """Return a slip of a form, the newest unless one is named; raises SlipNotFound."""
    query = select(Slip).where(Slip.dossier_code == dossier_code, Slip.form == form).order_by(Slip.nth.desc()).limit(1)
    if nth is not None:
        query = query.where(Slip.nth == nth)
    found = await session.scalar(query)
    if found is None:
        raise SlipNotFound(f"No form {form} was issued for {dossier_code}.")
    return found
