"""Figures of the door: calls by service, client and day, with what every ratio is made of."""

from typing import Any

import pytest

from gateway.errors import WindowTooLong
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem, eventually

PATH = "/api/v1/statistics/transactions"


class TestTransactions:
    """What an LGSP reports: volume and success rate."""

    @pytest.mark.usefixtures("backstage")
    async def test_are_counted_by_service_and_client(self, visitor: Visitor) -> None:
        await visitor.post("/api/v1/dossiers")
        await visitor.post("/api/v1/dossiers", who="one-stop-h32.14")
        await visitor.http.get("/api/v1/dossiers")

        async def answer() -> dict[str, Any]:
            found = (await visitor.get(f"{PATH}?service=intake", who="ops")).json()
            return found if found["calls"] == 3 else {}

        found = await eventually(answer)
        assert (found["succeeded"], found["success_rate"]) == (3, 1.0)
        rows = {(day["service"], day["client_id"]): (day["calls"], day["refused"]) for day in found["days"]}
        assert rows == {
            ("intake", "one-stop"): (1, 0),
            ("intake", "one-stop-h32.14"): (1, 0),
            ("intake", "anonymous"): (1, 1),
        }

    @pytest.mark.usefixtures("house")
    async def test_of_nothing_have_no_rate(self, visitor: Visitor) -> None:
        found = (await visitor.get(f"{PATH}?service=none", who="ops")).json()
        assert (found["calls"], found["success_rate"], found["days"]) == (0, None, [])

    @pytest.mark.parametrize("window", ["since=2026-02-01&until=2026-01-01", "since=2020-01-01&until=2026-01-01"])
    async def test_refuse_a_window_that_is_none(self, visitor: Visitor, window: str) -> None:
        assert_problem(await visitor.get(f"{PATH}?{window}", who="ops"), WindowTooLong)

    async def test_are_for_ops_alone(self, visitor: Visitor) -> None:
        assert (await visitor.get(PATH, who="statistics")).status_code == 403
