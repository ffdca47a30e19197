"""The lives of cases and tasks: which moves there are, and that there are no others."""

from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from services.workflow.states import CASE, CONSULTATION, TASK, CaseStatus, ConsultationStatus, TaskStatus
from shared.errors import IllegalMove
from shared.states import Lifecycle

CASE_MOVES = {
    (None, "start"): "running",
    ("running", "request_supplement"): "awaiting_supplement",
    ("awaiting_supplement", "take_supplement"): "running",
    ("running", "await_payment"): "awaiting_payment",
    ("awaiting_payment", "take_payment"): "running",
    ("running", "stop"): "stopped",
    ("stopped", "resume"): "running",
    ("running", "complete"): "completed",
    ("running", "withdraw"): "withdrawn",
    ("awaiting_supplement", "withdraw"): "withdrawn",
    ("awaiting_payment", "withdraw"): "withdrawn",
}
TASK_MOVES = {
    (None, "plan"): "waiting",
    ("waiting", "open"): "open",
    ("waiting", "skip"): "skipped",
    ("open", "skip"): "skipped",
    ("claimed", "skip"): "skipped",
    ("returned", "skip"): "skipped",
    ("skipped", "plan"): "waiting",
    ("open", "claim"): "claimed",
    ("claimed", "release"): "open",
    ("claimed", "reassign"): "claimed",
    ("claimed", "complete"): "done",
    ("claimed", "return"): "returned",
    ("returned", "open"): "open",
    ("done", "reopen"): "open",
    ("waiting", "cancel"): "cancelled",
    ("open", "cancel"): "cancelled",
    ("claimed", "cancel"): "cancelled",
    ("returned", "cancel"): "cancelled",
}
CONSULTATION_MOVES = {
    (None, "ask"): "asked",
    ("asked", "lapse"): "late",
    ("asked", "answer"): "answered",
    ("late", "answer"): "answered",
    ("asked", "waive"): "waived",
    ("late", "waive"): "waived",
    ("asked", "cancel"): "cancelled",
    ("late", "cancel"): "cancelled",
}


def every_pair() -> list[Any]:
    """Return each lifecycle with each status and each action, and where that leads if anywhere."""
    lives: list[tuple[Lifecycle[Any], type[StrEnum], dict[Any, str]]] = [
        (CASE, CaseStatus, CASE_MOVES),
        (TASK, TaskStatus, TASK_MOVES),
        (CONSULTATION, ConsultationStatus, CONSULTATION_MOVES),
    ]
    return [
        pytest.param(life, status, action, moves.get((status, action)), id=f"{life.name}-{status or 'new'}-{action}")
        for life, statuses, moves in lives
        for status, action in product([None, *statuses], sorted({action for _, action in moves}))
    ]


@pytest.mark.parametrize(("life", "status", "action", "end"), every_pair())
def test_every_status_and_action(life: Lifecycle[Any], status: Any, action: str, end: str | None) -> None:
    if end is not None:
        assert life.edge(status, action).end == end
        return
    with pytest.raises(IllegalMove) as refused:
        life.edge(status, action)
    assert refused.value.facts["status_now"] == status


def test_nothing_leaves_an_ended_case() -> None:
    assert CASE.terminal == {CaseStatus.COMPLETED, CaseStatus.WITHDRAWN}
    assert TASK.terminal == {TaskStatus.CANCELLED}
