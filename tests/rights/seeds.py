"""One thing of every kind at one agency, made by the services' own operations; others must never learn of it.

To cover a new noun: make one in a function of its service, and name it with the paths below which it is found.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from shared import clock
from tests.gateway.hall import Hall
from tests.gateway.lives import Life, returned
from tests.intake.counter import PDF, Counter, dossier
from tests.payment.till import Till
from tests.results.desk import Desk, accepted, completed
from tests.rights.house import House
from tests.workflow.office import ANOTHER, OFFICIAL, Office

OWNER = "H32.14.21"
_RULE = {
    "code": "MG-RIENG",
    "name": "Giảm lệ phí riêng của xã",
    "legal_basis": "Nghị quyết HĐND tỉnh",
    "kinds": ["le_phi"],
    "agency_code": OWNER,
    "percent": 50,
    "valid_from": "2020-01-01",
}
ITS_PARENT, ITS_PROVINCE, ITS_FRIEND = "H32.14", "H32", "H32.14.29"
WHO_MAY = (OWNER, ITS_PARENT, ITS_PROVINCE)
STRANGERS: tuple[str | None, ...] = ("H32.14.22", "H32.14.210", "H32.14.21.1", "H32.15", "H33", None)
"""A sibling, one whose code only begins alike, a child, another branch, another province, and nobody's client."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A thing of the owner: where it is found, and by what words it would be known."""

    service: str
    below: str
    """Beginning of the paths in which it stands, parameters included."""
    values: Mapping[str, str]
    """Of the paths' parameters."""
    marks: tuple[str, ...] = ()
    """Texts that nobody else may read anywhere."""


@dataclass(slots=True)
class Seeds:
    """All that was made."""

    nouns: list[Noun] = field(default_factory=list)

    def add(self, service: str, below: str, values: Mapping[str, Any], *marks: object) -> None:
        """Note a thing; what names it in its path is a mark, too, unless other marks are given."""
        named = {name: str(value) for name, value in values.items()}
        found = tuple(map(str, marks)) or tuple(value for value in named.values() if len(value) > 8)
        self.nouns.append(Noun(service, below, named, found))

    def of(self, service: str, path: str) -> Noun | None:
        """Return the thing that a path is about; of several the one whose beginning is longest."""
        fitting = [one for one in self.nouns if one.service == service and path.startswith(one.below)]
        return max(fitting, key=lambda one: len(one.below), default=None)

    @property
    def marks(self) -> frozenset[str]:
        """Every text that strangers may not read."""
        return frozenset(mark for noun in self.nouns for mark in noun.marks)


def in_days(days: int) -> str:
    """Return the moment so many days from now, as JSON has it."""
    return (clock.now() + timedelta(days=days)).isoformat()


async def sow(house: House) -> Seeds:
    """Make one of everything."""
    seeds = Seeds()
    for make in (_intake, _workflow, _payment, _results, _gateway):
        await make(house, seeds)
    return seeds


