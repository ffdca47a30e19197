"""A dossier born on the national portal and paid there: real processes from the citizen's click to the portal's record.

The portal hands it over, intake, payment and the gateway hear of it over RabbitMQ, the platform tells of the money over
HTTP. However often, early or wrongly that is told, one dossier with its files and one payment come of it.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest

from deploy.demo.client import ApiClient, Tally
from deploy.demo.portal import ControlRoom
from deploy.local.folder import Secrets
from deploy.local.stack import PARTNER
from deploy.portal.payment import hashes
from deploy.portal.payment.records import compact
from shared import clock
from tests.support.assertions import eventually
from tests.support.stack import Stack

pytestmark = pytest.mark.timeout(300)
PROCEDURE, AGENCY, FEE_VND = "1.004194", "H32.14.21", 7_000
"""Registered by the sample catalogue: a fee for what is submitted online, collected on acceptance."""
FILES = {"TP01": b"%PDF-1.4\n% to khai\n%%EOF\n", "TP02": b"%PDF-1.4\n% cho o hop phap\n%%EOF\n"}
LATE_S = 90

_ONCE = """
    SELECT (SELECT count(*) FROM fee WHERE dossier_code = $1 AND status = 'paid') AS paid,
           (SELECT count(*) FROM fee WHERE dossier_code = $1 AND status <> 'paid') AS unpaid,
           (SELECT count(*) FROM receipt WHERE dossier_code = $1) AS receipts,
           (SELECT coalesce(sum(amount_vnd), 0)::int FROM receipt WHERE dossier_code = $1) AS receipted_vnd,
           (SELECT count(*) FROM ledger_entry WHERE dossier_code = $1 AND cause = 'settled') AS settlements,
           (SELECT coalesce(sum(amount_vnd), 0)::int FROM ledger_entry
            WHERE dossier_code = $1 AND cause = 'settled') AS settled_vnd,
           (SELECT coalesce(sum(amount_vnd), 0)::int FROM ledger_entry
            WHERE dossier_code = $1 AND cause = 'unsettled') AS unsettled_vnd,
           (SELECT count(*) FROM deposit JOIN payment p ON p.id = payment_id WHERE p.dossier_code = $1) AS deposits,
           (SELECT count(*) FROM refund WHERE dossier_code = $1) AS refunds
