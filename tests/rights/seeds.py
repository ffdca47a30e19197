"""One thing of every kind at one agency, made by the services' own operations; others must never learn of it.

To cover a new noun: make one in a function of its service, and name it with the paths below which it is found.
"""

import hashlib
from typing import Any

import httpx

from services.payment.models import BankLine, Difference, Reconciliation
from services.results.models import DigitisedResult
from services.workflow.operations.roster import OfficialGiven, Roster, UnitGiven, apply_roster
from shared import clock
from shared.ids import new_id
from shared.work import open_work
from tests.intake.counter import ANSWER, PDF, Counter, dossier
from tests.payment.till import Till
from tests.results.desk import COUNTER, Desk, accepted, completed
from tests.results.desk import OWNER as OWNER_OF_RESULTS
from tests.results.desk import PDF as RESULT
from tests.rights.gateway_seeds import sow_gateway
from tests.rights.house import OWNER, House, client_of
from tests.rights.nouns import ITS_FRIEND, Seeds, calling, in_days, made, put
from tests.workflow.office import ANOTHER, OFFICIAL, ONE_STOP, Office

_RULE = {
    "code": "MG-RIENG",
    "name": "Giảm lệ phí riêng của xã",
    "legal_basis": "Nghị quyết HĐND tỉnh",
    "kinds": ["le_phi"],
    "agency_code": OWNER,
    "percent": 50,
    "valid_from": "2020-01-01",
}
_CONSENT = {"by": "Nguyễn Văn Thử", "at": "2026-04-07T02:00:00Z", "text": "Đồng ý"}


async def sow(house: House) -> Seeds:
    """Make one of everything."""
    seeds = Seeds()
    for make in (_intake, _workflow, _payment, _results, sow_gateway):
        await make(house, seeds)
    return seeds


async def _intake(house: House, seeds: Seeds) -> None:
    async with calling(house, "intake") as client:
        counter = Counter(house.apps["intake"], client, house.issuer, house.folders["intake"])
        code = await counter.submitted(agency_code=OWNER)
        seeds.add("intake", "/dossiers/{code}", {"code": code, "form": "01"}, code)
        asked = await counter.submitted(agency_code=OWNER)
        await counter.done(asked, "request-supplement")
        seeds.add("intake", "/dossiers/{code}/supplement", {"code": asked})
        seeds.bodies["intake: POST /dossiers/{code}/supplement"] = ANSWER
        # Before a dossier names them, these are only their client's.
        own: dict[str, Any] = {"agency": OWNER, "client_id": client_of(OWNER)}
        document = made(await counter.upload(PDF, **own))
        seeds.add("intake", "/documents/{document_id}", {"document_id": document["id"]}, who_may=(OWNER,))
        draft = made(await counter.post("/drafts", {"dossier": dossier(agency_code=OWNER)}, **own))
        seeds.add("intake", "/drafts/{draft_id}", {"draft_id": draft["id"]}, who_may=(OWNER,))
        begun = {"name": "don.pdf", "size_bytes": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest()}
        upload = made(await counter.post("/uploads", begun, **own))
        values = {"upload_id": upload["id"], "start_byte": "0"}
        seeds.add("intake", "/uploads/{upload_id}", values, upload["id"], who_may=(OWNER,))
        seeds.bodies["intake: PUT /uploads/{upload_id}/pieces/{start_byte}"] = PDF
        await _portal_file(house, client, seeds)
        seeds.add("intake", "/registers/{agency}", {"agency": OWNER}, f"{OWNER}-")
        seeds.queries["intake: GET /registers/{agency}"] = {"first": in_days(0)[:10]}


async def _portal_file(house: House, client: httpx.AsyncClient, seeds: Seeds) -> None:
    """Hand a file over as another portal does; until a dossier names it, only that portal knows it."""
    file = str(new_id())
    query = {"sha256": hashlib.sha256(PDF).hexdigest()}
    headers = house.headers(agency=OWNER) | {"X-Document-Name": "don.pdf"}
    made(await client.put(f"/portal-files/{file}", params=query, content=PDF, headers=headers))
    seeds.add("intake", "/portal-files/{document_id}", {"document_id": file}, who_may=(OWNER,))
    seeds.queries["intake: PUT /portal-files/{document_id}"] = query
    seeds.bodies["intake: PUT /portal-files/{document_id}"] = PDF


