"""The bodies of calls about delegations, officials, consultations, notices and slips."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from services.workflow.schemas.cases import Body, Official, Reason, View
from services.workflow.states import ConsultationStatus

Code = Annotated[str, Field(min_length=1, max_length=200, examples=["H32.15"])]
Opinion = Literal["agree", "disagree", "other"]


class DelegateRequest(Body):
    """Who stands in for whom, from when to when, for what."""

    agency_code: Code
    """The agency of the official who is away; the delegation holds for its tasks and for those of agencies below it."""
    delegator: Official
    official: Official | None = None
    """Who acts instead; or name a unit."""
    unit: Code | None = None
    """Whose officials act instead; it must be on the agency's roster."""
    units: Annotated[list[Code], Field(min_length=1, max_length=50)] | None = None
    """Only tasks of these units; all when left out."""
    procedures: Annotated[list[Code], Field(min_length=1, max_length=200)] | None = None
    """Only cases of these procedures; all when left out."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: Reason
    made_by: Official


class EndDelegationRequest(Body):
    """Who ends it early, and why."""

    ended_by: Official
    reason: Reason


class DelegationView(View):
    """A delegation; whoever acts under it is recorded with the official they act for."""

    id: UUID
    agency_code: str
    delegator: str
    delegate: str | None
    delegate_unit: str | None
    units: list[str] | None
    procedures: list[str] | None
    starts_at: datetime
    ends_at: datetime
    """From then on it no longer holds."""
    reason: str
    made_by: str
    made_at: datetime
    ended_by: str | None
    """Who ended it early."""
    end_reason: str | None


class DelegationList(View):
    """Delegations, the newest first."""

    items: list[DelegationView]


class AssignmentView(View):
    """A role that an official holds in a unit for some time."""

    agency_code: str
    unit_code: str
    role: str
    valid_from: date
    valid_to: date | None
    """The last day; null: open."""


class OfficialView(View):
    """An official on the roster."""

    username: str
    name: str
    agency_code: str
    active: bool
    source: Literal["import", "directory"]
    changed_at: datetime
    deactivated_at: datetime | None


class OfficialDetail(OfficialView):
    """An official with what they hold and held."""

    assignments: list[AssignmentView]


class OfficialPage(View):
    """A part of a list of officials."""

    items: list[OfficialView]
    next_cursor: str | None


class DocumentShown(Body):
    """A paper that the asker shows to those asked."""

    id: UUID
    name: Annotated[str, Field(min_length=1, max_length=500)]


class ConsultRequest(Body):
    """What is asked of which agencies, until when."""

    agencies: Annotated[list[Code], Field(min_length=1, max_length=30, examples=[["H32.15", "H32.16"]])]
    question: Annotated[str, Field(min_length=3, max_length=5_000)]
    documents: Annotated[list[DocumentShown], Field(max_length=50)] = Field(default_factory=list)
    respond_by: AwareDatetime
    official: Official


class AnswerRequest(Body):
    """What the agency that was asked says."""

    opinion: Opinion
    text: Annotated[str, Field(min_length=1, max_length=5_000)]
    official: Official


class WaiveRequest(Body):
    """Why the step goes on without the answer."""

    reason: Reason
    official: Official


class ConsultationView(View):
    """A question to an agency: all that the agency that was asked sees of the case."""

    id: UUID
    dossier_code: str
    procedure_code: str
    asking_agency_code: str
    consulted_agency_code: str
    status: ConsultationStatus
    question: str
    documents: list[DocumentShown]
    asked_by: str
    asked_at: datetime
    respond_by: datetime
    opinion: Opinion | None
    answer: str | None
    closed_by: str | None
    """Who answered or waived."""
    closed_at: datetime | None
    waive_reason: str | None


class ConsultationList(View):
    """Questions to agencies in the order asked."""

    items: list[ConsultationView]


class ConsultationPage(ConsultationList):
    """A part of what awaits an answer."""

    next_cursor: str | None


class ExtendRequest(Body):
    """The later date, and why; the apology letter (form 04) says both."""

    due_at: AwareDatetime
    reason: Reason
    official: Official


class NoticeView(View):
    """Somebody was told, once, that a date nears or was missed."""

    id: UUID
    level: str = Field(validation_alias="level_key")
    addressee: Literal["official", "unit", "agency"]
    dossier_code: str
    task_id: UUID | None
    """Null when it is about the case as a whole."""
    agency_code: str
    unit: str | None
    official: str | None
    due_at: datetime
    told_at: datetime


class NoticePage(View):
    """A part of the notices, the oldest first."""

    items: list[NoticeView]
    next_cursor: str | None


class SlipView(View):
    """A form that was issued; print it from /cases/{code}/slips/{form}?nth=."""

    form: str
    nth: int
    issued_at: datetime
    issued_by: str


class SlipList(View):
    """Forms issued for a dossier, in order."""

    items: list[SlipView]
