"""Transfers: the vector of DOMAIN.md §3.3, the code's picture, the bank's push, inquiry and statement files."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.payment.operations import attempts, bank
from services.payment.operations.routing import Account
from services.payment.platform import vietqr
from services.payment.platform.bank import SIGNATURE, sign
from services.payment.states import FeeStatus
from tests.payment.providers import ACCOUNT, BANK_SECRET, BANK_SECRET_PREVIOUS
from tests.payment.till import Till

PUSH = "/payments/callbacks/vietqr"
VECTOR = (
    "00020101021238570010A00000072701270006970415011300110019324180208QRIBFTTA530370454061200005802VN62170813"
    "ung ho lu lut6304C15C"
)


def credit(number: str, content: str, amount_vnd: int = 50_000) -> dict[str, Any]:
    return {
        "transaction_number": number,
        "account_number": ACCOUNT["number"],
        "amount_vnd": amount_vnd,
        "content": content,
        "booked_at": "2026-11-23T14:30:05+07:00",
    }


async def push(till: Till, told: dict[str, Any], secret: str = BANK_SECRET) -> str:
    body = orjson.dumps(told)
    answer = await till.client.post(PUSH, content=body, headers={SIGNATURE: sign(body, secret)})
    return answer.json()["code"]


async def lines(till: Till, *, unmatched: bool = True) -> list[dict[str, Any]]:
    headers = till.headers(agency="H32")  # whose account it is
    answer = await till.client.get("/bank-lines", params={"unmatched": unmatched}, headers=headers)
    return answer.json()["items"]


class TestPayload:
    """EMVCo's objects and their checksum."""

    def test_is_the_vector(self) -> None:
        account = Account(bank_bin="970415", number="0011001932418", name="QUY")
        assert vietqr.payload(account, 120_000, "ung ho lu lut") == VECTOR
        assert vietqr.read(VECTOR) == vietqr.Transfer("970415", "0011001932418", 120_000, "ung ho lu lut")

    def test_has_the_checksum_of_the_standard(self) -> None:
        assert vietqr.checksum("123456789") == "29B1"

    def test_with_any_letter_changed_is_none(self) -> None:
        for place in range(len(VECTOR)):
            changed = VECTOR[:place] + ("0" if VECTOR[place] != "0" else "1") + VECTOR[place + 1 :]
            with pytest.raises(vietqr.NoPayload):
                vietqr.read(changed)

    @pytest.mark.parametrize("purpose", ["x" * 26, "hồ sơ"])
    def test_takes_no_words_that_a_bank_would_cut(self, purpose: str) -> None:
        with pytest.raises(ValueError, match="ASCII"):
            vietqr.payload(Account(bank_bin="970415", number="1", name="A"), 1, purpose)

    def test_is_read_from_its_picture_by_an_independent_reader(self, tmp_path: Path) -> None:
        picture = tmp_path / "qr.png"
        picture.write_bytes(vietqr.picture(VECTOR, "png"))
        read = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True, check=True)
        assert read.stdout.strip() == VECTOR


class TestReference:
    """The words of a transfer."""

    def test_is_found_whatever_the_bank_makes_of_it(self) -> None:
        for _ in range(200):
            one = attempts.transfer_reference()
            for written in (one, one.lower(), f"MBVCB.12.{one}.CT tu 001", f"{one[:5]} {one[5:9]}-{one[9:]} NOP PHI"):
                assert one in bank.references(written)

    def test_with_a_letter_mistaken_or_two_swapped_is_none(self) -> None:
        for _ in range(50):
            one = attempts.transfer_reference()
            for place in range(2, len(one) - 1):
                other = attempts.ALPHABET[(attempts.ALPHABET.index(one[place]) + 1) % len(attempts.ALPHABET)]
                assert list(bank.references(one[:place] + other + one[place + 1 :])) == []
                if place + 2 < len(one) and one[place] != one[place + 1]:
                    swapped = one[:place] + one[place + 1] + one[place] + one[place + 2 :]
                    assert list(bank.references(swapped)) == []


