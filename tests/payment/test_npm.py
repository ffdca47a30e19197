"""VNPAY's and NAPAS's words beside independent implementations: npm `vnpay` 2.5.0 and `vietnam-qr-pay` 1.5.1."""

import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.payment.models import Payment, Refund
from services.payment.operations.routing import Account
from services.payment.platform import vietqr, vnpay
from services.payment.platform.keys import Keys
from services.payment.platform.messages import write_time
from services.payment.platform.vnpay import Merchant, Vnpay
from shared.ids import new_id
from tests.support.npm import installed

MANY, FEWER, RUN_S = 10_000, 1_000, 120
LETTERS = "abcXYZ019 -._~*!'()&=+%/?#:@,;|ăâđêôơưẤỆỖỢỰ€😀"


@pytest.fixture(scope="module")
def scripts() -> Path:
    """Return a folder with the scripts and the packages they import."""
    return installed(Path(__file__).parent / "npm")


def ask(scripts: Path, name: str, asked: list[dict[str, Any]]) -> list[Any]:
    """Return what a script answers, line by line."""
    lines = "\n".join(json.dumps(one) for one in asked)
    done = subprocess.run(
        ["node", name], cwd=scripts, input=lines, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(asked)
    return answers


def text(chance: random.Random, most: int, letters: str = LETTERS) -> str:
    return "".join(chance.choice(letters) for _ in range(chance.randint(1, most)))


def merchant(chance: random.Random) -> Merchant:
    secret = "".join(chance.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(32))
    return Merchant(
        "DEMO" + text(chance, 4, "0123456789"), Keys(secret), "10.0.0.1", "https://pay.example", "https://r"
    )


def alone(shop: Merchant) -> Vnpay:
    """Return our side of VNPAY that reaches nobody."""
    return Vnpay(shop, httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503))), timeout_s=1)


def order(chance: random.Random) -> dict[str, object]:
    created = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(10 * 365 * 86_400))
    return {
        "vnp_Amount": chance.randrange(1_000, 10**9),
        "vnp_CreateDate": int(write_time(created)),
        "vnp_ExpireDate": int(write_time(created + timedelta(days=1))),
        "vnp_IpAddr": chance.choice(["10.0.0.1", "::1", "2001:db8::7"]),
        "vnp_Locale": chance.choice(["vn", "en"]),
        "vnp_OrderInfo": text(chance, 60),
        "vnp_OrderType": "other",
        "vnp_ReturnUrl": f"https://dvc.example/{text(chance, 20)}",
        "vnp_TxnRef": text(chance, 40),
    }


def test_ten_thousand_orders_are_signed_as_npm_vnpay_signs_them(scripts: Path) -> None:
    chance, asked, ours = random.Random(20_261_123), [], []
    for _ in range(MANY):
        shop, words = merchant(chance), order(chance)
        asked.append({"act": "pay", **_shop(shop), "words": words})
        whole = {"vnp_Version": "2.1.0", "vnp_Command": "pay", "vnp_CurrCode": "VND", "vnp_TmnCode": shop.code, **words}
        ours.append(alone(shop).pay_url(whole | {"vnp_Amount": _cents(words)}))
    assert ask(scripts, "vnpay.mjs", asked) == ours


def test_npm_vnpay_believes_our_signature_and_we_believe_no_changed_word(scripts: Path) -> None:
    chance, asked = random.Random(7), []
    for _ in range(FEWER):
        shop, words = merchant(chance), order(chance)
        words = {name: str(value) for name, value in words.items()} | {
            "vnp_TmnCode": shop.code,
            "vnp_Amount": str(_cents(words)),
            "vnp_TransactionStatus": "00",
            "vnp_ResponseCode": "00",
            "vnp_TransactionNo": text(chance, 12, "123456789"),
        }
        signed = words | {vnpay.HASH: vnpay.sign(vnpay.query_string(words), shop.keys.current)}
        gateway = alone(shop)
        assert gateway.read(signed).notice.key_used == "current"
        changed = signed | {"vnp_OrderInfo": str(signed["vnp_OrderInfo"]) + "x"}
        assert gateway.read(changed).notice.key_used is None
        asked += [{"act": "ipn", **_shop(shop), "words": one} for one in (signed, changed)]
    assert ask(scripts, "vnpay.mjs", asked) == [True, False] * FEWER


async def test_querydr_and_refund_are_the_words_that_npm_vnpay_sends(scripts: Path) -> None:
    chance, asked, ours = random.Random(11), [], []
    for nth in range(200):
        shop, sent = merchant(chance), []

        def keep(request: httpx.Request, sent: list[Any] = sent) -> httpx.Response:
            sent.append(json.loads(request.content))
            return httpx.Response(200, json={})

        async with httpx.AsyncClient(base_url="http://vnpay", transport=httpx.MockTransport(keep)) as http:
            gateway, (payment, refund) = Vnpay(shop, http, timeout_s=1), attempt(chance, part=bool(nth % 2))
            call = gateway.refund(refund, payment) if nth % 4 > 1 else gateway.ask(payment)
            with pytest.raises(vnpay.Unclear):
                await call
        words = dict(sent[0])
        ours.append({name: str(value) for name, value in words.items()})
        command, _, _ = words.pop("vnp_Command"), words.pop(vnpay.HASH), words.pop("vnp_TmnCode")
        if command == "refund":
            words["vnp_Amount"] //= 100
        asked.append({"act": command, **_shop(shop), "words": words})
    theirs = ask(scripts, "vnpay.mjs", asked)
    assert [{name: str(value) for name, value in one.items()} for one in theirs] == ours


def test_ten_thousand_payloads_are_those_of_npm_vietnam_qr_pay(scripts: Path) -> None:
    chance, asked = random.Random(3), []
    for _ in range(MANY):
        bank = f"{chance.randrange(10**6):06}"
        account = text(chance, 19, "0123456789ABCXYZ")
        amount, purpose = chance.randrange(1, 10**13), text(chance, 25, "ABCXYZ0189 .-")
        ours = vietqr.payload(Account(bank_bin=bank, number=account, name="KHO BAC"), amount, purpose)
        assert vietqr.read(ours) == vietqr.Transfer(bank, account, amount, purpose)
        asked.append({"bin": bank, "account": account, "amount": str(amount), "purpose": purpose, "ours": ours})
    for one, answer in zip(asked, ask(scripts, "vietqr.mjs", asked), strict=True):
        assert answer["built"] == one["ours"]
        expected = {name: one[name] for name in ("bin", "account", "amount", "purpose")}
        expected |= {"valid": True, "currency": "704", "nation": "VN", "service": "QRIBFTTA"}
        assert answer["decoded"] == expected


def attempt(chance: random.Random, *, part: bool) -> tuple[Payment, Refund]:
    opened = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(10**7))
    amount = chance.randrange(2_000, 10**9)
    payment = Payment(
        id=new_id(), reference=text(chance, 30), dossier_code="H32.14-261123-0001", amount_vnd=amount, opened_at=opened
    )
    refund = Refund(
        id=new_id(),
        amount_vnd=amount - 1_000 if part else amount,
        transaction_number=text(chance, 12, "123456789"),
        transfer_reference=new_id().hex,
        sent_at=opened + timedelta(days=2),
    )
    return payment, refund


def _cents(words: dict[str, object]) -> int:
    return int(str(words["vnp_Amount"])) * 100


def _shop(shop: Merchant) -> dict[str, str]:
    return {"secret": shop.keys.current, "code": shop.code, "host": shop.host}
