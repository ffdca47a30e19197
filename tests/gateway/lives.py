"""Whole lives of dossiers as the bus brings them: each event with its number, its cause and its moment."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.events import intake, payment, results, workflow
from shared.events.envelope import EventData, RawEvent, encode
from shared.events.registry import owner_of
from shared.events.values import (
    Channel,
    CollectedAt,
    Document,
    FeeItem,
    FeeKind,
    IdKind,
    Party,
    PartyKind,
    ReturnMethod,
    ServiceLevel,
)
from shared.ids import new_id

BEGAN = datetime(2026, 4, 7, 1, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REACHED = {"email": "bi.mat@example.vn", "phone": "0912345678", "address": "12 Trần Phú, Nha Trang"}
CITIZEN = Party(
    kind=PartyKind.CITIZEN, name="Nguyễn Thị Bí Mật", id_kind=IdKind.CCCD, id_number="056090000001", **REACHED
)
COMPANY = Party(
    kind=PartyKind.ORGANISATION, name="Công ty Kín", id_kind=IdKind.MST, id_number="0100109106", phone="02583822222"
)
FEES = (
    FeeItem(code="LP01", name="Lệ phí cấp phép", kind=FeeKind.LE_PHI, amount_vnd=50_000),
    FeeItem(code="P02", name="Phí thẩm định", kind=FeeKind.PHI, amount_vnd=150_000, collected=CollectedAt.ON_RETURN),
)


def document(name: str = "Đơn đề nghị", **more: Any) -> Document:
    """Return a paper handed in."""
    return Document(id=new_id(), component_code="TP01", name=name, **more)


@dataclass
class Life:
    """One dossier: tell it what happens, and take its events."""

    code: str = "H32.14-260407-0001"
    agency: str = "H32.14"
    events: list[RawEvent] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What the portal must be told, in order."""
    moments: list[datetime] = field(default_factory=list)
    """When each of these was true."""
    now: datetime = BEGAN
    due: datetime | None = BEGAN + timedelta(days=5)
    fee_id: UUID = field(default_factory=new_id)
    result_id: UUID = field(default_factory=new_id)
    asked: list[UUID] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)

    def tell(self, data: EventData, *, status: int | None = None, cause: RawEvent | None = None) -> RawEvent:
        """Let a service tell a fact."""
        source = owner_of(data.event_type)
        self._numbers[source] += 1
        told = RawEvent(
            id=new_id(),
            type=data.event_type,
            source=source,
            subject=self.code,
            time=self.now,
            sequence=self._numbers[source],
            causation_id=cause.id if cause else None,
            traceparent=TRACE,
            body=encode(data),
        )
        self.events.append(told)
        if status:
            self.statuses.append(status)
            self.moments.append(self.now)
        self.now += timedelta(minutes=17)
        return told

    def submit(self, owner: Party = CITIZEN, channel: Channel = Channel.DIRECT, **more: Any) -> RawEvent:
        """Hand it in: status 1."""
        facts: dict[str, Any] = {
            "procedure_code": "1.004222",
            "procedure_version": 1,
            "procedure_name": "Cấp giấy phép xây dựng",
            "field_code": "XD",
            "field_name": "Xây dựng",
            "agency_code": self.agency,
            "agency_name": "UBND thành phố Nha Trang",
            "channel": channel,
            "service_level": ServiceLevel.PARTIAL,
            "applicant": owner,
            "owner": owner,
            "summary": "Xây nhà ở",
            "submitted_at": self.now,
            "return_method": ReturnMethod.COUNTER,
            "documents": (document(), document("Bản vẽ", digitised=True, sha256="a" * 64)),
            "fees": FEES,
        }
        return self.tell(intake.DossierSubmitted.model_validate(facts | more), status=1)

    def accept(self) -> RawEvent:
        """Accept it: status 2."""
        data = intake.DossierAccepted(
            procedure_code="1.004222",
            procedure_version=1,
            agency_code=self.agency,
            channel=Channel.DIRECT,
            accepted_at=self.now,
            accepted_by="Trần Văn Nhận",
            due_at=self.due,
            duration=None,
            calendar_version="2026",
            applicant=CITIZEN,
            owner=CITIZEN,
            fees=FEES,
        )
        return self.tell(data, status=2)

    def reject(self) -> RawEvent:
        """Refuse it: status 3."""
        data = intake.DossierRejected(
            reason="Không đúng thẩm quyền", legal_basis="NĐ 118/2025", rejected_at=self.now, rejected_by="Trần Văn Nhận"
        )
        return self.tell(data, status=3)

    def ask(self) -> RawEvent:
        """Ask for more papers before acceptance: status 5."""
        self.asked.append(new_id())
        data = intake.DossierSupplementRequested(
            supplement_id=self.asked[-1],
            content="Bổ sung bản vẽ",
            requested_at=self.now,
            requested_by="Trần Văn Nhận",
            respond_by=self.now + timedelta(days=3),
        )
        return self.tell(data, status=5)

    def answer(self, *papers: Document) -> RawEvent:
        """Hand the papers in before acceptance: status 1 again."""
        data = intake.DossierSupplemented(
            supplement_id=self.asked[-1], answered_at=self.now, documents=papers or (document("Bản vẽ mới"),)
        )
        return self.tell(data, status=1)

    def withdraw(self, cause: RawEvent | None = None) -> RawEvent:
        """Give it back: status 7."""
        data = intake.DossierWithdrawn(reason="Đổi ý", withdrawn_at=self.now, after_acceptance=cause is not None)
        return self.tell(data, status=7, cause=cause)

    def retract(self) -> RawEvent:
        """Strike it off, entered by mistake: status 7."""
        return self.tell(intake.DossierRetracted(reason="Trùng", retracted_at=self.now, retracted_by="Nhận"), status=7)

    def assess(self, cause: RawEvent) -> RawEvent:
        """Owe a fee."""
        data = payment.FeeAssessed(
            fee_id=self.fee_id,
            items=FEES[:1],
            amount_vnd=50_000,
            collected=CollectedAt.ON_ACCEPTANCE,
            assessed_at=self.now,
        )
        return self.tell(data, cause=cause)

    def pay(self, method: str = "national_platform") -> RawEvent:
        """Pay it."""
        data = payment.FeePaid(
            fee_id=self.fee_id,
            payment_id=new_id(),
            amount_vnd=50_000,
            collected=CollectedAt.ON_ACCEPTANCE,
            method=method,
            paid_at=self.now,
        )
        return self.tell(data)

    def start(self, cause: RawEvent) -> RawEvent:
        """Start the case: status 4."""
        data = workflow.CaseStarted(
            process_code="QT01", process_version=1, agency_code=self.agency, started_at=self.now, due_at=self.due
        )
        return self.tell(data, status=4, cause=cause)

    def work(self) -> RawEvent:
        """Finish a task."""
        data = workflow.TaskCompleted(
            task_id=new_id(),
            step_key="tham-dinh",
            step_name="Thẩm định",
            unit="Phòng Quản lý đô thị",
            official="Lê Văn Làm",
            note="Đủ điều kiện",
            opened_at=self.now,
            due_at=self.due,
            completed_at=self.now,
        )
        return self.tell(data)

    def pause_for_papers(self) -> RawEvent:
        """Ask for more papers while it runs: status 5."""
        self.asked.append(new_id())
        data = workflow.CaseSupplementRequested(
            supplement_id=self.asked[-1],
            content="Bổ sung ảnh",
            requested_by="Lê Văn Làm",
            paused_at=self.now,
            respond_by=self.now + timedelta(days=3),
        )
        return self.tell(data, status=5)

    def provide(self, cause: RawEvent, *papers: Document) -> RawEvent:
        """Hand in papers asked for while it ran."""
        data = intake.SupplementProvided(
            supplement_id=self.asked[-1], answered_at=self.now, documents=papers or (document("Ảnh"),)
        )
        return self.tell(data, cause=cause)

    def pause_for_payment(self) -> RawEvent:
        """Wait for the fee: status 6."""
        return self.tell(workflow.CasePaymentAwaited(amount_vnd=50_000, paused_at=self.now), status=6)

    def stop(self) -> RawEvent:
        """Stop it: status 8."""
        data = workflow.CaseStopped(
            reason="Chờ quy hoạch", legal_basis="Luật Xây dựng", stopped_by="Phạm Thị Dừng", paused_at=self.now
        )
        return self.tell(data, status=8)

    def resume(self, after: str, cause: RawEvent | None = None) -> RawEvent:
        """Go on: status 4 again; the due date has moved."""
        before, self.due = self.due, self.due and self.due + timedelta(days=1)
        data = workflow.CaseResumed(after=after, resumed_at=self.now, previous_due_at=before, due_at=self.due)
        return self.tell(data, status=4, cause=cause)

    def complete(self) -> RawEvent:
        """Finish it: status 9."""
        on_time = self.now <= self.due if self.due else None
        return self.tell(workflow.CaseCompleted(completed_at=self.now, due_at=self.due, on_time=on_time), status=9)

    def end_case(self, cause: RawEvent) -> RawEvent:
        """End the case because the dossier is wanted back."""
        return self.tell(workflow.CaseWithdrawn(reason="Đổi ý", withdrawn_at=self.now), cause=cause)

    def want_back(self) -> RawEvent:
        """Ask for an accepted dossier back."""
        return self.tell(intake.WithdrawalRequested(reason="Đổi ý", requested_at=self.now))

    def issue(self) -> RawEvent:
        """Issue the result."""
        data = results.ResultIssued(
            result_id=self.result_id,
            number="12/GPXD",
            kind_code="KQ.01",
            kind_name="Giấy phép xây dựng",
            agency_code=self.agency,
            media_type="application/pdf",
            size_bytes=9,
            sha256="b" * 64,
            issued_by="Võ Thị Ký",
            issued_at=self.now,
        )
        return self.tell(data)

    def hand_over(self, cause: RawEvent) -> RawEvent:
        """Return the result: status 10."""
        data = results.ResultReturned(
            result_id=self.result_id,
            number="12/GPXD",
            method=ReturnMethod.COUNTER,
            returned_at=self.now,
            returned_by="Hồ Văn Trả",
        )
        return self.tell(data, status=10, cause=cause)


