"""The lifecycles: every pair of status and action, by the table written here once more."""

from itertools import product

import pytest

from services.payment.states import FEE, PAYMENT, REFUND
from shared.errors import IllegalMove
from shared.states import Lifecycle

LEGAL: dict[str, dict[tuple[str | None, str], str]] = {
    "fee": {
        (None, "assess"): "due",
        ("due", "settle"): "paid",
        ("due", "waive"): "waived",
        ("due", "reduce"): "due",
        ("due", "cancel"): "cancelled",
    },
    "payment": {
        (None, "open"): "initiated",
        ("initiated", "receive"): "succeeded",
        ("failed", "receive"): "succeeded",
        ("expired", "receive"): "succeeded",
        ("succeeded", "receive"): "succeeded",
        ("initiated", "fail"): "failed",
        ("initiated", "expire"): "expired",
    },
    "refund": {
        (None, "request"): "requested",
        ("requested", "send"): "sent",
        ("failed", "send"): "sent",
        ("sent", "finish"): "done",
        ("sent", "fail"): "failed",
        ("done", "fail"): "failed",
    },
}
PAIRS = [
    pytest.param(lifecycle, start, action, id=f"{lifecycle.name}-{start}-{action}")
    for lifecycle in (FEE, PAYMENT, REFUND)
    for start, action in product([None, *lifecycle.statuses], sorted({edge.action for edge in lifecycle.edges}))
]


@pytest.mark.parametrize(("lifecycle", "start", "action"), PAIRS)
def test_only_the_edges_that_are_meant_exist(lifecycle: Lifecycle, start: str | None, action: str) -> None:
    meant = LEGAL[lifecycle.name].get((start, action))
    if meant is None:
        with pytest.raises(IllegalMove):
            lifecycle.edge(start, action)
    else:
        assert lifecycle.edge(start, action).end == meant


@pytest.mark.parametrize("lifecycle", [FEE, PAYMENT, REFUND])
def test_every_edge_tells_an_event_of_its_own_noun(lifecycle: Lifecycle) -> None:
    assert {edge.emits.event_type.split(".")[1] for edge in lifecycle.edges} == {lifecycle.name}