@asynccontextmanager
async def _client(house: House, service: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(house.apps[service])
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{service}", timeout=60) as client:
        yield client


def _made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in {200, 201, 202}, answer.text
    return answer.json()


async def _intake(house: House, seeds: Seeds) -> None:
    async with _client(house, "intake") as client:
        counter = Counter(house.apps["intake"], client, house.issuer, house.folders["intake"])
        code = await counter.submitted(agency_code=OWNER)
        seeds.add("intake", "/dossiers/{code}", {"code": code, "form": "01"}, code)
        asked = await counter.submitted(agency_code=OWNER)
        await counter.done(asked, "request-supplement")
        seeds.add("intake", "/dossiers/{code}/supplement", {"code": asked})
        document = _made(await counter.upload(PDF, agency=OWNER))
        seeds.add("intake", "/documents/{document_id}", {"document_id": document["id"]})
        draft = _made(await counter.post("/drafts", {"dossier": dossier(agency_code=OWNER)}, agency=OWNER))
        seeds.add("intake", "/drafts/{draft_id}", {"draft_id": draft["id"]})
        begun = {"name": "don.pdf", "size_bytes": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest()}
        upload = _made(await counter.post("/uploads", begun, agency=OWNER))
        seeds.add("intake", "/uploads/{upload_id}", {"upload_id": upload["id"], "start_byte": "0"}, upload["id"])
        seeds.add("intake", "/registers/{agency}", {"agency": OWNER}, OWNER + "-")


async def _workflow(house: House, seeds: Seeds) -> None:
    async with _client(house, "workflow") as client:
        office = Office(house.apps["workflow"], client, house.issuer)
        code = f"{OWNER}-261123-0001"
        await office.start(code=code, agency=OWNER)
        task = (await office.tasks(code))["check"]
        seeds.add("workflow", "/cases/{dossier_code}", {"dossier_code": code, "form": "01"}, code)
        seeds.add("workflow", "/tasks/{task_id}", {"task_id": task.id})
        asked = {
            "agencies": [ITS_FRIEND],
            "question": "Có phù hợp không?",
            "respond_by": in_days(2),
            "official": OFFICIAL,
        }
        consultation = _made(await office.post(f"/tasks/{task.id}/consult", asked, agency=OWNER))["items"][0]
        seeds.add("workflow", "/consultations/{consultation_id}", {"consultation_id": consultation["id"]})
        handed = {"agency_code": OWNER, "delegator": OFFICIAL, "official": ANOTHER, "reason": "Nghỉ phép năm"}
        span = {"starts_at": in_days(-1), "ends_at": in_days(5), "made_by": OFFICIAL}
        delegation = _made(await office.post("/delegations", handed | span, agency=OWNER))
        seeds.add("workflow", "/delegations/{delegation_id}", {"delegation_id": delegation["id"]})


async def _payment(house: House, seeds: Seeds) -> None:
    async with _client(house, "payment") as client:
        till = Till(house.apps["payment"], client, client, house.issuer, client, client)
        due, paid = await till.owe(agency=OWNER), await till.owe(agency=OWNER)
        seeds.add("payment", "/fees/{fee_id}", {"fee_id": due.id}, due.id, due.dossier_code)
        desk = {"agency_code": OWNER, "cashier": "thu.ngan", "opening_vnd": 0}
        shift = _made(await till.post("/desk-shifts", desk, agency=OWNER))
        seeds.add("payment", "/desk-shifts/{shift_id}", {"shift_id": shift["id"]})
        payment = _made(await till.start(paid, "cash", agency=OWNER))
        seeds.add("payment", "/payments/{payment_id}", {"payment_id": payment["id"]})
        (receipt,) = await till.receipts(paid)
        seeds.add("payment", "/receipts/{receipt_id}", {"receipt_id": receipt.id})
        back = {"payment_id": payment["id"], "legal_basis": "Điều 12 Luật Phí và lệ phí", "amount_vnd": 20_000}
        refund = _made(await till.post("/refunds", back, agency=OWNER))
        seeds.add("payment", "/refunds/{refund_id}", {"refund_id": refund["id"]})
        rule = _made(await till.post("/exemptions", _RULE, scopes=["catalogue:write"], agency=OWNER))
        seeds.add("payment", "/exemptions/{exemption_id}", {"exemption_id": rule["id"]})
        entry = (await till.scalars("SELECT id FROM ledger_entry ORDER BY id LIMIT 1"))[0]
        seeds.add("payment", "/ledger/entries/{entry_id}", {"entry_id": entry}, due.dossier_code)


async def _results(house: House, seeds: Seeds) -> None:
    async with _client(house, "results") as client:
        desk = Desk(house.apps["results"], client, house.issuer, house.folders["results"])
        code = f"{OWNER}-260407-0001"
        await desk.hear(accepted(agency=OWNER), completed(), code=code)
        draft = await desk.drafted(code=code, agency=OWNER)
        result = await desk.issued(code=code, agency=OWNER)
        seeds.add("results", "/results/{result_id}", {"result_id": result}, result, code)
        seeds.add("results", "/results/{result_id}/issue", {"result_id": draft})
        path, headers = f"/digitisation/plans/{OWNER}", desk.headers(agency=OWNER)
        _made(await client.put(path, json={"volume": 4213}, headers=headers))
        seeds.add("results", "/digitisation/plans/{agency_code}", {"agency_code": OWNER}, "4213")


async def _gateway(house: House, seeds: Seeds) -> None:
    life = returned(Life(code=f"{OWNER}-260407-0009", agency=OWNER))
    await Hall(house.apps["gateway"].state.database).take(life.events)
    seeds.add("gateway", "/api/v1/dossiers/{code}", {"code": life.code})
    seeds.add("gateway", "/api/v1/ops/dossiers/{code}", {"code": life.code})
