"""People with recognisable data who live through every process, and what is searched for them."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import httpx

from shared.clock import now
from shared.events.envelope import RawEvent
from shared.events.registry import EVENTS
from shared.ids import new_id
from shared.inbox import Inbox, RetryPlan
from tests.intake.counter import Counter, dossier
from tests.rights.house import OWNER, House

PERSON = {
    "kind": "citizen",
    "name": "Trần Thị Vô Danh Tuyệt Mật",
    "id_kind": "cccd",
    "id_number": "056190987651",
    "phone": "0987654321",
    "email": "vo.danh.tuyet.mat@example.vn",
    "address": "77 Ngõ Không Ai Biết, Nha Trang",
}
PLANTED = ("Vô Danh", "056190987651", "0987654321", "vo.danh.tuyet.mat", "Ngõ Không Ai Biết")


@dataclass(slots=True)
class Lives:
    """What people went through, and what was answered."""

    house: House
    client: httpx.AsyncClient
    counter: Counter
    answers: list[httpx.Response] = field(default_factory=list)

    async def lead(self) -> str:
        """Hand in, ask for more, provide, accept; somebody is refused, somebody writes nonsense. Return a code."""
        taken = await self.counter.submitted(applicant=PERSON, agency_code=OWNER)
        refused = await self.counter.submitted(applicant=PERSON, agency_code=OWNER)
        await self.counter.done(taken, "request-supplement", "supplement", "accept")
        await self.counter.done(refused, "reject")
        await self._write_nonsense(taken)
        await self._tell_everybody()
        return taken

    async def _write_nonsense(self, code: str) -> None:
        """Be refused in every way there is, each time with all of one's data in the body."""
        wrong = [
            dossier(applicant={**PERSON, "id_number": "056190987651x"}),
            dossier(applicant=PERSON, procedure_code="9.999999"),
            dossier(applicant=PERSON, **{PERSON["name"]: PERSON}),
            [PERSON],
            PERSON["email"],
        ]
        self.answers += [await self.counter.post("/dossiers", body) for body in wrong]
        self.answers += [await self.counter.do(code, "accept", {"accepted_by": PERSON["name"]})]
        self.answers += [
            await self.counter.get(f"/dossiers/{PERSON[name]}") for name in ("id_number", "email", "phone")
        ]

    async def _tell_everybody(self) -> None:
        """Carry what was told to every other process, as the bus does; nobody can read one of it."""
        events = [await self._event(row) for row in await self.counter.rows("SELECT * FROM outbox ORDER BY id")]
        broken = events[-1].body.replace(b'"rejected_at":', b'"rejected":')
        poison = RawEvent(new_id(), events[-1].type, "intake", f"{OWNER}-260407-7777", now(), 1, None, None, broken)
        for name, app in self.house.apps.items():
            if name != "intake":
                consumers: Any = import_module(
                    "gateway.consumers" if name == "gateway" else f"services.{name}.consumers"
                )
                inbox = Inbox(app.state.database, consumers.HANDLERS, preload=consumers.preload, plan=RetryPlan(0, 0))
                wanted = [event for event in (*events, poison) if EVENTS[event.type] in consumers.HANDLERS]
                await inbox.take(wanted)
                await inbox.retry_due()

    async def _event(self, row: Any) -> RawEvent:
        assert row["type"] in EVENTS
        return RawEvent(
            row["event_id"], row["type"], "intake", row["subject"], now(), row["sequence"], None, None, row["body"]
        )


def planted(where: str, what: str | bytes) -> list[str]:
    """Return what stands somewhere of what must not, decoded from JSON's escapes too."""
    said = what if isinstance(what, str) else what.decode("utf-8", errors="replace")
    return [f"{where}: {one}" for one in PLANTED if one in said or one.encode("unicode_escape").decode() in said]