async def _workflow(house: House, seeds: Seeds) -> None:
    async with calling(house, "workflow") as client:
        office = Office(house.apps["workflow"], client, house.issuer)
        code = f"{OWNER}-261123-0001"
        await office.start(code=code, agency=OWNER)
        task = (await office.tasks(code))["check"]
        seeds.add("workflow", "/cases/{dossier_code}", {"dossier_code": code, "form": "06"}, code)
        seeds.add("workflow", "/tasks/{task_id}", {"task_id": task.id})
        asked = {
            "agencies": [ITS_FRIEND],
            "question": "Có phù hợp không?",
            "respond_by": in_days(2),
            "official": OFFICIAL,
        }
        consultation = made(await office.post(f"/tasks/{task.id}/consult", asked, agency=OWNER))["items"][0]
        seeds.add("workflow", "/consultations/{consultation_id}", {"consultation_id": consultation["id"]})
        handed = {"agency_code": OWNER, "delegator": OFFICIAL, "official": ANOTHER, "reason": "Nghỉ phép năm"}
        span = {"starts_at": in_days(-1), "ends_at": in_days(5), "made_by": OFFICIAL}
        delegation = made(await office.post("/delegations", handed | span, agency=OWNER))
        seeds.add("workflow", "/delegations/{delegation_id}", {"delegation_id": delegation["id"]})
        async with open_work(office.database, ONE_STOP) as work:
            # Below the owner: where officials are known, only they may work on the tasks.
            official = OfficialGiven(username="can.bo.rieng", agency=f"{OWNER}.5", name="Ông Riêng")
            unit = UnitGiven(agency=f"{OWNER}.5", code="rieng", name="Bộ phận riêng")
            await apply_roster(work, Roster([unit], [official], []), source="import", leavers_max=1.0)
        seeds.add("workflow", "/officials/{username}", {"username": official.username})
        seeds.bodies |= {
            "workflow: POST /tasks/{task_id}/consult": asked,
            "workflow: POST /cases/{dossier_code}/request-supplement": {
                "content": "Bản sao",
                "respond_by": in_days(9),
                "requested_by": OFFICIAL,
            },
            "workflow: POST /cases/{dossier_code}/extend": {
                "due_at": in_days(60),
                "reason": "Chờ quy hoạch",
                "official": OFFICIAL,
            },
        }


async def _payment(house: House, seeds: Seeds) -> None:
    async with calling(house, "payment") as client:
        till = Till(house.apps["payment"], client, client, house.issuer, client, client)
        due, paid = await till.owe(agency=OWNER), await till.owe(agency=OWNER)
        seeds.add("payment", "/fees/{fee_id}", {"fee_id": due.id}, due.id, due.dossier_code)
        desk = {"agency_code": OWNER, "cashier": "thu.ngan", "opening_vnd": 0}
        shift = made(await till.post("/desk-shifts", desk, agency=OWNER))
        seeds.add("payment", "/desk-shifts/{shift_id}", {"shift_id": shift["id"]})
        payment = made(await till.start(paid, "cash", agency=OWNER))
        seeds.add("payment", "/payments/{payment_id}", {"payment_id": payment["id"]})
        (receipt,) = await till.receipts(paid)
        seeds.add("payment", "/receipts/{receipt_id}", {"receipt_id": receipt.id})
        back = {"payment_id": payment["id"], "legal_basis": "Điều 12 Luật Phí và lệ phí", "amount_vnd": 20_000}
        refund = made(await till.post("/refunds", back, agency=OWNER))
        seeds.add("payment", "/refunds/{refund_id}", {"refund_id": refund["id"]})
        # Everybody who may read fees may read the rules, which are law; only their agency ends them.
        rule = made(await till.post("/exemptions", _RULE, scopes=["catalogue:write"], agency=OWNER))
        seeds.add("payment", "/exemptions/{exemption_id}", {"exemption_id": rule["id"]}, secret=False)
        seeds.bodies["payment: POST /refunds/{refund_id}/send"] = {"transfer_reference": "FT26097000123"}
        seeds.bodies["payment: POST /bank-lines/{line_id}/assign"] = {"fee_id": str(due.id), "note": "Giấy báo nợ"}
        seeds.bodies["payment: POST /fees/{fee_id}/exempt"] = {"exemption_code": "MG-RIENG", "evidence": "Thẻ số 1"}
        await put(till.database, *(rows := _rows_of_payment(payment["id"])))
        line, day, difference = (str(row.id) for row in rows)
        seeds.add("payment", "/bank-lines/{line_id}", {"line_id": line})
        seeds.add("payment", "/reconciliations/{reconciliation_id}", {"reconciliation_id": day})
        seeds.add("payment", "/reconciliations/differences/{difference_id}", {"difference_id": difference})
        entry = (await till.scalars("SELECT id FROM ledger_entry ORDER BY id LIMIT 1"))[0]
        seeds.add("payment", "/ledger/entries/{entry_id}", {"entry_id": entry}, due.dossier_code)