class TestTransfer:
    """A fee paid by scanning a code."""

    async def test_of_a_real_payer_settles_the_fee(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vietqr")
        asked = vietqr.read(attempt["qr_payload"])
        assert (asked.account_number, asked.amount_vnd, asked.purpose) == (
            ACCOUNT["number"],
            50_000,
            attempt["reference"],
        )
        await till.transfer(attempt)
        payment = await till.get(f"/payments/{attempt['id']}")
        assert (payment["status"], payment["settles_fee"], payment["qr_payload"]) == ("succeeded", True, None)
        assert (await till.fee(fee)).status == FeeStatus.PAID
        assert await lines(till) == []

    @pytest.mark.parametrize(("kind", "begin"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
    async def test_has_a_picture_while_it_is_open(self, till: Till, kind: str, begin: bytes) -> None:
        attempt = await till.attempt(await till.owe(), "vietqr")
        address = f"/payments/{attempt['id']}/qr"
        answer = await till.client.get(address, params={"format": kind}, headers=till.headers())
        assert answer.content.startswith(begin)
        await till.transfer(attempt)
        assert (await till.client.get(address, headers=till.headers())).json()["code"] == "qr_not_there"

    @pytest.mark.parametrize("kind", ["mangled", "duplicate"])
    async def test_is_told_strangely_and_still_paid_once(self, till: Till, kind: str) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vietqr")
        await till.order(till.bank, kind)
        await till.transfer(attempt)
        assert ((await till.fee(fee)).status, await till.refunds(fee)) == (FeeStatus.PAID, [])

    async def test_that_nobody_told_is_found_by_inquiry(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe(), "vietqr")
        await till.order(till.bank, "never")
        await till.transfer(attempt)
        await till.ask_now(attempt)
        assert (await till.ended(attempt))["status"] == "succeeded"

    async def test_of_a_wrong_amount_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vietqr")
        await till.transfer(attempt, amount_vnd=70_000)
        assert [(r.reason, r.amount_vnd) for r in await till.refunds(fee)] == [("wrong_amount", 70_000)]

    async def test_twice_goes_back_once(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vietqr")
        await asyncio.gather(*(till.transfer(attempt) for _ in range(2)))
        assert [refund.reason for refund in await till.refunds(fee)] == ["second_transaction"]


class TestPush:
    """POST /payments/callbacks/vietqr."""

    async def test_of_a_wrong_signature_is_97_and_changes_nothing(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe(), "vietqr")
        for secret in ("guess", ""):
            assert await push(till, credit("FT1", attempt["reference"]), secret) == "97"
        assert (await till.client.post(PUSH, content=b"{}")).json()["code"] == "97"
        assert await till.scalars("SELECT 1 FROM bank_line") == []

    async def test_of_what_cannot_be_understood_is_99(self, till: Till) -> None:
        for told in ({}, credit("FT1", "x") | {"amount_vnd": 0}, credit("", "x"), {"amount_vnd": []}):
            assert await push(till, told) == "99"

    async def test_signed_with_the_secret_before_is_taken_and_said_so(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe(), "vietqr")
        assert await push(till, credit("FT1", attempt["reference"]), BANK_SECRET_PREVIOUS) == "00"
        assert await till.scalars("SELECT key_used FROM callback_log") == ["previous"]

    async def test_fifty_times_at_once_is_one_line_and_one_payment(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vietqr")
        told = credit("FT1", attempt["reference"])
        assert await asyncio.gather(*(push(till, told) for _ in range(50))) == ["00"] * 50
        assert len(await till.receipts(fee)) == 1
        assert len(await lines(till, unmatched=False)) == 1


class TestUnmatched:
    """Money that names no attempt."""

    async def test_waits_for_a_person_and_pays_what_is_found_out(self, till: Till) -> None:
        fee = await till.owe()
        await till.transfer(account_number=ACCOUNT["number"], content="nop le phi cho ba Thu", amount_vnd=50_000)
        (line,) = await lines(till)
        answer = await till.post(
            f"/bank-lines/{line['id']}/assign", {"fee_id": str(fee.id), "note": "Giấy báo nợ"}, agency="H32"
        )
        assert answer.status_code == 200, answer.text
        assert ((await till.fee(fee)).status, await lines(till)) == (FeeStatus.PAID, [])
        again = await till.post(
            f"/bank-lines/{line['id']}/assign", {"fee_id": str(fee.id), "note": "Giấy báo nợ"}, agency="H32"
        )
        assert (again.status_code, again.json()["code"]) == (409, "bank_line_decided")

    async def test_that_fits_no_due_fee_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        await till.pay_in_cash(fee)
        await till.transfer(account_number=ACCOUNT["number"], content="nop le phi", amount_vnd=50_000)
        (line,) = await lines(till)
        await till.post(
            f"/bank-lines/{line['id']}/assign", {"fee_id": str(fee.id), "note": "Giấy báo nợ"}, agency="H32"
        )
        assert [refund.reason for refund in await till.refunds(fee)] == ["fee_paid"]

    async def test_is_returned_when_nobody_can_explain_it(self, till: Till) -> None:
        await till.transfer(account_number=ACCOUNT["number"], content="???", amount_vnd=5)
        (line,) = await lines(till)
        body = {"transfer_reference": "FT9", "note": "Không rõ người nộp"}
        answer = await till.post(f"/bank-lines/{line['id']}/return", body, agency="H32")
        assert (answer.json()["transfer_reference"], await lines(till)) == ("FT9", [])

    async def test_is_not_another_provinces_to_see(self, till: Till) -> None:
        await till.transfer(account_number=ACCOUNT["number"], content="???", amount_vnd=5)
        headers = till.headers(agency="H33")
        answer = await till.client.get("/bank-lines", headers=headers)
        assert answer.json()["items"] == []


class TestStatement:
    """POST /bank-statements."""

    @pytest.mark.parametrize("kind", ["csv", "xlsx", "mt940"])
    async def test_of_the_bank_settles_what_nobody_told(self, till: Till, kind: str) -> None:
        await till.order(till.bank, "never")
        fees = [await till.owe() for _ in range(3)]
        for fee in fees:
            await till.transfer(await till.attempt(fee, "vietqr"))
        await till.transfer(account_number=ACCOUNT["number"], content="ung ho", amount_vnd=7)
        file = (await till.bank.get("/statement", params={"format": kind})).content
        for expected in ((4, 0, 3, 1), (4, 4, 0, 0)):
            answer = await till.client.post(
                "/bank-statements", params={"format": kind}, content=file, headers=till.headers()
            )
            assert answer.status_code == 201, answer.text
            found = answer.json()
            assert (found["lines"], found["known"], found["settled"], found["unmatched"]) == expected
        assert {(await till.fee(fee)).status for fee in fees} == {FeeStatus.PAID}

    async def test_beside_the_push_of_the_same_credits_settles_once(self, till: Till) -> None:
        fees = [await till.owe() for _ in range(6)]
        open_attempts = [await till.attempt(fee, "vietqr") for fee in fees]
        told = [credit(f"FT{nth}", one["reference"]) for nth, one in enumerate(open_attempts)]
        rows = [",".join(str(one[name]) for name in one) for one in reversed(told)]
        file = "\n".join([",".join(told[0]), *rows]).encode()
        upload = till.client.post("/bank-statements", params={"format": "csv"}, content=file, headers=till.headers())
        answer, codes = await asyncio.gather(upload, asyncio.gather(*(push(till, one) for one in told)))
        assert (answer.status_code, set(codes)) == (201, {"00"})
        for fee in fees:
            assert (len(await till.receipts(fee)), await till.refunds(fee)) == (1, [])

    @pytest.mark.parametrize(
        ("kind", "file"),
        [
            ("csv", b"a,b\n1,2"),
            ("csv", b"\xff\xfe"),
            ("csv", b"transaction_number,booked_at,amount_vnd,content\nFT1,2026-13-01,5,x"),
            ("csv", b"transaction_number,booked_at,amount_vnd,content\nFT1,2026-11-01,5.5,x"),
            ("xlsx", b"no workbook"),
            ("mt940", b":25:X/1\n:61:nonsense\n"),
        ],
    )
    async def test_that_cannot_be_read_is_refused_as_a_whole(self, till: Till, kind: str, file: bytes) -> None:
        answer = await till.client.post(
            "/bank-statements",
            params={"format": kind, "account_number": "1"},
            content=file,
            headers=till.headers(),
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "statement_unreadable")
        assert await till.scalars("SELECT 1 FROM bank_line") == []
