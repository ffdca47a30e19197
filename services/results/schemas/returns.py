"""What handing a result over takes and gives."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from services.results.schemas.archive import Given, Name, ResultOut, Taken, Text, Tracking
from services.results.states import IdentityDocument, Outcome, PostalService, Relation, SignaturePolicy
from shared.events.values import ReturnMethod

DocumentNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{4,20}$")]


class ReceiverIn(Taken):
    """Who stood at the counter, and how the official knew."""

    name: Name
    relation: Relation = Relation.OWNER
    document_kind: IdentityDocument = IdentityDocument.CCCD
    document_number: DocumentNumber = Field(examples=["0001"])
    """The whole number, or its last digits (at least four); only the last four and a hash are kept."""
    checked_by: Name
    """The official who looked at the document."""


class ReturnResult(Taken):
    """How and by whom a result is handed over."""

    method: ReturnMethod
    returned_by: Name
    """The official at the counter, or who put it online or into the post."""
    receiver: ReceiverIn | None = None
    """Needed when method is counter."""
    tracking_number: Tracking | None = Field(default=None, examples=["EB123456789VN"])
    """The post's number; needed when method is postal."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.method is ReturnMethod.POSTAL and self.tracking_number is None:
            raise ValueError("tracking_number is needed when method is postal")
        if self.method is ReturnMethod.COUNTER and self.receiver is None:
            raise ValueError("receiver is needed when method is counter: who it was and how you know")
        return self


class ReissueResult(ReturnResult):
    """How a result is handed over once more, and why."""

    reason: Text


class Delivered(Taken):
    """The post's word that the owner has it."""

    delivered_at: AwareDatetime | None = None
    """When; now, unless given."""


class DeliveryFailedIn(Taken):
    """Why the post brought it back."""

    reason: Text = Field(examples=["Không gặp người nhận sau ba lần phát"])
    failed_at: AwareDatetime | None = None


class HandOverOut(Given):
    """One way of a result to its owner."""

    id: UUID
    nth: int
    reissue: bool
    reason: str | None
    method: ReturnMethod
    outcome: Outcome
    started_at: datetime
    started_by: str
    concluded_at: datetime | None
    receiver_name: str | None
    receiver_relation: Relation | None
    document_kind: IdentityDocument | None
    document_last_digits: str | None
    checked_by: str | None
    postal_service: PostalService | None
    """two_way where the post had brought the dossier, too."""
    tracking_number: str | None
    failure: str | None
    grant_until: datetime | None
    downloads: int
    downloaded_at: datetime | None


class HandedOut(ResultOut):
    """A result with what its owner needs to get it."""

    grant: str | None
    """By which the owner downloads it (GET /granted with header X-Grant); told this once, with method online."""
    grant_until: datetime | None


class HandOvers(Given):
    """Every way of a result to its owner, oldest first."""

    items: list[HandOverOut]


class KindPolicyIn(Taken):
    """Which signatures a kind needs, and why."""

    digital: SignaturePolicy
    """Of documents that were born digital."""
    paper: SignaturePolicy
    """Of scans of papers, where the signature certifies the copy."""
    reason: Text = Field(examples=["Nghị định 45/2020/NĐ-CP: bản sao số hóa phải được ký số chứng thực"])
    decided_by: Name


class KindPolicyOut(Given):
    """Which signatures a kind needs, by whose decision."""

    kind_code: str
    digital: SignaturePolicy
    paper: SignaturePolicy
    reason: str
    decided_by: str
    decided_at: datetime


class KindPolicyDefault(Given):
    """Which signatures a kind needs that has no rule of its own: those of the setting."""

    kind_code: str
    digital: SignaturePolicy
    paper: SignaturePolicy
