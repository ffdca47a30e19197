"""Refunds whole and in part, by a person and by a rule; exemptions; shifts at the cash desk."""

import asyncio
from typing import Any

import pytest

from services.payment.models import Deposit, Fee
from services.payment.states import FeeStatus
from shared.events.payment import FeeReduced
from shared.events.values import FeeKind
from tests.payment.till import Till, item

RULE: dict[str, Any] = {
    "code": "MG-DVCTT",
    "name": "Giảm lệ phí nộp hồ sơ trực tuyến",
    "legal_basis": "Nghị quyết HĐND tỉnh",
    "kinds": ["le_phi"],
    "agency_code": "H32",
    "percent": 50,
    "valid_from": "2020-01-01",
}
EXEMPT = {"exemption_code": "MG-DVCTT", "evidence": "Nộp trực tuyến"}


async def refund(till: Till, payment: dict[str, Any], amount_vnd: int | None = None, **who: Any) -> Any:
    body: dict[str, Any] = {"payment_id": payment["id"], "legal_basis": "Điều 12 Luật Phí và lệ phí"}
    return await till.post("/refunds", body | ({"amount_vnd": amount_vnd} if amount_vnd else {}), **who)


async def add_rule(till: Till, **changes: Any) -> Any:
    return await till.post("/exemptions", RULE | changes, scopes=["catalogue:write"], agency="H32")


class TestPart:
    """POST /refunds."""

    async def test_goes_back_again_and_again_until_nothing_is_left(self, till: Till) -> None:
        payment = await till.pay_in_cash(await till.owe())
        assert [(await refund(till, payment, vnd)).status_code for vnd in (20_000, 20_000)] == [201, 201]
        above = await refund(till, payment, 10_001)
        assert (above.status_code, above.json()["code"], above.json()["left_vnd"]) == (
            409,
            "refund_above_deposit",
            10_000,
        )
        assert (await refund(till, payment)).json()["amount_vnd"] == 10_000
        assert (await refund(till, payment)).json()["code"] == "refund_above_deposit"

    async def test_is_never_above_the_payment_whatever_races(self, till: Till) -> None:
        payment = await till.pay_in_cash(await till.owe())
        answers = await asyncio.gather(*(refund(till, payment, 7_000) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [201] * 7 + [409] * 13
        assert [deposit.refunded_vnd for deposit in await till.rows(Deposit)] == [49_000]

    async def test_with_the_same_key_is_one(self, till: Till) -> None:
        payment = await till.pay_in_cash(await till.owe())
        answers = await asyncio.gather(*(refund(till, payment, 7_000, key="k1") for _ in range(5)))
        assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
        assert [deposit.refunded_vnd for deposit in await till.rows(Deposit)] == [7_000]

    async def test_is_bounded_by_the_database_too(self, till: Till) -> None:
        await till.pay_in_cash(await till.owe())
        with pytest.raises(Exception, match="refunded_at_most_once"):
            await till.scalars("UPDATE deposit SET refunded_vnd = amount_vnd + 1 RETURNING 1")

    async def test_of_money_that_settled_nothing_is_already_under_way(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe())
        await till.pay(attempt["reference"], amount_vnd=10)
        answer = await refund(till, attempt)
        assert (answer.status_code, answer.json()["code"]) == (409, "refund_impossible")

    async def test_that_came_back_days_after_it_arrived_goes_elsewhere(self, till: Till) -> None:
        one = (await refund(till, await till.pay_in_cash(await till.owe()))).json()
        for step, body in (("send", {"transfer_reference": "FT1"}), ("done", None)):
            assert (await till.post(f"/refunds/{one['id']}/{step}", body)).status_code == 200
        failed = await till.post(f"/refunds/{one['id']}/fail", {"reason": "Ngân hàng hoàn lại: sai tên"})
        assert failed.json()["status"] == "failed"
        elsewhere = {"transfer_reference": "FT2", "account_number": "0011", "account_bank": "970436"}
        again = (await till.post(f"/refunds/{one['id']}/send", elsewhere)).json()
        assert (again["status"], again["account_number"], again["failure"]) == ("sent", "0011", None)
        assert [deposit.refunded_vnd for deposit in await till.rows(Deposit)] == [50_000]

    async def test_needs_an_office(self, till: Till) -> None:
        payment = await till.pay_in_cash(await till.owe())
        assert (await refund(till, payment, scopes=["refunds:write"])).status_code == 403


class TestExemption:
    """Dated rules of law."""

    async def test_of_a_part_reduces_what_is_due_and_ends_the_open_attempt(self, till: Till) -> None:
        await add_rule(till)
        (fee,) = await till.accept(item(50_001), item(20_000, kind=FeeKind.PHI))
        attempt = await till.attempt(fee)
        shown = (await till.post(f"/fees/{fee.id}/exempt", EXEMPT)).json()
        assert (shown["amount_vnd"], shown["exempted_vnd"], shown["status"]) == (45_001, 25_000, "due")
        assert [one["amount_vnd"] for one in shown["items"]] == [25_001, 20_000]
        told = [fact for fact in await till.told(fee) if isinstance(fact, FeeReduced)]
        assert [(fact.amount_vnd, fact.exempted_vnd) for fact in told] == [(45_001, 25_000)]
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "expired"
        assert (await till.attempt(fee))["amount_vnd"] == 45_001
        twice = await till.post(f"/fees/{fee.id}/exempt", EXEMPT)
        assert (twice.status_code, twice.json()["code"]) == (409, "exemption_not_applicable")

    async def test_of_all_waives(self, till: Till) -> None:
        await add_rule(till, percent=100, kinds=["phi", "le_phi"])
        fee = await till.owe()
        shown = (await till.post(f"/fees/{fee.id}/exempt", EXEMPT)).json()
        assert (shown["status"], "MG-DVCTT" in shown["ended_because"]) == ("waived", True)

    async def test_seen_after_the_payment_gives_the_part_back(self, till: Till) -> None:
        await add_rule(till)
        fee = await till.owe()
        await till.pay_in_cash(fee)
        await till.post(f"/fees/{fee.id}/exempt", EXEMPT)
        assert [(r.reason, r.amount_vnd) for r in await till.refunds(fee)] == [("exempted", 25_000)]
        assert (await till.fee(fee)).status == FeeStatus.PAID

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"valid_to": "2020-12-31"}, "exemption_not_found"),
            ({"kinds": ["phi"]}, "exemption_not_applicable"),
            ({"procedures": ["9.999999"]}, "exemption_not_applicable"),
            ({"agency_code": "H32.15"}, "exemption_not_applicable"),
        ],
    )
    async def test_applies_only_where_and_when_it_does(self, till: Till, changes: dict[str, Any], code: str) -> None:
        assert (await add_rule(till, **changes)).status_code == 201
        fee = await till.owe()
        assert (await till.post(f"/fees/{fee.id}/exempt", EXEMPT)).json()["code"] == code
        assert (await till.rows(Fee, Fee.id == fee.id))[0].amount_vnd == 50_000

    async def test_never_overlaps_and_is_ended_before_the_next_version(self, till: Till) -> None:
        first = (await add_rule(till)).json()
        assert (await add_rule(till, valid_from="2027-01-01")).json()["code"] == "exemption_overlaps"
        who = {"scopes": ["catalogue:write"], "agency": "H32"}
        ended = await till.post(f"/exemptions/{first['id']}/end", {"valid_to": "2026-12-31"}, **who)
        assert ended.json()["valid_to"] == "2026-12-31"
        assert (await add_rule(till, valid_from="2027-01-01", percent=30)).status_code == 201
        in_force = await till.get("/exemptions", in_force_on="2027-06-01")
        assert [rule["percent"] for rule in in_force["items"]] == [30]

    async def test_needs_the_right_to_write_the_catalogue(self, till: Till) -> None:
        assert (await till.post("/exemptions", RULE)).status_code == 403


