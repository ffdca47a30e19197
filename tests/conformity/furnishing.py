"""Puts into a new gateway one of everything, so that schemathesis finds something behind each path."""

import asyncio
import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from joserfc.jwk import ECKey

from shared import clock
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, returned
from tests.gateway.test_edocs import envelope

API = "/api/v1"
PARTNER, SERVICE, VERSION = "partner", "CSDL_Thu", "v1"
NOWHERE = "http://127.0.0.1:1/hook"
HELD_BACK = "H32.14-260407-0999"
WORDS = {"reason_vi": "Bảo trì định kỳ", "reason_en": "Regular maintenance"}
NAMES = {"agency": "H32.14", "provider": "Bộ Công an", "name_vi": "Dân cư", "name_en": "Population"}
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/things": {"get": {"responses": {}}}},
}
Known = dict[str, list[str]]


class Furnisher:
    """A client with every right, by which a gateway gets what it is asked about."""

    def __init__(self, http: httpx.AsyncClient, hall: Hall) -> None:
        self._http, self._hall = http, hall

    async def furnish(self) -> Known:
        """Make one of everything; return the values of parameters of paths that lead there.

        A name alone stands for every path, one with a part of the path for those that hold it.
        """
        found = {"service": ["intake"], "rest": ["bus"], "subject": [HELD_BACK]}
        for more in (self._clients, self._data_services, self._documents, self._changes, self._portal):
            found |= await more()
        return found

    async def _clients(self) -> Known:
        client = {"client_id": PARTNER, "name": "Hệ thống đối tác", "agency": "H32", "scopes": ["dossiers:read"]}
        await self._send("POST", "/clients", client)
        at = f"/clients/{PARTNER}"
        secret = await self._send("POST", f"{at}/secrets", {})
        key = await self._send("POST", f"{at}/keys", {"jwk": ECKey.generate_key("P-256").as_dict(private=False)})
        return {"client_id": [PARTNER], "credential_id": [secret["id"]], "key_id": [key["id"]]}

    async def _data_services(self) -> Known:
        at = f"/data-services/{SERVICE}"
        await self._send("PUT", at, NAMES)
        version = {"stage": "active", "base_url": "http://127.0.0.1:1", "contract": CONTRACT}
        await self._send("PUT", f"{at}/-/versions/{VERSION}", version)
        since = clock.now() + timedelta(days=1)
        times = {"starts_at": since.isoformat(), "ends_at": (since + timedelta(hours=1)).isoformat()}
        window = await self._send("POST", f"{at}/-/windows", {**times, **WORDS})
        return {"data-services/{code}": [SERVICE], "version": [VERSION], "window_id": [window["id"]]}

    async def _documents(self) -> Known:
        for agency in ("H32.14", "H32.15"):
            body = {"code": agency, "name": f"UBND {agency}"}
            await self._send("POST", "/data-services/edocs/agencies", body)
        content = base64.b64encode(envelope(sender="H32.14", to=("H32.15",))).decode()
        sent = await self._send("POST", "/data-services/edocs/documents", {"type": "edoc", "data": content})
        return {"doc_id": [sent["docId"]], "edocs/agencies/{code}": ["H32.15"]}

    async def _changes(self) -> Known:
        """Make a dossier, one that waits for what came before, and a subscription that was to hear of it."""
        one = await self._send("POST", "/subscriptions", {"url": NOWHERE})
        life = returned(Life())
        await self._hall.take(life.events)
        await self._hall.take(returned(Life(code=HELD_BACK)).events[2:3])
        at = f"/subscriptions/{one['id']}"
        items: list[Any] = []
        async with asyncio.timeout(30):
            while not items:
                await asyncio.sleep(0.05)
                items = (await self._send("GET", f"{at}/deliveries"))["items"]
        return {"code": [life.code], "subscription_id": [one["id"]], "message_id": [items[0]["id"]]}

    async def _portal(self) -> Known:
        run = await self._send("POST", "/ops/portal/reconciliations")
        pull = await self._send("POST", "/portal/catalogue/pulls", {})
        rows = await self._hall.rows(
            "INSERT INTO portal_difference (dossier_code, agency_code, kind, state, ours, theirs, found_at, seen_at)"
            " SELECT code, agency_code, 'status_differs', 'open', '{}', '{}', now(), now() FROM dossier_view"
            " RETURNING id"
        )
        diffs = await self._hall.rows(
            "INSERT INTO catalogue_diff (pull_id, code, kind, fields, found_at, state)"
            " VALUES (:pull, '1.000656', 'ended', '[]', now(), 'open') RETURNING id",
            pull=pull["id"],
        )
        numbers = {"difference_id": rows, "diff_id": diffs}
        found = {name: [str(row["id"]) for row in some] for name, some in numbers.items()}
        return found | {"run_id": [str(run["id"])], "pull_id": [pull["id"]]}

    async def _send(self, method: str, path: str, body: Any = None) -> Any:
        key = {"Idempotency-Key": str(uuid4())}
        answer = await self._http.request(method, API + path, json=body, headers=key)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()
