"""Lifecycles: tables of edges that refuse what they do not hold."""

import re
from enum import StrEnum

import pytest

from shared.errors import IllegalMove
from shared.states import Edge, Lifecycle
from tests.support.toy import COUNTER, Filled, Grown, Phase

LEGAL = {(edge.start, edge.action): edge.end for edge in COUNTER.edges}
ACTIONS = sorted({edge.action for edge in COUNTER.edges})


class TestEdge:
    """Every pair of status and action, legal or not."""

    @pytest.mark.parametrize("start", [None, *Phase])
    @pytest.mark.parametrize("action", [*ACTIONS, "burn"])
    def test_leads_only_where_the_table_says(self, start: Phase | None, action: str) -> None:
        if (start, action) in LEGAL:
            assert COUNTER.edge(start, action).end == LEGAL[start, action]
            return
        with pytest.raises(IllegalMove) as refusal:
            COUNTER.edge(start, action)
        assert refusal.value.facts == {"subject": "counter", "status_now": start, "action": action}

    def test_refusal_names_what_would_be_possible(self) -> None:
        with pytest.raises(IllegalMove, match=re.escape("is live cannot create; possible: grow, fill.")):
            COUNTER.edge(Phase.LIVE, "create")
        with pytest.raises(IllegalMove, match="possible: nothing"):
            COUNTER.edge(Phase.FULL, "grow")
        with pytest.raises(IllegalMove, match="not created cannot grow"):
            COUNTER.edge(None, "grow")


class TestLifecycle:
    """What a table of edges refuses when it is made, and what is read off it."""

    def test_refuses_two_edges_for_one_action(self) -> None:
        with pytest.raises(ValueError, match="two edges share a status and an action"):
            Lifecycle("counter", Phase, [*COUNTER.edges, Edge("grow", Phase.LIVE, Phase.FULL, Filled)])

    def test_refuses_a_status_that_nothing_reaches(self) -> None:
        with pytest.raises(ValueError, match=r"unreachable.*full"):
            Lifecycle("counter", Phase, [edge for edge in COUNTER.edges if edge.end is not Phase.FULL])

    def test_refuses_an_island(self) -> None:
        """Two statuses that reach each other, but that nothing leads to from the beginning."""

        class Place(StrEnum):
            HOME = "home"
            ATOLL = "atoll"
            REEF = "reef"

        edges = [
            Edge("settle", None, Place.HOME, Grown),
            Edge("row", Place.ATOLL, Place.REEF, Grown),
            Edge("row", Place.REEF, Place.ATOLL, Grown),
        ]
        with pytest.raises(ValueError, match=r"unreachable.*atoll.*reef"):
            Lifecycle("place", Place, edges)

    def test_knows_where_it_ends(self) -> None:
        assert COUNTER.terminal == {Phase.FULL}
        assert COUNTER.actions(Phase.LIVE) == ["grow", "fill"]

    def test_draws_every_edge(self) -> None:
        assert COUNTER.mermaid().splitlines() == [
            "stateDiagram-v2",
            "    [*] --> live: create",
            "    live --> live: grow",
            "    live --> full: fill",
            "    full --> [*]",
        ]