"""
PAID_ONCE = {
    "paid": 1,
    "unpaid": 0,
    "receipts": 1,
    "receipted_vnd": FEE_VND,
    "settlements": 1,
    "settled_vnd": FEE_VND,
    "unsettled_vnd": 0,
    "deposits": 1,
    "refunds": 0,
}


class Town:
    """The stack as citizens, officials and auditors see it."""

    def __init__(self, stack: Stack, gateway: httpx.AsyncClient, portal: httpx.AsyncClient) -> None:
        self.stack, self.portal = stack, portal
        self.room = ControlRoom(portal)
        self.office = ApiClient(gateway, stack.facts["clients"]["one-stop"], Tally())

    async def rows(self, service: str, statement: str, *values: object) -> list[dict[str, Any]]:
        """Return rows of a service's database."""
        connection = await asyncpg.connect(self.stack.facts["postgres"]["urls"][service])
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    async def submit(self, number: str) -> str:
        """Let a citizen submit on the portal; return our code of the dossier."""
        papers = [
            {
                "MaThanhPhanHoSo": code,
                "TenTepDinhKem": f"{code}.pdf",
                "content_base64": base64.b64encode(bytes_).decode(),
            }
            for code, bytes_ in FILES.items()
        ]
        hoso = {
            "MaHoSoDVCQG": number,
            "MaTTHC": PROCEDURE,
            "MaDonVi": AGENCY,
            "ChuHoSo": "Nguyễn Thị An",
            "SoGiayToChuHoSo": "056090000001",
            "LoaiDoiTuong": "1",
            "MaDoiTuong": "TECH00000001",
            "Email": "an@example.vn",
            "SoDienThoai": "0912345678",
            "TrichYeuHoSo": "Đăng ký tạm trú",
            "NgayNopHoSo": "20261123080000",
        }
        found = await self.room.submit({**hoso, "documents": papers})
        assert found["status_code"] in {200, 201}, found
        code: str = found["answer"]["code"]
        return code

    async def accept(self, code: str) -> None:
        """Let the official take the dossier in; from then on it has a fee."""
        await self.office.post(f"/dossiers/{code}/accept", {"accepted_by": "canbo.motcua"})

    async def pay(self, code: str, **order: Any) -> dict[str, Any]:
        """Let the citizen pay on the portal, as soon as it hears that there is something to pay."""

        async def owed_and_paid() -> dict[str, Any]:
            return (await self.room.pay_owed(code, **order))["paid"] or {}

        return await eventually(owed_and_paid, within_s=LATE_S)

    async def money(self, code: str) -> dict[str, int]:
        """Return what payment has of a dossier."""
        return (await self.rows("payment", _ONCE, code))[0]

    async def assert_paid_once(self, code: str, **other: int) -> None:
        """Check payment's database, the gateway's timeline, and what the portal was told of the dossier."""

        async def paid() -> bool:
            return (await self.money(code))["paid"] == 1

        await eventually(paid, within_s=LATE_S)

        async def told() -> bool:
            return (await self.held(code)).get("DuocThanhToanTrucTuyen") == "1"

        await eventually(told, within_s=LATE_S)
        assert await self.money(code) == {**PAID_ONCE, **other}
        of_paying = "SELECT count(*) AS n FROM timeline WHERE dossier_code = $1 AND type = 'payment.fee.paid.v1'"
        assert await self.rows("gateway", of_paying, code) == [{"n": 1}]
        (fee,) = (await self.held(code))["DanhSachLePhi"]
        assert fee["Gia"] == str(FEE_VND)

    async def held(self, code: str) -> Mapping[str, Any]:
        """Return the HoSo that the portal holds."""
        return (await self.told(code)).get("hoso") or {}

    async def told(self, code: str) -> dict[str, Any]:
        """Return everything that the portal was told of a dossier."""
        answer = await self.portal.get(f"/_control/dossiers/{code}")
        return answer.json() if answer.is_success else {}

    async def open_at_the_platform(self, code: str, reference: str) -> None:
        """Open a payment at the platform under a reference of the portal's own making."""
        init = {
            "LoaiBanTin": "INIT",
            "PhienBan": "1.0.6",
            "MaDoiTac": PARTNER,
            "MaThamChieu": reference,
            "SoTien": str(FEE_VND),
            "LoaiHinhThanhToan": "PAY",
            "MaKenhThanhToan": "1",
            "MaThietBi": "1",
            "NgonNgu": "vi-VN",
            "MaTienTe": "VND",
            "MaNganHang": "PAYMENT",
            "ThongTinGiaoDich": f"THANH TOAN HO SO {code}",
            "ThoiGianGD": compact(clock.now()),
            "Ip": "10.0.0.1",
            "ThongTinBienLai": {"MaHoSo": code, "MaDichVu": "2"},
        }
        secret = Secrets(self.stack.folder / "secrets.json")("platform")
        signed = {**init, "MaXacThuc": hashes.authentication_code(init, hashes.INIT, secret)}
        answer = await self.portal.post("/payment/init", json=signed)
        assert answer.json()["MaLoi"] == "00", answer.text


@pytest.fixture
async def town(stack: Stack) -> AsyncIterator[Town]:
    async with (
        httpx.AsyncClient(base_url=stack.facts["gateway_url"], timeout=60) as gateway,
        httpx.AsyncClient(base_url=stack.facts["portal"]["url"], timeout=60) as portal,
    ):
        yield Town(stack, gateway, portal)


@pytest.fixture
def number() -> str:
    """Return a new number of the portal's own."""
    return f"G22.99.99-261123-{uuid4().int % 10**11:011}"