class TestShift:
    """POST /desk-shifts."""

    async def open(self, till: Till) -> dict[str, Any]:
        body = {"agency_code": "H32.14", "cashier": "thu.ngan", "opening_vnd": 200_000}
        answer = await till.post("/desk-shifts", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def take(self, till: Till, shift: dict[str, Any]) -> dict[str, Any]:
        body = {"fee_id": str((await till.owe()).id), "provider": "cash", "desk_shift_id": shift["id"]}
        return (await till.post("/payments", body)).json()

    async def close(self, till: Till, shift: dict[str, Any], **body: Any) -> Any:
        return await till.post(f"/desk-shifts/{shift['id']}/close", body)

    async def test_knows_what_must_be_in_the_drawer(self, till: Till) -> None:
        shift = await self.open(till)
        payments = [await self.take(till, shift) for _ in range(3)]
        one = (await refund(till, payments[0], 20_000)).json()
        cash = {"method": "cash", "transfer_reference": "PC-01", "desk_shift_id": shift["id"]}
        assert (await till.post(f"/refunds/{one['id']}/send", cash)).status_code == 200
        closed = (await self.close(till, shift, counted_vnd=330_000)).json()
        assert (closed["expected_vnd"], closed["difference_vnd"]) == (330_000, 0)

    async def test_with_a_difference_needs_a_word_about_it(self, till: Till) -> None:
        shift = await self.open(till)
        await self.take(till, shift)
        silent = await self.close(till, shift, counted_vnd=249_000)
        assert (silent.status_code, silent.json()["code"]) == (409, "difference_unexplained")
        assert silent.json()["difference_vnd"] == -1_000
        closed = (await self.close(till, shift, counted_vnd=249_000, note="Thối nhầm 1.000 đồng")).json()
        assert (closed["difference_vnd"], closed["note"]) == (-1_000, "Thối nhầm 1.000 đồng")

    async def test_is_one_a_cashier_and_takes_nothing_once_closed(self, till: Till) -> None:
        shift = await self.open(till)
        body = {"agency_code": "H32.14", "cashier": "thu.ngan", "opening_vnd": 0}
        assert (await till.post("/desk-shifts", body)).json()["code"] == "desk_shift_open"
        await self.close(till, shift, counted_vnd=200_000)
        assert (await self.take(till, shift))["code"] == "desk_shift_closed"
        assert [one["id"] for one in (await till.get("/desk-shifts", open=False))["items"]] == [shift["id"]]

    async def test_of_another_agency_is_not_there(self, till: Till) -> None:
        shift = await self.open(till)
        assert (
            await till.client.get(f"/desk-shifts/{shift['id']}", headers=till.headers(agency="H33"))
        ).status_code == 404
        body = {"agency_code": "H33", "cashier": "thu.ngan", "opening_vnd": 0}
        assert (await till.post("/desk-shifts", body)).status_code == 404
