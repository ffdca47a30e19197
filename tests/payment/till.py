"""What tests of payment do all the time: let dossiers be accepted, pay as a payer would, read what was told."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import select, text, update

from deploy.portal.payment import hashes
from services.payment.consumers import HANDLERS, preload
from services.payment.models import Fee, Payment, PaymentBase, Receipt, Refund
from shared import clock
from shared.caller import Caller
from shared.db import PLUMBING, Database
from shared.events.envelope import EventData, RawEvent, encode
from shared.events.intake import DossierAccepted, DossierRejected, DossierRetracted, DossierWithdrawn
from shared.events.registry import EVENTS
from shared.events.values import Channel, CollectedAt, FeeItem, FeeKind, Party, PartyKind
from shared.ids import new_id
from shared.inbox import Inbox, RetryPlan
from shared.work import Work, open_work
from tests.portal.process import PARTNER, SECRET
from tests.support.tokens import Issuer

AGENCY = "H32.14"
SCOPES = ("fees:read", "payments:write", "refunds:write", "dossiers:decide")
DEADLINE_S = 10
PAYER = Party(kind=PartyKind.CITIZEN, name="Nguyễn Thị Thử", id_number="056190001234", address="Nha Trang")
CONFIRM = "/payments/callbacks/national"
_numbers = count(1)

Row = TypeVar("Row", bound=PaymentBase)


def item(
    amount_vnd: int, collected: CollectedAt = CollectedAt.ON_ACCEPTANCE, kind: FeeKind = FeeKind.LE_PHI
) -> FeeItem:
    """Return one phí or lệ phí."""
    return FeeItem(code="LP01", name="Lệ phí cấp giấy", kind=kind, amount_vnd=amount_vnd, collected=collected)


def accepted(*items: FeeItem, agency: str = AGENCY) -> DossierAccepted:
    """Say that a dossier was accepted."""
    return DossierAccepted(
        procedure_code="1.004222",
        procedure_version=1,
        agency_code=agency,
        channel=Channel.ONLINE,
        accepted_at=clock.now(),
        accepted_by="can.bo",
        due_at=None,
        duration=None,
        calendar_version="vn",
        applicant=PAYER,
        owner=PAYER,
        fees=items,
    )


def rejected() -> DossierRejected:
    """Say that it was refused."""
    return DossierRejected(reason="Thiếu", legal_basis="NĐ 118/2025", rejected_at=clock.now(), rejected_by="can.bo")


def retracted() -> DossierRetracted:
    """Say that it was entered by mistake."""
    return DossierRetracted(reason="Nhập trùng", retracted_at=clock.now(), retracted_by="can.bo")


def withdrawn(*, after_acceptance: bool = True) -> DossierWithdrawn:
    """Say that it was withdrawn."""
    return DossierWithdrawn(reason="Đổi ý", withdrawn_at=clock.now(), after_acceptance=after_acceptance)


def raw(data: EventData, subject: str) -> RawEvent:
    """Return a fact of intake as the bus brings it."""
    return RawEvent(new_id(), data.event_type, "intake", subject, clock.now(), 1, None, None, encode(data))


def new_code(agency: str = AGENCY) -> str:
    """Return a dossier code that no other test has."""
    return f"{agency}-261123-{next(_numbers):04d}"


def confirmation(reference: str, **changes: Any) -> dict[str, Any]:
    """Return a CONFIRM of success, rightly signed whatever is changed; `secret` signs with another one."""
    secret = changes.pop("secret", SECRET)
    message = {
        "LoaiBanTin": "CONFIRM",
        "MaLoi": "00",
        "MaDoiTac": PARTNER,
        "MaThamChieu": reference,
        "SoTien": "50000",
        "MaTienTe": "VND",
        "MaGiaoDich": f"GD{new_id().hex}",
        "MaNganHang": "VIETCOMBANK",
        "ThoiGianGD": "20261123143005",
        "ThongTinGiaoDich": "THANH TOAN HO SO",
        **changes,
    }
    return {**message, "MaXacThuc": hashes.authentication_code(message, hashes.CONFIRM, secret)}


@dataclass(slots=True)
class Till:
    """The service with its clients, and the platform's control room."""

    app: FastAPI
    client: httpx.AsyncClient
    platform: httpx.AsyncClient
    issuer: Issuer
    vnpay: httpx.AsyncClient
    bank: httpx.AsyncClient

    @property
    def database(self) -> Database:
        return self.app.state.database

    # What intake tells

    async def hear(self, *events: RawEvent) -> None:
        """Take events as one batch; none of their dossiers may be left waiting."""
        await Inbox(self.database, HANDLERS, preload=preload, plan=RetryPlan(0, 0)).take(events)
        codes = [event.subject for event in events]
        assert await self.scalars("SELECT reason FROM waiting WHERE subject = ANY(:codes)", codes=codes) == []

    async def accept(self, *items: FeeItem, code: str = "", agency: str = AGENCY) -> list[Fee]:
        """Let a dossier be accepted; return its fees."""
        code = code or new_code(agency)
        await self.hear(raw(accepted(*items, agency=agency), code))
        return sorted(await self.rows(Fee, Fee.dossier_code == code), key=lambda fee: fee.id)

    async def owe(self, amount_vnd: int = 50_000, *, agency: str = AGENCY) -> Fee:
        """Return a fee that is due on acceptance."""
        (fee,) = await self.accept(item(amount_vnd), agency=agency)
        return fee

    # What clients do

    def headers(self, **who: Any) -> dict[str, str]:
        """Return the headers of a call of an office of AGENCY."""
        return self.issuer.headers(who.pop("scopes", SCOPES), **{"agency": AGENCY, **who})

    async def post(self, path: str, body: dict[str, Any] | None = None, **who: Any) -> httpx.Response:
        """Send a call that changes something."""
        return await self.client.post(path, json=body, headers=self.headers(**who))

    async def get(self, path: str, **query: Any) -> Any:
        """Return what a list or a thing shows."""
        answer = await self.client.get(path, params=query, headers=self.headers())
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def start(self, fee: Fee, provider: str = "national_platform", **who: Any) -> httpx.Response:
        """Start a payment."""
        return await self.post("/payments", {"fee_id": str(fee.id), "provider": provider}, **who)

    async def attempt(self, fee: Fee, provider: str = "national_platform") -> dict[str, Any]:
        """Open an attempt and wait until it can be paid."""
        answer = await self.start(fee, provider)
        assert answer.status_code in {200, 201}, answer.text
        return await self.payment_when(answer.json()["id"], lambda payment: payment["pay_url"] or payment["qr_payload"])

    async def pay_in_cash(self, fee: Fee) -> dict[str, Any]:
        """Pay a fee at the counter."""
        answer = await self.start(fee, "cash")
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def payment_when(self, payment_id: str, reached: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return a payment as soon as it is as wanted."""
        return await self.eventually(lambda: self.get(f"/payments/{payment_id}"), reached)

    async def ended(self, attempt: dict[str, Any]) -> dict[str, Any]:
        """Return an attempt as soon as it has ended."""
        return await self.payment_when(attempt["id"], lambda payment: payment["status"] != "initiated")

    async def eventually(self, read: Callable[[], Awaitable[Any]], reached: Callable[[Any], object]) -> Any:
        """Return what is read as soon as it is as wanted."""
        found = None
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not reached(found := await read()):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not reached: {found}") from None
        return found

    # What the platform does

    async def confirm(self, reference: str, **changes: Any) -> dict[str, Any]:
        """Post a CONFIRM; return the reply, whose hash must be right."""
        answer = await self.client.post(CONFIRM, json=confirmation(reference, **changes))
        assert answer.status_code == 200, answer.text
        assert hashes.is_authentic(answer.json(), hashes.REPLY, SECRET)
        return answer.json()

    async def pay(self, reference: str, **order: Any) -> dict[str, Any]:
        """Let the payer pay at the real platform process."""
        answer = await self.platform.post(f"/_control/payments/{reference}/pay", json=order)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pay_vnpay(self, attempt: dict[str, Any], **order: Any) -> dict[str, Any]:
        """Let the payer open the address and pay at the real process of VNPAY."""
        answer = await self.vnpay.post("/_control/pay", json={"url": attempt["pay_url"], **order})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def transfer(self, attempt: dict[str, Any] | None = None, **order: Any) -> dict[str, Any]:
        """Let the payer scan the code, or write words by hand, and transfer at the real process of the bank."""
        scanned = {"qr": attempt["qr_payload"]} if attempt else {}
        answer = await self.bank.post("/_control/transfers", json={**scanned, **order})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def order(self, mock: httpx.AsyncClient, kind: str, **more: Any) -> None:
        """Order a fault at VNPAY or at the bank."""
        answer = await mock.post("/_control/faults", json={"kind": kind, **more})
        assert answer.status_code == 201, answer.text

    async def fault(self, service: str, kind: str, **more: Any) -> None:
        """Order a fault at the platform."""
        answer = await self.platform.post("/_control/faults", json={"service": service, "kind": kind, **more})
        assert answer.status_code == 201, answer.text

    async def inits(self, reference: str) -> list[dict[str, Any]]:
        """Return the INIT that the platform took for a reference, none when it took none."""
        answer = await self.platform.get(f"/_control/payments/{reference}")
        return [answer.json()["init"]] if answer.status_code == 200 else []

    async def calls(self) -> list[str]:
        """Return which calls reached the platform and had their effect, in order."""
        answer = await self.platform.get("/_control/received", params={"limit": 10_000})
        return [row["service"] for row in answer.json()["rows"] if row["code"] and row["dossier"] is None]

    async def platform_answered(self) -> None:
        """Wait until no call to the platform is under way."""
        await asyncio.gather(*self.app.state.asker._calls)

    async def ask_now(
        self, attempt: dict[str, Any], *, out_of_time: bool = False, ended_days_ago: int | None = None
    ) -> None:
        """Let a provider be asked about an attempt now; out_of_time: its life is over, just now or some days ago."""
        changes: dict[str, Any] = {"ask_at": clock.now()}
        if out_of_time or ended_days_ago is not None:
            changes["expires_at"] = clock.now() - timedelta(days=ended_days_ago or 0, seconds=1)
        async with self.database.session() as session:
            await session.execute(update(Payment).where(Payment.id == UUID(attempt["id"])).values(**changes))
            await session.commit()

    # What is there

    async def rows(self, model: type[Row], *conditions: Any) -> list[Row]:
        """Return rows of a table."""
        async with self.database.session() as session:
            return list((await session.scalars(select(model).where(*conditions))).all())

    async def scalars(self, query: str, **values: Any) -> list[Any]:
        """Return the first column of a query."""
        async with self.database.session() as session:
            return list((await session.execute(text(query), values)).scalars())

    async def fee(self, fee: Fee) -> Fee:
        """Return a fee as it stands now."""
        return (await self.rows(Fee, Fee.id == fee.id))[0]

    async def receipts(self, fee: Fee) -> list[Receipt]:
        """Return a fee's receipts."""
        return await self.rows(Receipt, Receipt.fee_id == fee.id)

    async def refunds(self, fee: Fee) -> list[Refund]:
        """Return a fee's refunds."""
        return await self.rows(Refund, Refund.fee_id == fee.id)

    async def told(self, fee: Fee) -> list[EventData]:
        """Return what was told about a fee's dossier, in order; its numbers must have no gap."""
        query = text("SELECT type, sequence, body FROM outbox WHERE subject = :code ORDER BY id")
        async with self.database.session() as session:
            found = (await session.execute(query, {"code": fee.dossier_code})).all()
        assert [row.sequence for row in found] == list(range(1, len(found) + 1))
        return [EVENTS[row.type].model_validate_json(row.body) for row in found]

    async def told_names(self, fee: Fee) -> list[str]:
        """Return the names of what was told, without service and version."""
        told = await self.told(fee)
        return [fact.event_type.removeprefix("payment.").removesuffix(".v1") for fact in told]

    async def outcomes(self, reference: str) -> list[str]:
        """Return what came of the callbacks about a reference."""
        query = "SELECT outcome FROM callback_log WHERE reference = :reference ORDER BY id"
        return await self.scalars(query, reference=reference)

    @asynccontextmanager
    async def work(self) -> AsyncGenerator[Work]:
        """Open a transaction as an office's client has it."""
        async with open_work(self.database, Caller("one-stop", AGENCY)) as work:
            yield work

    async def clear(self) -> None:
        """Forget everything, here and at the platform."""
        for mock in (self.platform, self.vnpay, self.bank):
            await mock.post("/_control/reset")
        tables = [*reversed(PaymentBase.metadata.sorted_tables), *PLUMBING.sorted_tables]
        async with self.database.session() as session:
            # In the service's own order of locks: a last answer of the platform may just be recorded.
            await session.execute(text("LOCK TABLE fee, payment IN EXCLUSIVE MODE"))
            # The ledger's tables let nobody delete; a replica's session passes by their triggers.
            await session.execute(text("SET LOCAL session_replication_role = replica"))
            for table in tables:
                await session.execute(table.delete())
            await session.commit()
