"""Systems of others that the gateway deals with: an office behind a data service, a receiver of webhooks."""

from datetime import timedelta
from itertools import count
from typing import Any

import httpx
from starlette.responses import Response

from shared import clock
from tests.browser.house import House
from tests.gateway.data_services.ministry import Ministry, contract
from tests.gateway.hall import Hall
from tests.gateway.receiver import Receiver
from tests.support.assertions import eventually

AT, HOOKS = "/api/v1/data-services", "/api/v1/subscriptions"
SECRET_QUERY = "token=matkhau"
PERSON = "Nguyễn Thị An 056190001234"
_numbers = count(1)


class Office:
    """Offers a data service of its own, fails when it is told to, and keeps the effects of changes by their key."""

    def __init__(self, house: House, hall: Hall, ministry: Ministry) -> None:
        self.house, self.hall, self.ministry = house, hall, ministry
        self.code = f"CSDL_Thu{next(_numbers)}"

    async def open(self, url: str) -> None:
        """Register the service, and wait until it can be called."""
        entry = {"agency": "H32.14", "provider": "Bộ Công an", "name_vi": "Dịch vụ thử", "name_en": "A service"}
        await self._done("PUT", f"{AT}/{self.code}", entry)
        version = {
            "stage": "active",
            "base_url": url,
            "contract": contract("GET /things", "POST /things!"),
            "policy": {"retries": {"attempts_max": 1}, "breaker": {"calls_min": 1000}},
        }
        await self._done("PUT", f"{AT}/{self.code}/-/versions/v1", version)

        async def answers() -> bool:
            return (await self.house.ask("one-stop", "GET", f"{AT}/{self.code}/things")).is_success

        await eventually(answers)
        self.ministry.calls.clear()

    async def close(self) -> None:
        """Forget what failed, so that no other test sees it."""
        for table in ("data_service_rerun", "data_service_call", "data_service_failure"):
            await self.hall.rows(f"DELETE FROM {table} WHERE service = :code", code=self.code)

    async def fail(self, *keys: str) -> None:
        """Let calls with these keys fail, and wait until they are kept."""
        self.ministry.script = [Response(status_code=500) for _ in keys]
        for key in keys:
            headers = {"Idempotency-Key": key, "X-Correlation-Id": f"{self.code}-{key}"}
            path = f"{AT}/{self.code}/things"
            await self.house.ask("one-stop", "POST", path, json={"name": PERSON, "key": key}, headers=headers)

        async def kept() -> bool:
            return len(await self.kept()) >= len(keys)

        await eventually(kept)
        self.ministry.calls.clear()

    async def close_for_repairs(self) -> None:
        """Announce that it is not to be called for the next hour, and wait until the gateway knows."""
        now = clock.now()
        window = {
            "starts_at": (now - timedelta(minutes=1)).isoformat(),
            "ends_at": (now + timedelta(hours=1)).isoformat(),
            "reason_vi": "Bảo trì",
            "reason_en": "Maintenance",
        }
        await self._done("POST", f"{AT}/{self.code}/-/windows", window)

        async def known() -> bool:
            return (await self.house.ask("one-stop", "GET", f"{AT}/{self.code}/things")).status_code == 503

        await eventually(known)

    async def _done(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        answer = await self.house.ask("ops", method, path, json=body)
        assert answer.is_success, answer.text
        return answer

    async def kept(self) -> list[str]:
        """Return the correlation ids of the calls that can be sent again."""
        rows = await self.hall.rows(
            "SELECT correlation_id FROM data_service_call WHERE service = :code AND sealed IS NOT NULL ORDER BY 1",
            code=self.code,
        )
        return [row["correlation_id"].removeprefix(f"{self.code}-") for row in rows]

    async def reruns(self) -> list[tuple[str, list[str | None]]]:
        """Return the stage of each re-run, the first one first, with what came of its calls in order."""
        rows = await self.hall.rows(
            """SELECT r.stage, array_agg(c.outcome ORDER BY c.nth) AS outcomes FROM data_service_rerun r
               JOIN data_service_rerun_call c ON c.rerun_id = r.id WHERE r.service = :code
               GROUP BY r.id ORDER BY r.asked_at""",
            code=self.code,
        )
        return [(row["stage"], row["outcomes"]) for row in rows]

    def keys_heard(self) -> list[str | None]:
        """Return the Idempotency-Keys of the calls that arrived since, in order."""
        return [call.one("idempotency-key") for call in self.ministry.calls]


class Subscriber:
    """Subscribes to changes, and hears of them."""

    def __init__(self, house: House, hall: Hall, receiver: Receiver) -> None:
        self.house, self.hall, self.receiver = house, hall, receiver
        self.ids: list[str] = []
        self.secrets: list[str] = []

    async def subscribe(self, path: str, **wish: Any) -> str:
        """Subscribe an address below the receiver's; its query may hold a secret. Return the subscription's id."""
        body = {"url": f"{self.receiver.url}{path}?{SECRET_QUERY}", "event_types": ["intake.dossier.*"], **wish}
        answer = await self.house.ask("ops", "POST", HOOKS, json=body)
        assert answer.status_code == 201, answer.text
        self.ids.append(answer.json()["id"])
        self.secrets.append(answer.json()["secret"])
        return self.ids[-1]

    async def leave(self) -> None:
        """End all subscriptions."""
        for one in self.ids:
            await self.house.ask("ops", "DELETE", f"{HOOKS}/{one}")

    async def row(self, subscription: str) -> dict[str, Any]:
        """Return what the database has of a subscription."""
        (row,) = await self.hall.rows("SELECT * FROM subscription WHERE id = :id", id=subscription)
        return dict(row)

    async def messages(self, subscription: str) -> list[tuple[str | None, int]]:
        """Return outcome and attempts of each message, the first one first."""
        rows = await self.hall.rows(
            "SELECT outcome, attempts FROM delivery WHERE subscription_id = :id ORDER BY nth", id=subscription
        )
        return [(row["outcome"], row["attempts"]) for row in rows]

    async def settled(self, subscription: str, *expected: tuple[str | None, int]) -> None:
        """Wait until the messages are as expected."""

        async def so() -> bool:
            return await self.messages(subscription) == list(expected)

        await eventually(so)
