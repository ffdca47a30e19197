"""What each event adds to the facts known of a dossier. Pure functions: facts and event in, new facts out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared import log
from shared.events import intake, payment, results, workflow
from shared.events.envelope import Event, EventData

Facts = dict[str, Any]
Fold = Callable[[Facts, Event[Any]], Facts]

SHOWN = frozenset(
    {
        "task_id",
        "fee_id",
        "payment_id",
        "result_id",
        "supplement_id",
        "step_key",
        "step_name",
        "unit",
        "role",
        "official",
        "accepted_by",
        "rejected_by",
        "retracted_by",
        "requested_by",
        "stopped_by",
        "issued_by",
        "returned_by",
        "due_at",
        "previous_due_at",
        "respond_by",
        "on_time",
        "amount_vnd",
        "provider",
        "method",
        "series",
        "number",
        "after",
        "process_code",
        "process_version",
        "channel",
        "service_level",
        "procedure_code",
        "late_entry",
        "content",
        "reason",
        "legal_basis",
        "collected",
        "note",
        "kind_name",
        "tracking_number",
        "because",
        "changed_by",
        "outcome",
        "postal_service",
        "dispatched_by",
        "reissued_by",
        "component_code",
    }
)
"""Fields of an event that the timeline shows; none of them names an applicant or owner."""


def shown(data: EventData) -> Facts:
    """Return what the timeline keeps of an event; numbers that look personal inside free text are masked."""
    values = data.model_dump(mode="json", include=set(SHOWN), exclude_none=True)
    return {name: log.masked(value) if isinstance(value, str) else value for name, value in values.items()}


def happened_at(event: Event[Any]) -> Any:  # noqa: ANN401 - a datetime, whichever field holds it
    """Return when the fact was true, which may lie before the event when it was entered late."""
    for name in _TIMES:
        value = getattr(event.data, name, None)
        if value is not None:
            return value
    return event.time


_TIMES = (
    "submitted_at",
    "accepted_at",
    "rejected_at",
    "requested_at",
    "answered_at",
    "withdrawn_at",
    "retracted_at",
    "started_at",
    "resumed_at",
    "completed_at",
    "paused_at",
    "refused_at",
    "opened_at",
    "claimed_at",
    "released_at",
    "reassigned_at",
    "returned_at",
    "dispatched_at",
    "reissued_at",
    "issued_at",
    "confirmed_at",
    "superseded_at",
    "revoked_at",
    "assessed_at",
    "paid_at",
    "waived_at",
    "reduced_at",
    "cancelled_at",
    "succeeded_at",
    "failed_at",
    "expired_at",
    "sent_at",
    "done_at",
    "calculated_at",
    "skipped_at",
    "asked_at",
    "noticed_at",
    "escalated_at",
    "published_at",
)
"""In the order in which they count: a task that was completed also says when it was opened."""


def _kept(name: str) -> Fold:
    def fold(facts: Facts, event: Event[Any]) -> Facts:
        return facts | {name: event.data.model_dump(mode="json")}

    return fold


def _submitted(facts: Facts, event: Event[intake.DossierSubmitted]) -> Facts:
    return facts | {"submitted": event.data.model_dump(mode="json", exclude={"reuse"})}


def _accepted(facts: Facts, event: Event[intake.DossierAccepted]) -> Facts:
    data = event.data.model_dump(mode="json", exclude={"applicant", "owner", "fees"})
    return facts | {"accepted": data, "due_at": data["due_at"]}


def _asked(facts: Facts, event: Event[Any]) -> Facts:
    data = event.data
    at = data.requested_at if isinstance(data, intake.DossierSupplementRequested) else data.paused_at
    one = {
        "id": str(data.supplement_id),
        "content": data.content,
        "requested_by": data.requested_by,
        "requested_at": at.isoformat(),
        "answered_at": None,
        "documents": [],
        "previous_due_at": facts.get("due_at"),
        "due_at": None,
    }
    return facts | {"supplements": [*facts.get("supplements", []), one]}


def _answered(facts: Facts, event: Event[Any]) -> Facts:
    data = event.data.model_dump(mode="json")
    answer = {name: data[name] for name in ("answered_at", "documents", "received_by")}
    return facts | {
        "supplements": [
            one | answer if one["id"] == data["supplement_id"] else one for one in facts.get("supplements", [])
        ]
    }


def _resumed(facts: Facts, event: Event[workflow.CaseResumed]) -> Facts:
    due = event.data.due_at.isoformat() if event.data.due_at else None
    supplements = facts.get("supplements", [])
    if event.data.after == "supplement" and supplements:
        supplements = [*supplements[:-1], supplements[-1] | {"due_at": due}]
    return facts | {"due_at": due, "supplements": supplements}


def _due_date_changed(facts: Facts, event: Event[workflow.CaseDueDateChanged]) -> Facts:
    return facts | {"due_at": event.data.due_at.isoformat()}


def _fee(change: Mapping[str, Any]) -> Fold:
    def fold(facts: Facts, event: Event[Any]) -> Facts:
        fees = facts.get("fees", {})
        fee_id = str(event.data.fee_id)
        known = fees.get(fee_id, {}) | {"amount_vnd": event.data.amount_vnd, "collected": str(event.data.collected)}
        if isinstance(event.data, payment.FeePaid):
            known |= {"method": event.data.method, "paid_at": event.data.paid_at.isoformat()}
        if isinstance(event.data, payment.FeeAssessed | payment.FeeReduced):
            known |= {"items": [item.model_dump(mode="json") for item in event.data.items]}
        return facts | {"fees": fees | {fee_id: known | dict(change)}}

    return fold


def _issued(facts: Facts, event: Event[results.ResultIssued]) -> Facts:
    data = event.data
    one = {
        "id": str(data.result_id),
        "number": data.number,
        "kind_code": data.kind_code,
        "kind_name": data.kind_name,
        "issued_at": data.issued_at.isoformat(),
        "valid": True,
    }
    return facts | {"results": facts.get("results", {}) | {one["id"]: one}}


def _invalid(facts: Facts, event: Event[Any]) -> Facts:
    known = facts.get("results", {})
    result_id = str(event.data.result_id)
    if result_id not in known:
        return facts
    return facts | {"results": known | {result_id: known[result_id] | {"valid": False}}}


def _reused(facts: Facts, event: Event[results.ReuseConfirmed]) -> Facts:
    """Say of the paper which result stands for it, wherever it was handed in."""
    return _about_paper(facts, str(event.data.document_id), {"reused_result": event.data.number})


def _not_reused(facts: Facts, event: Event[results.ReuseRefused]) -> Facts:
    """Say of the paper that nothing stands for it: the applicant has to hand it in."""
    return _about_paper(facts, str(event.data.document_id), {"refused": True})


def _about_paper(facts: Facts, document_id: str, what: Facts) -> Facts:
    def told(one: Facts) -> Facts:
        papers = [paper | what if paper["id"] == document_id else paper for paper in one["documents"]]
        return one | {"documents": papers}

    return facts | {
        "submitted": told(facts["submitted"]),
        "supplements": [told(one) for one in facts.get("supplements", [])],
    }


_MOMENTS = {
    "accepted": "accepted_at",
    "rejected": "rejected_at",
    "withdrawn": "withdrawn_at",
    "completed": "completed_at",
    "returned": "returned_at",
}


def known_at(facts: Facts, moment: datetime) -> Facts:
    """Return the facts without what was true only after a moment.

    What has no moment of its own (a due date, an owner's name) stays as it is known now.
    """

    def later(text: str | None) -> bool:
        return text is not None and datetime.fromisoformat(text) > moment

    kept = {name: one for name, one in facts.items() if name not in _MOMENTS or not later(one[_MOMENTS[name]])}
    if "accepted" not in kept:
        kept.pop("due_at", None)
    unanswered = {"answered_at": None, "documents": [], "received_by": None, "due_at": None}
    kept["supplements"] = [
        one | (unanswered if later(one["answered_at"]) else {})
        for one in facts.get("supplements", [])
        if not later(one["requested_at"])
    ]
    results_then = facts.get("results", {}).items()
    kept["results"] = {key: one for key, one in results_then if not later(one.get("issued_at"))}
    kept["fees"] = {key: _fee_at(one, later(one.get("paid_at"))) for key, one in facts.get("fees", {}).items()}
    return kept


def _fee_at(fee: Facts, unpaid: bool) -> Facts:  # noqa: FBT001 - what it is about
    return {name: one for name, one in fee.items() if not (unpaid and name in {"method", "paid_at"})}


FOLDS: dict[type[EventData], Fold] = {
    intake.DossierSubmitted: _submitted,
    intake.DossierAccepted: _accepted,
    intake.DossierRejected: _kept("rejected"),
    intake.DossierSupplementRequested: _asked,
    intake.DossierSupplemented: _answered,
    intake.SupplementProvided: _answered,
    intake.DossierWithdrawn: _kept("withdrawn"),
    intake.DossierRetracted: _kept("retracted"),
    workflow.CaseSupplementRequested: _asked,
    workflow.CaseResumed: _resumed,
    workflow.CaseDueDateChanged: _due_date_changed,
    workflow.CaseCompleted: _kept("completed"),
    payment.FeeAssessed: _fee({"status": "due"}),
    payment.FeePaid: _fee({"status": "paid"}),
    payment.FeeWaived: _fee({"status": "waived"}),
    payment.FeeReduced: _fee({"status": "due"}),
    payment.FeeCancelled: _fee({"status": "cancelled"}),
    results.ResultIssued: _issued,
    results.ResultReturned: _kept("returned"),
    results.ResultSuperseded: _invalid,
    results.ResultRevoked: _invalid,
    results.ReuseConfirmed: _reused,
    results.ReuseRefused: _not_reused,
}
"""Events not named here change no fact; they stand in the timeline all the same."""