def replies(paid: Mapping[str, Any]) -> list[list[str]]:
    """Return what was answered to each callback, in order."""
    return [[orjson.loads(reply["body"])["MaLoi"] for reply in one["replies"]] for one in paid["callbacks"]]


class TestDossier:
    """Born on the portal, with a fee."""

    async def test_is_one_with_its_files_and_paid_once_whatever_is_told_again(self, town: Town, number: str) -> None:
        """Handed over three times, two of them at once; the money told five times at once."""
        codes = {await town.submit(number), *await asyncio.gather(town.submit(number), town.submit(number))}
        (code,) = codes
        of_number = "SELECT code FROM dossier WHERE origin_reference = $1"
        assert await town.rows("intake", of_number, number) == [{"code": code}]
        await town.accept(code)
        paid = await town.pay(code, callbacks=5, parallel=True)
        await town.assert_paid_once(code)
        outcomes = "SELECT outcome, count(*) AS n FROM callback_log WHERE reference = $1 GROUP BY 1 ORDER BY 1"
        noted = await town.rows("payment", outcomes, paid["MaThamChieu"])
        assert noted == [{"outcome": "duplicate", "n": 4}, {"outcome": "settled", "n": 1}]
        files = "SELECT component_code, sha256, held FROM document WHERE dossier_code = $1 ORDER BY 1"
        assert await town.rows("intake", files, code) == [
            {"component_code": name, "sha256": hashlib.sha256(content).hexdigest(), "held": True}
            for name, content in FILES.items()
        ]
        assert (await town.room.pay_owed(code))["answer"]["error_code"] == 0

        async def in_step() -> bool:
            return [one["status"] for one in (await town.told(code))["statuses"]] == ["1", "2", "4"]

        await eventually(in_step, within_s=LATE_S)

    async def test_that_was_paid_before_payment_knew_it_is_paid_once_it_does(self, town: Town, number: str) -> None:
        """The platform is told that nobody knows it, and tells again until it is known."""
        code = await town.submit(number)
        reference = f"{code}{compact(clock.now())}"
        await town.open_at_the_platform(code, reference)
        paid = await town.room.pay(reference, callbacks=2)
        assert all(answers[0] == "99" for answers in replies(paid))
        assert (await town.money(code))["deposits"] == 0
        await town.accept(code)
        await town.assert_paid_once(code)

        async def all_taken() -> bool:
            shown = (await town.portal.get(f"/_control/payments/{reference}")).json()
            return all(one["confirmed_at"] for one in shown["callbacks"])

        await eventually(all_taken, within_s=LATE_S)
        assert await town.money(code) == PAID_ONCE

    async def test_that_was_paid_wrongly_first_is_paid_once_and_the_rest_goes_back(
        self, town: Town, number: str
    ) -> None:
        code = await town.submit(number)
        await town.accept(code)
        await town.pay(code, amount_vnd=FEE_VND - 1_000, callbacks=2)
        found = await town.money(code)
        assert (found["paid"], found["receipts"], found["refunds"]) == (0, 0, 1)
        await town.pay(code, callbacks=2)
        await town.assert_paid_once(code, deposits=2, refunds=1, unsettled_vnd=FEE_VND - 1_000)

    async def test_is_paid_once_though_payment_is_killed_while_it_is_told(
        self, town: Town, stack: Stack, number: str
    ) -> None:
        code = await town.submit(number)
        await town.accept(code)

        async def assessed() -> bool:
            return (await town.money(code))["unpaid"] == 1

        await eventually(assessed, within_s=LATE_S)
        paying = asyncio.create_task(town.pay(code, callbacks=20, parallel=True))

        async def begun() -> bool:
            return bool((await town.portal.get("/_control/payments", params={"dossier": code})).json()["payments"])

        await eventually(begun, within_s=LATE_S)
        await asyncio.to_thread(stack.control.kill, "payment")
        await paying
        await asyncio.to_thread(stack.control.wait_ready, "payment")
        await town.assert_paid_once(code)
