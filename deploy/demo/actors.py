"""The people of the demo: a citizen, officials, a payer. Each does one dossier's part through the public API."""

import asyncio
import hashlib
import random
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from deploy.demo.client import ApiClient, Refused
from deploy.demo.feed import Feed
from deploy.demo.plan import Ending, Life
from deploy.demo.portal import ControlRoom
from deploy.local.papers import Seal
from shared import clock

OFFICIAL = "canbo.motcua"
LATE_DAYS = 24
LINK_PATIENCE_S = 120
NAMES = ("Nguyễn Thị An", "Trần Văn Bình", "Lê Thị Cúc", "Phạm Văn Dũng", "Y Thị Hạnh", "Võ Minh Khôi")
SETTLED = ("payment.fee.paid", "payment.fee.waived", "payment.fee.cancelled")


@dataclass(slots=True)
class Cast:
    """Who takes part: three systems, the feed they watch, the portal's control room."""

    citizen: ApiClient
    office: ApiClient
    feed: Feed
    portal: ControlRoom
    seal: Seal
    """With which results are signed."""
    codes: dict[str, Life] = field(default_factory=dict)
    """Every dossier there is, with its plan."""


async def live(cast: Cast, life: Life) -> str:
    """Lead one dossier through its life; return its code."""
    code = await _born(cast, life)
    cast.codes[code] = life
    before = _BEFORE_ACCEPTANCE.get(life.ending)
    if before and await before(cast, code):
        return code
    await _accept(cast, code, life)
    await _PROCESSING.get(life.ending, _process)(cast, code, life)
    return code


async def _born(cast: Cast, life: Life) -> str:
    if life.ending is Ending.FROM_PORTAL:
        answer = (await cast.portal.submit(_hoso(life)))["answer"]
        code: str = answer["code"]
        return code
    submitted = await cast.citizen.post("/dossiers", _dossier(life))
    return submitted["code"]


def _dossier(life: Life) -> dict[str, Any]:
    body: dict[str, Any] = {
        "procedure_code": life.procedure["code"],
        "agency_code": life.agency,
        "channel": life.channel,
        "applicant": _person(life.number),
        "summary": f"Hồ sơ thử số {life.number}",
        "documents": [_paper(life, component) for component in life.procedure["components"] if component["required"]],
        "return_method": "counter" if life.channel == "direct" else "postal" if life.channel == "postal" else "online",
    }
    if life.ending is Ending.OVERDUE:
        body["submitted_at"] = (clock.now() - timedelta(days=LATE_DAYS)).isoformat()
        body["late_reason"] = "Nhập bù hồ sơ nhận khi mất kết nối"
    return body


def _person(number: int) -> dict[str, Any]:
    dice = random.Random(number)  # noqa: S311 - invented people
    return {
        "kind": "citizen",
        "name": NAMES[number % len(NAMES)],
        "id_kind": "cccd",
        "id_number": f"0560{dice.randint(60, 99)}{dice.randint(0, 999_999):06d}",
        "email": f"nguoi.nop.{number}@example.vn",
        "phone": f"09{dice.randint(0, 99_999_999):08d}",
    }


def _paper(life: Life, component: Mapping[str, Any]) -> dict[str, Any]:
    paper: dict[str, Any] = {"component_code": component["code"], "name": component["name"][:200]}
    if life.channel != "online":
        return paper | {"paper": True}
    content = f"{life.number} {component['code']}".encode()
    return paper | {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "media_type": "application/pdf",
    }


def _hoso(life: Life) -> dict[str, Any]:
    person = _person(life.number)
    return {
        "MaTTHC": life.procedure["code"],
        "MaDonVi": life.agency,
        "ChuHoSo": person["name"],
        "SoGiayToChuHoSo": person["id_number"],
        "LoaiDoiTuong": "1",
        "MaDoiTuong": f"TECH{life.number:08d}",
        "Email": person["email"],
        "SoDienThoai": person["phone"],
        "TrichYeuHoSo": f"Hồ sơ nộp trên Cổng số {life.number}",
        "TaiKhoanDuocXacThucVoiVNeID": "1",
        "documents": [
            {"MaThanhPhanHoSo": component["code"], "TenTepDinhKem": f"{component['code']}.pdf"}
            for component in life.procedure["components"]
            if component["required"]
        ],
    }


# Before acceptance: True means the life ended here.


async def _reject(cast: Cast, code: str) -> bool:
    reason = "Thành phần hồ sơ không đúng quy định, không thể bổ sung."
    body = {"reason": reason, "legal_basis": "NĐ 118/2025/NĐ-CP", "rejected_by": OFFICIAL}
    await cast.office.post(f"/dossiers/{code}/reject", body)
    return True


