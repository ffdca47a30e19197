"""Things of one agency at the gateway: clients, webhooks, data services, electronic documents, the portal's word."""

import base64
from typing import Any

import httpx
from joserfc.jwk import ECKey

from gateway.models import (
    DataServiceCall,
    DataServiceFailure,
    DataServiceRerun,
    DataServiceRerunCall,
    PortalDifference,
)
from shared import clock
from shared.ids import new_id
from tests.gateway.data_services.ministry import contract
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, returned
from tests.gateway.test_edocs import envelope
from tests.rights.house import OWNER, House
from tests.rights.nouns import Seeds, calling, in_days, made, put

CLIENTS, HOOKS, SERVICES = "/api/v1/clients", "/api/v1/subscriptions", "/api/v1/data-services"
EDOCS = f"{SERVICES}/edocs"
CODE = "CSDL.Rieng"
"""Of a data service that the owner answers for, and whose client alone may call it."""
NOWHERE = "http://127.0.0.1:1"


class Owner:
    """The owner's client at the gateway's door."""

    def __init__(self, house: House, client: httpx.AsyncClient) -> None:
        self.house, self.client = house, client

    async def send(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Make something; return it."""
        return made(await self.client.request(method, path, json=body, headers=self.house.headers(agency=OWNER)))


async def sow_gateway(house: House, seeds: Seeds) -> None:
    """Make one of everything that the gateway keeps."""
    async with calling(house, "gateway") as client:
        owner = Owner(house, client)
        await _dossiers(house, seeds)
        await _clients(owner, seeds)
        await _webhooks(owner, seeds)
        await _data_services(owner, seeds)
        await _failures(house, seeds)
        await _edocs(owner, seeds)


async def _dossiers(house: House, seeds: Seeds) -> None:
    life = returned(Life(code=f"{OWNER}-260407-0009", agency=OWNER))
    await Hall(house.apps["gateway"].state.database).take(life.events)
    for below in ("/api/v1/dossiers/{code}", "/api/v1/ops/dossiers/{code}", "/api/v1/ops/portal/dossiers/{code}"):
        seeds.add("gateway", below, {"code": life.code})
    for kind in ("content_differs", "status_differs"):
        told = PortalDifference(
            dossier_code=f"{OWNER}-260407-0010", agency_code=OWNER, kind=kind, state="open", ours={}, theirs={},
            found_at=clock.now(), seen_at=clock.now(),
        )  # fmt: skip
        await put(house.apps["gateway"].state.database, told)
        below = "/api/v1/ops/portal/differences/{difference_id}"
        below += "/explain" if kind == "status_differs" else ""
        seeds.add("gateway", below, {"difference_id": told.id}, told.dossier_code)


async def _clients(owner: Owner, seeds: Seeds) -> None:
    body = {"client_id": "he-thong-rieng", "name": "Hệ thống riêng", "agency": OWNER, "scopes": ["dossiers:read"]}
    client = (await owner.send("POST", CLIENTS, body))["client_id"]
    at = f"{CLIENTS}/{client}"
    secret = (await owner.send("POST", f"{at}/secrets", {}))["id"]
    key = (await owner.send("POST", f"{at}/keys", {"jwk": _public_key()}))["id"]
    seeds.add("gateway", CLIENTS + "/{client_id}", {"client_id": client})
    for name, values in (("secrets", {"credential_id": secret}), ("keys", {"key_id": key})):
        below = f"{CLIENTS}/{{client_id}}/{name}/{{{next(iter(values))}}}"
        seeds.add("gateway", below, {"client_id": client, **values})
    for way in ("keys", "keys/rotate"):
        seeds.bodies[f"gateway: POST {CLIENTS}/{{client_id}}/{way}"] = {"jwk": _public_key()}


def _public_key() -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256").as_dict(private=False))


async def _webhooks(owner: Owner, seeds: Seeds) -> None:
    hook = (await owner.send("POST", HOOKS, {"url": f"{NOWHERE}/rieng", "description": "Riêng của xã"}))["id"]
    message = (await owner.send("POST", f"{HOOKS}/{hook}/test"))["id"]
    seeds.add("gateway", HOOKS + "/{subscription_id}", {"subscription_id": hook}, hook, f"{NOWHERE}/rieng")
    below = HOOKS + "/{subscription_id}/deliveries/{message_id}"
    seeds.add("gateway", below, {"subscription_id": hook, "message_id": message})


async def _data_services(owner: Owner, seeds: Seeds) -> None:
    entry = {"agency": OWNER, "provider": "Bộ Riêng", "name_vi": "Kho riêng", "name_en": "The commune's own"}
    await owner.send("PUT", f"{SERVICES}/{CODE}", entry)
    version = {"stage": "active", "base_url": NOWHERE, "contract": contract("GET /things/{id}", "POST /things!")}
    await owner.send("PUT", f"{SERVICES}/{CODE}/-/versions/v1", version)
    span = {"starts_at": in_days(3), "ends_at": in_days(4), "reason_vi": "Bảo trì", "reason_en": "Maintenance"}
    window = (await owner.send("POST", f"{SERVICES}/{CODE}/-/windows", span))["id"]
    seeds.add("gateway", SERVICES + "/{code}", {"code": CODE, "version": "v1", "window_id": window})
    seeds.queries["gateway: GET /api/v1/data-services/getOpenAPI"] = {"serviceCode": CODE}
    seeds.bodies |= {
        f"gateway: PUT {SERVICES}/{{code}}": lambda agency: {**entry, "agency": agency or OWNER},
        f"gateway: PUT {SERVICES}/{{code}}/-/versions/{{version}}": version,
        f"gateway: POST {SERVICES}/{{code}}/-/windows": span,
    }


async def _failures(house: House, seeds: Seeds) -> None:
    """Let a call have failed, be kept, and wait in a re-run that somebody paused: nobody calls a service here."""
    now, cause, call, rerun = clock.now(), "f" * 32, new_id(), new_id()
    of = {"service": CODE, "version": "v1", "operation": "post /things", "fingerprint": cause}
    failure = DataServiceFailure(
        **of, kind="status", upstream_status=500, complaint="it answered 500", calls=1, first_at=now, last_at=now,
        samples=["rieng-cua-xa-1"],
    )  # fmt: skip
    kept = DataServiceCall(
        **of, id=call, client_id="he-thong-rieng", agency=OWNER, key_sha256=b"k" * 32, correlation_id="rieng-cua-xa-1",
        sealed=b"sealed", sealed_bytes=6, failed_at=now,
    )  # fmt: skip
    order = DataServiceRerun(
        id=rerun, service=CODE, asked_by="he-thong-rieng", asked_at=now, reason="Bộ đã sửa", stage="paused",
        calls_per_second=1,
    )  # fmt: skip
    await put(house.apps["gateway"].state.database, failure, kept, order)
    await put(house.apps["gateway"].state.database, DataServiceRerunCall(rerun_id=rerun, nth=1, call_id=call))
    below = SERVICES + "/reruns/{rerun_id}"
    seeds.add("gateway", below, {"rerun_id": rerun, "move": "stop"}, rerun, "rieng-cua-xa-1", cause)


async def _edocs(owner: Owner, seeds: Seeds) -> None:
    """Send the owner a document of its own, so that it is sender and recipient."""
    await owner.send("POST", f"{EDOCS}/agencies", {"code": OWNER, "name": "UBND xã"})
    content = envelope(OWNER, (OWNER,), "RIENG")
    document = (await owner.send("POST", f"{EDOCS}/documents", as_sent(content)))["docId"]
    seeds.add("gateway", EDOCS + "/documents/{doc_id}", {"doc_id": document})
    seeds.bodies[f"gateway: PUT {EDOCS}/documents/{{doc_id}}"] = {"status": "PROCESSING"}
    # Everybody who takes part may read who else does; only the agency, or one above it, ends that.
    seeds.add("gateway", EDOCS + "/agencies/{code}", {"code": OWNER}, secret=False)


def as_sent(content: bytes) -> dict[str, str]:
    """Return the body that hands an envelope in."""
    return {"type": "edoc", "data": base64.b64encode(content).decode()}