def returned(life: Life, **submission: Any) -> Life:
    """Live as most do."""
    life.submit(**submission)
    accepted = life.accept()
    life.assess(accepted)
    life.start(accepted)
    life.pay()
    life.work()
    life.issue()
    life.hand_over(life.complete())
    return life


def rejected(life: Life) -> Life:
    """Be refused at the counter."""
    life.submit()
    life.reject()
    return life


def rejected_after_supplement(life: Life) -> Life:
    """Be refused although more was handed in."""
    life.submit()
    life.ask()
    life.answer()
    life.ask()
    life.reject()
    return life


def withdrawn_before(life: Life) -> Life:
    """Be wanted back before acceptance."""
    life.submit()
    life.ask()
    life.withdraw()
    return life


def retracted(life: Life) -> Life:
    """Turn out to be entered by mistake."""
    life.submit()
    life.retract()
    return life


def withdrawn_after(life: Life) -> Life:
    """Be wanted back while it runs."""
    life.submit()
    accepted = life.accept()
    life.start(accepted)
    life.assess(accepted)
    life.work()
    life.withdraw(life.end_case(life.want_back()))
    return life


def stopped(life: Life) -> Life:
    """Stand still by order, and go on."""
    life.submit(COMPANY, Channel.POSTAL, return_method=ReturnMethod.POSTAL)
    life.start(life.accept())
    life.stop()
    life.resume("stop")
    life.issue()
    life.hand_over(life.complete())
    return life