async def _withdraw(cast: Cast, code: str) -> bool:
    await cast.citizen.post(f"/dossiers/{code}/withdraw", {"reason": "Tôi chưa cần giải quyết nữa."})
    return True


async def _supplement_before(cast: Cast, code: str) -> bool:
    body = {"content": "Bổ sung bản sao giấy tờ tùy thân.", "requested_by": OFFICIAL, "respond_within_days": 5}
    await cast.office.post(f"/dossiers/{code}/request-supplement", body)
    await cast.citizen.post(f"/dossiers/{code}/supplement", _answer())
    return False


def _answer() -> dict[str, Any]:
    return {"documents": [{"component_code": "other", "name": "Giấy tờ bổ sung", "paper": True}]}


_BEFORE_ACCEPTANCE: Mapping[Ending, Callable[[Cast, str], Awaitable[bool]]] = {
    Ending.REJECTED: _reject,
    Ending.WITHDRAWN_EARLY: _withdraw,
    Ending.SUPPLEMENTED_TWICE: _supplement_before,
}


async def _accept(cast: Cast, code: str, life: Life) -> None:
    body: dict[str, Any] = {"accepted_by": OFFICIAL}
    if life.ending is Ending.OVERDUE:
        body["accepted_at"] = (clock.now() - timedelta(days=LATE_DAYS - 1)).isoformat()
        body["late_reason"] = "Nhập bù sau khi có kết nối"
    await cast.office.post(f"/dossiers/{code}/accept", body)


# While the case runs.


async def _process(cast: Cast, code: str, life: Life) -> None:
    """Do every task as it opens, pay what is to be paid, return the result."""
    await _settle_fees(cast, code, life, "on_acceptance")
    await _work_off(cast, code)
    await _settle_fees(cast, code, life, "on_return")
    await _return_result(cast, code, life)


async def _work_off(cast: Cast, code: str, *, done: int = 0) -> None:
    while True:
        found = await cast.feed.wait_any(code, {"workflow.task.opened": done + 1, "workflow.case.completed": 1})
        if found["event_type"].startswith("workflow.case"):
            return
        await _do_task(cast, found["detail"]["task_id"], claim=done % 2 == 0)
        done += 1


async def _do_task(cast: Cast, task_id: str, *, claim: bool) -> None:
    if claim:
        await cast.office.post(f"/tasks/{task_id}/claim", {"official": OFFICIAL})
    await cast.office.post(f"/tasks/{task_id}/complete", {"official": OFFICIAL, "note": "Đã xử lý."})


async def _stopped(cast: Cast, code: str, life: Life) -> None:
    await cast.feed.wait_for(code, "workflow.task.opened")
    body = {"reason": "Chờ kết luận của cơ quan thuế.", "legal_basis": "Luật Quản lý thuế", "stopped_by": OFFICIAL}
    await cast.office.post(f"/cases/{code}/stop", body)
    await cast.feed.wait_for(code, "workflow.case.stopped")
    await cast.office.post(f"/cases/{code}/resume", {"resumed_by": OFFICIAL})
    await _process(cast, code, life)


async def _supplemented(cast: Cast, code: str, life: Life) -> None:
    await cast.feed.wait_for(code, "workflow.task.opened")
    respond_by = (clock.now() + timedelta(days=7)).isoformat()
    body = {"content": "Bổ sung bản vẽ hiện trạng.", "requested_by": OFFICIAL, "respond_by": respond_by}
    await cast.office.post(f"/cases/{code}/request-supplement", body)
    await cast.feed.wait_for(code, "workflow.case.supplement_requested")
    await _until_known(lambda: cast.citizen.post(f"/dossiers/{code}/supplement", _answer()))
    await cast.feed.wait_for(code, "workflow.case.resumed")
    await _process(cast, code, life)


async def _withdrawn_late(cast: Cast, code: str, _life: Life) -> None:
    await cast.feed.wait_for(code, "workflow.task.opened")
    await _withdraw(cast, code)
    await cast.feed.wait_for(code, "intake.dossier.withdrawn")


async def _paid_late(cast: Cast, code: str, life: Life) -> None:
    """Work until the case waits for its fee, pay, work on."""
    done = 0
    while True:
        found = await cast.feed.wait_any(code, {"workflow.task.opened": done + 1, "workflow.case.payment_awaited": 1})
        if found["event_type"].startswith("workflow.case"):
            break
        await _do_task(cast, found["detail"]["task_id"], claim=True)
        done += 1
    await _settle_fees(cast, code, life, "on_acceptance")
    await cast.feed.wait_for(code, "workflow.case.resumed")
    await _work_off(cast, code, done=done)
    await _settle_fees(cast, code, life, "on_return")
    await _return_result(cast, code, life)


