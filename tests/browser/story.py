"""Events as intake and payment would tell them, with the people of the examples in them; and events that do harm."""

import secrets
from collections import Counter
from itertools import count
from typing import Any

import orjson

from deploy.local.folder import ROOT
from shared import clock
from shared.events.envelope import RawEvent
from shared.ids import new_id

EXAMPLES = ROOT / "shared" / "events" / "examples"
SUBMITTED, ACCEPTED = "intake.dossier.submitted.v1", "intake.dossier.accepted.v1"
PUBLISHED, PAID = "intake.procedure.published.v1", "payment.fee.paid.v1"
PERSONAL = (
    "Trần Thị Mẫu",
    "Nguyễn Văn Thử",
    "Lê Thị Nhận",
    "056190000002",
    "056090000001",
    "0000000002",
    "0000000001",
    "example.org",
    "Số 1 đường Mẫu",
)
"""What the examples say about people, officials included."""
_numbers = count(1)


def example(event_type: str) -> dict[str, Any]:
    """Return the data of an event's committed example."""
    return orjson.loads((EXAMPLES / f"{event_type}.json").read_bytes())


def procedure() -> RawEvent:
    """Return the fact that the examples' procedure is in force; workflow needs it to start cases."""
    data = example(PUBLISHED)
    return Story(data["procedure_code"]).event(PUBLISHED, data)


class Story:
    """One dossier; its events are numbered per source and all belong to one trace per call of `accepted`."""

    def __init__(self, code: str = "") -> None:
        self.code = code or f"H32.14.21-260407-{next(_numbers):04}"
        self.told: dict[str, RawEvent] = {}
        self._last = Counter[str]()

    def event(self, event_type: str, data: dict[str, Any], *, cause: str = "") -> RawEvent:
        """Return the next event of its source; `cause` is the type of an event told before."""
        source = event_type.partition(".")[0]
        self._last[source] += 1
        told = RawEvent(
            id=new_id(),
            type=event_type,
            source=source,
            subject=self.code,
            time=clock.now(),
            sequence=self._last[source],
            causation_id=self.told[cause].id if cause else None,
            traceparent=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
            body=orjson.dumps(data),
        )
        self.told[event_type] = told
        return told

    def accepted(self) -> list[RawEvent]:
        """Return submission and acceptance, paid for already as far as the case is concerned."""
        data = example(ACCEPTED) | {"fees": [], "late_entry": True}
        return [self.event(SUBMITTED, example(SUBMITTED)), self.event(ACCEPTED, data)]

    def paid(self) -> RawEvent:
        """Return the news of a payment; for a dossier that workflow has not seen, its cause is missing there."""
        return self.event(PAID, example(PAID) | {"collected": "on_acceptance"}, cause=ACCEPTED)

    def repeated(self) -> RawEvent:
        """Return an event that can never be folded: the submission's number again, under another id."""
        self._last["intake"] = 0
        return self.event(SUBMITTED, example(SUBMITTED))

    def malformed(self) -> RawEvent:
        """Return an acceptance whose body does not fit, full of personal data."""
        return self.event(ACCEPTED, {name: value for name, value in example(ACCEPTED).items() if name != "accepted_by"})