def supplemented_twice(life: Life) -> Life:
    """Need papers before acceptance and while it runs."""
    life.submit()
    life.ask()
    life.answer()
    life.start(life.accept())
    life.resume("supplement", life.provide(life.pause_for_papers()))
    life.issue()
    life.hand_over(life.complete())
    return life


def paid_late(life: Life) -> Life:
    """Wait for its fee."""
    account = CITIZEN.model_copy(update={"portal_account": "TECH-1", "eid_verified": True})
    life.submit(account, Channel.ONLINE, origin="national_portal", origin_reference="QG-1")
    accepted = life.accept()
    life.start(accepted)
    life.assess(accepted)
    life.pause_for_payment()
    life.resume("payment", life.pay())
    life.issue()
    life.hand_over(life.complete())
    return life


def without_term(life: Life) -> Life:
    """Have no day by which it must be done."""
    life.due = None
    return returned(life, summary="", documents=(), fees=())


ENDINGS: dict[str, Callable[[Life], Life]] = {
    ending.__name__: ending
    for ending in (
        returned,
        rejected,
        rejected_after_supplement,
        withdrawn_before,
        retracted,
        withdrawn_after,
        stopped,
        supplemented_twice,
        paid_late,
        without_term,
    )
}
"""Every kind of ending, by name."""