_PROCESSING: Mapping[Ending, Callable[[Cast, str, Life], Awaitable[None]]] = {
    Ending.STOPPED: _stopped,
    Ending.SUPPLEMENTED_TWICE: _supplemented,
    Ending.WITHDRAWN_LATE: _withdrawn_late,
    Ending.PAID_LATE: _paid_late,
}


async def _settle_fees(cast: Cast, code: str, life: Life, collected: str) -> None:
    due = [fee for fee in life.procedure["fees"][life.channel] if fee["collected"] == collected]
    if not sum(fee["amount_vnd"] for fee in due):
        return
    nth = 1
    while True:
        assessed = await cast.feed.wait_for(code, "payment.fee.assessed", nth=nth)
        if assessed["detail"]["collected"] == collected:
            break
        nth += 1
    paid_before = sum(change["event_type"].startswith(SETTLED) for change in cast.feed.changes[code])
    await _pay(cast, assessed["detail"]["fee_id"], life)
    await cast.feed.wait_for(code, "payment.fee.paid", nth=paid_before + 1)


async def _pay(cast: Cast, fee_id: str, life: Life) -> None:
    if life.ending is Ending.PAID_AT_COUNTER or life.channel == "direct":
        await cast.office.post("/payments", {"fee_id": fee_id, "provider": "cash"})
        return
    payment = await _payable(cast, fee_id)
    if life.ending is not Ending.PAID_TWICE:
        await cast.portal.pay(payment["reference"])
        return
    # The bank tells five times at once, while the payer stands at the counter with cash and pays there too,
    # and then transfers once more.
    await asyncio.gather(
        cast.portal.pay(payment["reference"], callbacks=5, parallel=True),
        _cash_if_still_due(cast, fee_id),
    )
    await cast.portal.pay(payment["reference"])


async def _payable(cast: Cast, fee_id: str) -> dict[str, Any]:
    """Return an attempt with its link; one that the platform ended without a link is begun anew."""
    async with asyncio.timeout(LINK_PATIENCE_S):
        while True:
            payment = await cast.citizen.post("/payments", {"fee_id": fee_id, "provider": "national_platform"})
            while payment["status"] == "initiated":
                if payment["pay_url"]:
                    return payment
                await asyncio.sleep(0.1)
                payment = await cast.citizen.get(f"/payments/{payment['id']}")


async def _cash_if_still_due(cast: Cast, fee_id: str) -> None:
    try:
        await cast.office.post("/payments", {"fee_id": fee_id, "provider": "cash"})
    except Refused as refusal:
        if refusal.status != 409:
            raise


async def _return_result(cast: Cast, code: str, life: Life) -> None:
    kind = next(result for result in life.procedure["results"] if result["document"])
    content = await asyncio.to_thread(cast.seal.paper, ["KET QUA GIAI QUYET THU TUC HANH CHINH", code, kind["code"]])
    draft = await _until_known(
        lambda: cast.office.upload(
            "/results",
            content,
            "application/pdf",
            dossier_code=code,
            kind_code=kind["code"],
            kind_name=kind["name"][:200],
            sha256=hashlib.sha256(content).hexdigest(),
        )
    )
    number = {"number": f"{code}/KQ", "issued_by": "lanhdao.donvi"}
    await cast.office.post(f"/results/{draft['id']}/issue", number)
    person = _person(life.number)
    receiver = {"name": person["name"], "document_number": person["id_number"][-4:], "checked_by": OFFICIAL}
    body: dict[str, Any] = {"method": "counter", "returned_by": OFFICIAL, "receiver": receiver}
    if life.channel == "postal":
        # A number of the post is given once, however many demos run on a stack.
        tracking_number = f"EB{zlib.crc32(code.encode()) % 10**9:09}VN"
        body = {"method": "postal", "returned_by": OFFICIAL, "tracking_number": tracking_number}
    elif life.channel == "online":
        body = {"method": "online", "returned_by": OFFICIAL}
    await _until_known(lambda: cast.office.post(f"/results/{draft['id']}/return", body))
    if life.channel == "postal":
        await cast.office.post(f"/results/{draft['id']}/delivered", {})


async def _until_known(call: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Call again while the service has not heard yet what the feed told us already (each hears at its own pace)."""
    for attempt in range(60):
        try:
            return await call()
        except Refused as refusal:
            if refusal.status not in {404, 409} or attempt == 59:
                raise
        await asyncio.sleep(0.1 * min(attempt + 1, 10))
    raise AssertionError("unreachable: the last try returns or raises")
