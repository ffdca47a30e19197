"""The mocked portal's control room: let it misbehave, let a payer pay, ask what it was told."""

from collections.abc import Sequence
from typing import Any

import httpx

MISBEHAVIOUR: Sequence[dict[str, Any]] = (
    {"service": "DongBoHoSoMC", "kind": "timeout_after_effect", "rate": 0.15, "delay_s": 3, "seed": 1},
    {"service": "DongBoHoSoMC", "kind": "error_500", "rate": 0.1, "seed": 2},
    {"service": "DongBoHoSoMC", "kind": "garbage_200", "rate": 0.1, "seed": 3},
    {"service": "DongBoHoSoMC", "kind": "expired_session", "rate": 0.1, "seed": 4},
    {"service": "DongBoHoSoMC", "kind": "already_exists", "rate": 0.02, "seed": 5},
    {"service": "DongBoHoSoMC", "kind": "refuse", "rate": 0.02, "seed": 6},
    {"service": "CapNhatTienDoHoSoMC", "kind": "error_code", "rate": 0.1, "seed": 7},
    {"service": "CapNhatTienDoHoSoMC", "kind": "timeout_after_effect", "rate": 0.1, "delay_s": 3, "seed": 8},
    {"service": "*", "kind": "quirky_codes", "rate": 0.5, "seed": 9},
    {"service": "CONFIRM", "kind": "duplicate_callback", "rate": 0.3, "seed": 10},
    {"service": "INIT", "kind": "timeout_after_effect", "rate": 0.05, "delay_s": 3, "seed": 11},
)
OUTAGE: Sequence[dict[str, Any]] = ({"service": "*", "kind": "down"},)


class ControlRoom:
    """The portal as the demo sees it; no part of any wire."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def misbehave(self, faults: Sequence[dict[str, Any]]) -> list[int]:
        """Order faults; return their ids."""
        return [(await self._post("/_control/faults", fault))["id"] for fault in faults]

    async def behave(self) -> int:
        """End every fault; return how often they fired."""
        standing = (await self._get("/_control/faults"))["faults"]
        (await self.http.delete("/_control/faults")).raise_for_status()
        return sum(fault["fired"] for fault in standing)

    async def pay(self, reference: str, **order: Any) -> dict[str, Any]:  # noqa: ANN401 - words of the order
        """Let the payer of a reference pay."""
        return await self._post(f"/_control/payments/{reference}/pay", order)

    async def pay_owed(self, code: str, **order: Any) -> dict[str, Any]:  # noqa: ANN401 - words of the order
        """Let a payer ask on the portal what a dossier has to pay, and pay it; return both answers."""
        return await self._post(f"/_control/dossiers/{code}/pay", order)

    async def submit(self, hoso: dict[str, Any]) -> dict[str, Any]:
        """Let a citizen submit on the portal; return the gateway's answer."""
        return await self._post("/_control/submit", hoso)

    async def statuses(self) -> dict[str, list[int]]:
        """Return what the portal was told: statuses in order, by dossier."""
        found = await self._get("/_control/statuses")
        return {code: [int(status) for status in statuses] for code, statuses in found.items()}

    async def summary(self) -> dict[str, Any]:
        """Return counts of duplicates, violations, disorder."""
        return await self._get("/_control/summary")

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self.http.get(path)
        answer.raise_for_status()
        return answer.json()

    async def _post(self, path: str, body: object) -> dict[str, Any]:
        answer = await self.http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()
