"""The officials of the sandbox: they read the change feed and act on the dossiers of test identities.

What an official does follows from the dossier alone, and every act has a key made from it: a robot that was killed goes
on where it was, and does nothing twice.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.demo.client import ApiClient, Refused
from deploy.integrators.sandbox.identities import AGENCY, IDENTITIES, Course, Identity
from deploy.local.papers import Seal
from shared import log

OFFICIAL = "canbo.thunghiem"
PAGE, WAIT_S = 200, 25
AGAIN_S = 2
TRIES_MAX, TRY_S = 40, 0.25
KNOWN_MAX = 10_000
RESPOND_WITHIN = timedelta(days=7)

Change = Mapping[str, Any]
_log = log.get(__name__)


class Robot:
    """Plays the officials, through the public API alone."""

    def __init__(self, office: ApiClient, seal: Seal, folder: Path) -> None:
        self._office = office
        self._seal = seal
        self._place = folder / "cursor"
        self._known: dict[str, Identity | None] = {}

    async def run(self) -> None:
        """Act for ever; while the door is away, wait."""
        while True:
            try:
                await self.turn()
            except Exception as problem:
                _log.warning("sandbox.waiting", reason=f"{type(problem).__name__}: {problem}")
                await asyncio.sleep(AGAIN_S)

    async def turn(self) -> int:
        """Read a page of the feed, act on it, remember the place; return how many changes it held."""
        cursor = self._place.read_text() if self._place.exists() else None
        asked = {"limit": PAGE, "wait_s": WAIT_S, "agency": AGENCY} | ({"cursor": cursor} if cursor else {})
        page = await self._office.get("/sync/changes", **asked)
        of_dossier: dict[str, list[Change]] = defaultdict(list)
        for change in page["items"]:
            of_dossier[change["dossier_code"]].append(change)
        await asyncio.gather(*(self._follow(code, changes) for code, changes in of_dossier.items()))
        self._place.write_text(page["next_cursor"])
        return len(page["items"])

    async def _follow(self, code: str, changes: list[Change]) -> None:
        identity = await self._identity(code)
        if identity is None or identity.course is Course.UNTOUCHED:
            return
        for change in changes:
            act = _ACTS.get(change["event_type"])
            if act:
                await _patiently(lambda act=act, change=change: act(self, identity.course, change))

    async def _identity(self, code: str) -> Identity | None:
        if code not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            applicant = (await self._office.get(f"/dossiers/{code}"))["applicant"]
            self._known[code] = IDENTITIES.get(str(applicant.get("id_number")))
        return self._known[code]

    async def _post(self, path: str, body: object, act: str) -> dict[str, Any]:
        return await self._office.post(path, body, key=f"sandbox-{act}-{path.strip('/').replace('/', '-')}")

    async def at_the_counter(self, course: Course, change: Change) -> None:
        """Decide on a dossier that was submitted, or whose applicant has answered."""
        code = change["dossier_code"]
        answered = change["event_type"] == "intake.dossier.supplemented.v1"
        if course is Course.REFUSED:
            body = {"reason": "Hồ sơ thử nghiệm: từ chối theo kịch bản.", "rejected_by": OFFICIAL}
            await self._post(f"/dossiers/{code}/reject", body | {"legal_basis": "Kịch bản thử nghiệm"}, "reject")
        elif course is Course.ASKED_AT_THE_COUNTER and not answered:
            body = {"content": "Hồ sơ thử nghiệm: nộp thêm giấy tờ.", "requested_by": OFFICIAL}
            await self._post(f"/dossiers/{code}/request-supplement", body | {"respond_within_days": 7}, "ask")
        else:
            await self._post(f"/dossiers/{code}/accept", {"accepted_by": OFFICIAL}, "accept")

    async def at_the_desk(self, course: Course, change: Change) -> None:
        """Take the fee in cash, unless that is left to the partner."""
        if course is not Course.UNPAID and change["detail"].get("amount_vnd"):
            body = {"fee_id": change["detail"]["fee_id"], "provider": "cash"}
            await self._office.post("/payments", body, key=f"sandbox-cash-{body['fee_id']}")

    async def at_work(self, course: Course, change: Change) -> None:
        """Complete what is open; before that ask for papers or stop, once, where the course says so."""
        code = change["dossier_code"]
        if course is Course.ASKED_AT_WORK and not await self._happened(code, "workflow.case.supplement_requested.v1"):
            respond_by = datetime.fromisoformat(change["happened_at"]) + RESPOND_WITHIN
            body = {"content": "Hồ sơ thử nghiệm: bổ sung.", "requested_by": OFFICIAL}
            await self._post(f"/cases/{code}/request-supplement", body | {"respond_by": respond_by.isoformat()}, "ask")
        elif course is Course.STOPPED and not await self._happened(code, "workflow.case.stopped.v1"):
            body = {"reason": "Hồ sơ thử nghiệm: dừng theo kịch bản.", "stopped_by": OFFICIAL}
            await self._post(f"/cases/{code}/stop", body | {"legal_basis": "Kịch bản thử nghiệm"}, "stop")
        else:
            case = await self._office.get(f"/cases/{code}")
            for task in case["tasks"]:
                if task["status"] in {"open", "claimed"} and case["status"] == "running":
                    await self._post(f"/tasks/{task['id']}/complete", {"official": OFFICIAL}, "complete")

    async def resume(self, _course: Course, change: Change) -> None:
        """Go on after a stop."""
        await self._post(f"/cases/{change['dossier_code']}/resume", {"resumed_by": OFFICIAL}, "resume")

    async def hand_over(self, course: Course, change: Change) -> None:
        """Draw up the result, issue it, return it, and revoke it where the course says so."""
        code = change["dossier_code"]
        result = await self._drafted(code)
        await self._post(
            f"/results/{result}/issue", {"number": f"{code}/TN", "issued_by": "lanhdao.thunghiem"}, "issue"
        )
        await self._post(f"/results/{result}/return", {"method": "online", "returned_by": OFFICIAL}, "return")
        if course is Course.REVOKED:
            body = {"reason": "Hồ sơ thử nghiệm: thu hồi theo kịch bản."}
            await self._post(f"/results/{result}/revoke", body, "revoke")

    async def _drafted(self, code: str) -> str:
        """Return the dossier's result; drawn up now, unless it was before."""
        found = (await self._office.get("/results", dossier_code=code))["items"]
        if found:
            return str(found[0]["id"])
        dossier = await self._office.get(f"/dossiers/{code}")
        procedure = await self._office.get(f"/procedures/{dossier['procedure_code']}")
        kind = next((one for one in procedure["results"] if one["document"]), procedure["results"][0])
        content = await asyncio.to_thread(self._seal.paper, ["KET QUA THU NGHIEM", code])
        named = {"dossier_code": code, "kind_code": kind["code"], "kind_name": kind["name"][:200]}
        digest = hashlib.sha256(content).hexdigest()
        made = await self._office.upload("/results", content, "application/pdf", **named, sha256=digest)
        return str(made["id"])

    async def _happened(self, code: str, event_type: str) -> bool:
        timeline = await self._office.get(f"/dossiers/{code}/timeline")
        return any(one["type"] == event_type for one in timeline["items"])


async def _patiently(act: Callable[[], Awaitable[None]]) -> None:
    """Act, again while a service has not heard yet what the feed told; what is refused for good is not for us."""
    for attempt in range(TRIES_MAX):
        try:
            await act()
        except Refused as refusal:
            last = attempt == TRIES_MAX - 1
            if refusal.status not in {404, 409} or last:
                # A conflict that stays: the partner withdrew it, or a person was faster. Anything else is our mistake.
                note = _log.info if last else _log.error
                note("sandbox.refused", code=refusal.code, status=refusal.status)
                return
            await asyncio.sleep(TRY_S)
        else:
            return


_ACTS: Mapping[str, Callable[[Robot, Course, Change], Awaitable[None]]] = {
    "intake.dossier.submitted.v1": Robot.at_the_counter,
    "intake.dossier.supplemented.v1": Robot.at_the_counter,
    "payment.fee.assessed.v1": Robot.at_the_desk,
    "workflow.task.opened.v1": Robot.at_work,
    "workflow.case.resumed.v1": Robot.at_work,
    "workflow.case.stopped.v1": Robot.resume,
    "workflow.case.completed.v1": Robot.hand_over,
}