async def _results(house: House, seeds: Seeds) -> None:
    async with calling(house, "results") as client:
        desk = Desk(house.apps["results"], client, house.issuer, house.folders["results"])
        code = f"{OWNER}-260407-0001"
        await desk.hear(accepted(agency=OWNER), completed(), code=code)
        draft = await desk.drafted(code=code, agency=OWNER)
        result = await desk.issued(code=code, agency=OWNER)
        other = await desk.issued(code=code, agency=OWNER)
        seeds.add("results", "/results/{result_id}", {"result_id": result}, result, code)
        seeds.add("results", "/results/{result_id}/issue", {"result_id": draft})
        counter = {**COUNTER, "reason": "Trả lại"}
        seeds.bodies |= {
            "results: POST /results/{result_id}/return": COUNTER,
            "results: POST /results/{result_id}/reissue": counter,
            "results: POST /results/{result_id}/supersede": {"superseded_by": other, "reason": "Đính chính"},
        }
        search = {"owner_id_number": OWNER_OF_RESULTS.id_number, "purpose": "Đối chiếu", "consent": _CONSENT}
        reuse = desk.issuer.headers(["results:reuse"], agency=OWNER, client_id=client_of(OWNER))
        consent = made(await client.post("/reuse/searches", json=search, headers=reuse))
        values = {"consent_id": consent["id"], "result_id": consent["items"][0]["id"]}
        below = "/reuse/searches/{consent_id}/documents/{result_id}"
        seeds.add("results", below, values, consent["id"], who_may=(OWNER,))
        scan = _scan(sha256=(await desk.rows("SELECT sha256 FROM result LIMIT 1"))[0]["sha256"])
        await put(desk.database, scan)
        seeds.add("results", "/digitisation/results/{result_id}", {"result_id": scan.id})
        path, headers = f"/digitisation/plans/{OWNER}", desk.headers(agency=OWNER)
        made(await client.put(path, json={"volume": 4213}, headers=headers))
        seeds.add("results", "/digitisation/plans/{agency_code}", {"agency_code": OWNER}, "4213")


def _rows_of_payment(payment_id: str) -> list[Any]:
    """Return what banks and providers tell, as their files and answers would leave it."""
    sums = {"ours_count": 0, "ours_vnd": 0, "theirs_count": 1, "theirs_vnd": 7, "matched_count": 0, "matched_vnd": 0}
    told = {"transaction_number": "GD-RIENG", "agency_code": OWNER}
    line = BankLine(
        id=new_id(), account_number="1", booked_at=clock.now(), amount_vnd=7, content="x", source="file",
        recorded_at=clock.now(), **told,
    )  # fmt: skip
    day = Reconciliation(id=new_id(), agency_code=OWNER, provider="vnpay", day=clock.now().date(), **sums)
    difference = Difference(
        id=new_id(), reconciliation_id=day.id, kind="theirs_only", reference=payment_id, ours_vnd=0, theirs_vnd=7,
        found_at=clock.now(), **told,
    )  # fmt: skip
    return [line, day, difference]


def _scan(*, sha256: str) -> DigitisedResult:
    """Return a scanned result, as bringing in a backlog would leave it."""
    return DigitisedResult(
        id=new_id(), run_id=new_id(), row_no=1, agency_code=OWNER, kind_code="KQ.01", kind_name="Giấy phép",
        number="RIENG/1", owner_kind="citizen", owner_name="Ông Riêng", issued_on=clock.now().date(), sha256=sha256,
        size_bytes=len(RESULT), media_type="application/pdf", signature="none", digitised_at=clock.now(),
    )  # fmt: skip
