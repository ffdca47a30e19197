"""Figures of the door: calls by service, client and day, with what every ratio is made of."""

import asyncio
import csv
import io
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.errors import WindowTooLong
from tests.gateway.conftest import SECRET, settings_of
from tests.gateway.hall import Hall
from tests.gateway.process import GatewayProcess
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem, eventually
from tests.support.servers import Databases

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

    async def test_are_summed_by_month_and_year_with_the_causes_of_failures(
        self, visitor: Visitor, house: Hall
    ) -> None:
        """What an LGSP reports: by service and client in a day, month or year; what failed, by status."""
        await house.rows(
            "INSERT INTO transaction_day SELECT d, 'data:DKDN', 'tax', 10, 2, 1, 100, 200, 5000"
            " FROM unnest(ARRAY['2025-11-30', '2025-12-01', '2025-12-31', '2026-01-01']::date[]) AS d"
        )
        await house.rows(
            "INSERT INTO transaction_cause SELECT d, 'data:DKDN', 'tax', s, 1"
            " FROM unnest(ARRAY['2025-12-01', '2025-12-31']::date[]) AS d, unnest(ARRAY[504, 0, 429]) AS s"
        )
        window = "since=2025-01-01&until=2026-12-31&service=data:DKDN"
        months = (await visitor.get(f"{PATH}?{window}&by=month", who="ops")).json()
        assert [(one["day"], one["calls"], one["failed"]) for one in months["days"]] == [
            ("2026-01-01", 10, 1),
            ("2025-12-01", 20, 2),
            ("2025-11-01", 10, 1),
        ]
        assert (months["calls"], months["succeeded"], months["success_rate"]) == (40, 36, 0.9)
        assert [(one["status"], one["kind"], one["calls"]) for one in months["causes"]] == [
            (0, "failed", 2),
            (429, "refused", 2),
            (504, "failed", 2),
        ]
        years = (await visitor.get(f"{PATH}?{window}&by=year", who="ops")).json()
        assert [(one["day"], one["calls"]) for one in years["days"]] == [("2026-01-01", 10), ("2025-01-01", 30)]

    async def test_come_as_a_table_for_spreadsheets(self, visitor: Visitor, house: Hall) -> None:
        await house.rows("INSERT INTO transaction_day VALUES ('2025-12-01', '=1+1', 'tax', 4, 0, 1, 1, 1, 8000)")
        window = "since=2025-12-01&until=2025-12-02"
        answer = await visitor.get(f"{PATH}?{window}", who="ops", headers={"accept": "text/csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (row["day"], row["service"], row["client_id"]) == ("2025-12-01", "'=1+1", "tax")
        assert (row["calls"], row["failed"], row["success_rate"]) == ("4", "1", "0.75")

    @pytest.mark.usefixtures("house")
    async def test_of_nothing_have_no_rate(self, visitor: Visitor) -> None:
        found = (await visitor.get(f"{PATH}?service=none", who="ops")).json()
        assert (found["calls"], found["success_rate"], found["days"]) == (0, None, [])

    @pytest.mark.parametrize("window", ["since=2026-02-01&until=2026-01-01", "since=2020-01-01&until=2026-01-01"])
    async def test_refuse_a_window_that_is_none(self, visitor: Visitor, window: str) -> None:
        assert_problem(await visitor.get(f"{PATH}?{window}", who="ops"), WindowTooLong)

    async def test_are_for_ops_alone(self, visitor: Visitor) -> None:
        assert (await visitor.get(PATH, who="statistics")).status_code == 403


class TestTurnedAway:
    """No log has them: they were refused before they were anybody's call."""

    async def test_are_counted_by_reason_also_when_the_process_ends(
        self, databases: Databases, gateway_template: str, gateway_files: dict[str, str], tmp_path: Path
    ) -> None:
        url = await databases.create_database(template=gateway_template)
        settings = settings_of(url, "http://127.0.0.1:9", gateway_files)
        with GatewayProcess(tmp_path, settings) as process:
            assert await self.turned_away(process) == {}
            async with httpx.AsyncClient(base_url=process.url) as http:
                for _ in range(3):
                    assert (await http.post("/api/v1/dossiers", content=b"x" * 200_000)).status_code == 413
            await self.say_nonsense(process.port)
            expected = {"body_too_large": 3, "malformed_request": 1}
            await eventually(lambda: self.is_told(process, expected))
            await self.say_nonsense(process.port)
            process.kill(signal.SIGTERM)
            async with asyncio.timeout(30):
                while process.exit_code is None:
                    await asyncio.sleep(0.05)
            process.start()
            assert await self.turned_away(process) == expected | {"malformed_request": 2}
        await databases.drop_database(url.rpartition("/")[2])

    async def is_told(self, process: GatewayProcess, expected: dict[str, int]) -> bool:
        return await self.turned_away(process) == expected

    async def turned_away(self, process: GatewayProcess) -> dict[str, int]:
        async with httpx.AsyncClient(base_url=process.url, timeout=30) as http:
            found = (await Visitor(FastAPI(), http, SECRET).get(f"{PATH}?service=intake", who="ops")).json()
        assert found["calls"] == 0
        return {one["reason"]: one["requests"] for one in found["turned_away"]}

    async def say_nonsense(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
