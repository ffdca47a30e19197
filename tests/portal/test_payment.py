"""The payment platform: hashes, INIT, QUERY, GET_BILL, and CONFIRM as often and as badly as ordered."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.portal.payment import hashes
from deploy.portal.payment.records import compact
from shared import clock
from tests.portal.process import SECRET, PortalProcess
from tests.portal.province import CALLBACK, Heard, Province
from tests.portal.wire import Row, Wire, code_of, make_init, make_question

REFERENCE = "dvcH32142611220001"


def init(portal: Wire, **changes: Any) -> Row:
    return portal.client.post("/payment/init", json=make_init(**changes)).json()


def query(portal: Wire, **changes: Any) -> Row:
    return portal.client.post("/payment/query", json=make_question("QUERY", **changes)).json()


def pay(portal: Wire, reference: str = REFERENCE, **order: Any) -> Row:
    return portal.control("POST", f"/payments/{reference}/pay", json=order)


def refuse(_heard: Heard) -> tuple[int, object]:
    return 200, {"MaLoi": "99", "MoTaLoi": "lỗi"}


def numbers_of(province: Province) -> list[str]:
    """Return the MaGiaoDich of every callback that came, in order."""
    return [heard.json["MaGiaoDich"] for heard in province.at(CALLBACK)]


class TestHashes:
    """The vectors of DOMAIN.md §3.1."""

    def test_of_init(self) -> None:
        message = make_init(
            "dvcH32142104070001090533",
            ThongTinGiaoDich="THANH TOAN HO SO H32.14-210407-0001",
            ThoiGianGD="20210407090533",
        )
        assert message["MaXacThuc"] == "7d45771846ef7f5ed0e4e2b350c032ce9d8a64ec5098b1ad1e6dafe09d2245f1"

    def test_of_query(self) -> None:
        message = make_question("QUERY", "dvcH32142104070001090533", ThoiGianGD="20210407090533")
        assert message["MaXacThuc"] == "22951f019a1f204a42219b3feba0753625ac14b3e17242da17a0e630f459e758"

    def test_follow_the_order_and_the_secret(self) -> None:
        message = make_init()
        turned = {**message, "SoTien": message["MaThamChieu"], "MaThamChieu": message["SoTien"]}
        assert hashes.is_authentic(message, hashes.INIT, SECRET)
        assert not hashes.is_authentic(turned, hashes.INIT, SECRET)
        assert not hashes.is_authentic(message, hashes.INIT, "SECRET2")
        assert not hashes.is_authentic({**message, "MaXacThuc": message["MaXacThuc"].upper()}, hashes.INIT, SECRET)


class TestTime:
    """ThoiGianGD."""

    def test_is_vietnams_on_a_24_hour_clock(self) -> None:
        afternoon = datetime(2026, 11, 22, 7, 5, 33, tzinfo=UTC)
        assert compact(afternoon) == "20261122140533"
        assert compact(afternoon + timedelta(hours=12)) == "20261123020533"


class TestInit:
    """POST /payment/init."""

    def test_opens_a_payment_that_a_person_can_pay(self, portal: Wire, province: Province) -> None:
        answer = init(portal)
        assert answer["MaLoi"] == "00"
        page = portal.client.get(answer["UrlThanhToan"])
        assert page.status_code == 200
        assert "50.000 ₫" in page.text
        paid = portal.client.post(answer["UrlThanhToan"], data={"outcome": "success"}, follow_redirects=True)
        assert "thành công" in paid.text
        assert query(portal)["TrangThaiGD"] == "1"
        assert len(province.at(CALLBACK)) == 1

    def test_sent_again_is_the_same_payment(self, portal: Wire) -> None:
        assert init(portal) == init(portal, ThoiGianGD="20261122150000")
        assert len(portal.control("GET", "/payments")["payments"]) == 1

    def test_cannot_take_a_reference_for_something_else(self, portal: Wire) -> None:
        init(portal)
        assert init(portal, amount_vnd=60_000)["MaLoi"] == "99"
        assert portal.control("GET", f"/payments/{REFERENCE}")["amount_vnd"] == 50_000

    @pytest.mark.parametrize("field", hashes.INIT)
    def test_is_refused_when_a_hashed_field_was_changed(self, portal: Wire, field: str) -> None:
        answer = portal.client.post("/payment/init", json={**make_init(), field: "20261122140534"}).json()
        assert answer["MaLoi"] == "99"
        assert portal.control("GET", "/payments")["payments"] == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"PhienBan": "1.0.5"},
            {"MaTienTe": "USD"},
            {"SoTien": "0"},
            {"SoTien": "50.000"},
            {"MaThamChieu": "a/b"},
            {"ThoiGianGD": "20261122250000"},
            {"MaDoiTac": "KHAC"},
            {"ThongTinGiaoDich": ""},
            {"ThongTinBienLai": {"MaHoSo": code_of(1), "TenTTHC": "x" * 251}},
            {"ThongTinBienLai": {"MaHoSo": code_of(1), "PhiLePhi": [{"SoTien": "49999"}]}},
        ],
    )
    def test_is_refused_with_a_wrong_field(self, portal: Wire, changes: dict[str, Any]) -> None:
        assert init(portal, **changes)["MaLoi"] == "99"
        assert portal.control("GET", "/payments")["payments"] == []


class TestQuery:
    """POST /payment/query."""

    def test_tells_how_far_a_payment_is(self, portal: Wire) -> None:
        init(portal)
        assert query(portal)["TrangThaiGD"] == "3"
        pay(portal, outcome="fail")
        assert query(portal)["TrangThaiGD"] == "4"
        number = pay(portal)["MaGiaoDich"]
        pay(portal, outcome="fail")
        state = query(portal)
        assert (state["TrangThaiGD"], state["MaGiaoDich"], state["SoTien"]) == ("1", number, "50000")
        assert hashes.is_authentic(state, hashes.CONFIRM, SECRET)

    def test_knows_only_what_was_opened(self, portal: Wire) -> None:
        assert query(portal)["MaLoi"] == "99"

    def test_is_refused_with_a_wrong_hash(self, portal: Wire) -> None:
        init(portal)
        question = {**make_question("QUERY"), "ThoiGianGD": "20261122140634"}
        answer = portal.client.post("/payment/query", json=question).json()
        assert answer["MaLoi"] == "99"
        assert "TrangThaiGD" not in answer


class TestBill:
    """POST /payment/bill."""

    def test_is_a_pdf_of_what_was_paid(self, portal: Wire) -> None:
        init(portal)
        unpaid = portal.client.post("/payment/bill", json=make_question("GET_BILL"))
        assert unpaid.json()["MaLoi"] == "99"
        number = pay(portal)["MaGiaoDich"]
        paid = portal.client.post("/payment/bill", json=make_question("GET_BILL"))
        assert paid.headers["content-type"] == "application/pdf"
        assert paid.content.startswith(b"%PDF-1.4")
        for shown in (number, "50.000 VND", code_of(1)):
            assert shown.encode() in paid.content
        start = int(re.findall(rb"startxref\n(\d+)", paid.content)[0])
        assert paid.content[start:].startswith(b"xref")

    def test_has_an_address_for_who_asks_for_json(self, portal: Wire) -> None:
        init(portal)
        pay(portal)
        asked = portal.client.post(
            "/payment/bill", json=make_question("GET_BILL"), headers={"accept": "application/json"}
        ).json()
        assert portal.client.get(asked["UrlBienLai"]).content.startswith(b"%PDF-1.4")


class TestConfirm:
    """Callbacks to the province."""

    def test_tells_the_province_in_its_words(self, portal: Wire, province: Province) -> None:
        init(portal)
        before = clock.now().astimezone(clock.VN).strftime("%Y%m%d%H%M%S")
        paid = pay(portal)
        heard = province.at(CALLBACK)[0]
        assert hashes.is_authentic(heard.json, hashes.CONFIRM, SECRET)
        assert before <= heard.json["ThoiGianGD"] <= clock.now().astimezone(clock.VN).strftime("%Y%m%d%H%M%S")
        told = {name: heard.json[name] for name in ("LoaiBanTin", "MaLoi", "MaThamChieu", "SoTien", "MaGiaoDich")}
        assert told == {
            "LoaiBanTin": "CONFIRM",
            "MaLoi": "00",
            "MaThamChieu": REFERENCE,
            "SoTien": "50000",
            "MaGiaoDich": paid["MaGiaoDich"],
        }
        assert "idempotency-key" not in heard.headers
        assert paid["callbacks"][0]["confirmed_at"]
        assert paid["callbacks"][0]["replies"][0]["hash_ok"] is True

    def test_tells_of_a_failure(self, portal: Wire, province: Province) -> None:
        init(portal)
        pay(portal, outcome="fail")
        assert province.at(CALLBACK)[0].json["MaLoi"] == "99"

    @pytest.mark.parametrize("parallel", [False, True])
    def test_comes_fifty_times(self, portal: Wire, province: Province, *, parallel: bool) -> None:
        init(portal)
        paid = pay(portal, callbacks=50, parallel=parallel)
        assert len({heard.body for heard in province.at(CALLBACK)}) == 1
        assert len(province.at(CALLBACK)) == 50
        assert sum(bool(callback["confirmed_at"]) for callback in paid["callbacks"]) == 50

    def test_can_have_a_wrong_amount_or_a_wrong_hash(self, portal: Wire, province: Province) -> None:
        init(portal)
        pay(portal, amount_vnd=1)
        pay(portal, bad_signature=True)
        wrong_amount, wrong_hash = (heard.json for heard in province.at(CALLBACK))
        assert wrong_amount["SoTien"] == "1"
        assert hashes.is_authentic(wrong_amount, hashes.CONFIRM, SECRET)
        assert not hashes.is_authentic(wrong_hash, hashes.CONFIRM, SECRET)

    def test_of_two_successes_has_two_numbers(self, portal: Wire, province: Province) -> None:
        init(portal)
        init(portal, reference="dvcH32142611220002")
        pay(portal)
        pay(portal)
        pay(portal, "dvcH32142611220002")
        assert len({heard.json["MaGiaoDich"] for heard in province.at(CALLBACK)}) == 3
        payments = portal.control("GET", "/payments", params={"dossier": code_of(1)})["payments"]
        assert [payment["successes"] for payment in payments] == [1, 2]

    def test_comes_again_until_it_is_confirmed(self, portal: Wire, province: Province) -> None:
        init(portal)
        province.first += [refuse, lambda _: (500, {}), lambda _: (200, "rác")]
        pay(portal)
        portal.wait_for(lambda: bool(portal.control("GET", f"/payments/{REFERENCE}")["callbacks"][0]["confirmed_at"]))
        callback = portal.control("GET", f"/payments/{REFERENCE}")["callbacks"][0]
        assert [reply["http_status"] for reply in callback["replies"]] == [200, 500, 200, 200]
        assert callback["replies"][0]["hash_ok"] is False

    def test_gives_up_in_the_end(self, portal: Wire, province: Province) -> None:
        init(portal)
        province.usual[CALLBACK] = refuse
        given_up = pay(portal)["MaGiaoDich"]
        portal.wait_for(lambda: numbers_of(province).count(given_up) == 5)
        later = pay(portal, callback_delay_s=0.5)["MaGiaoDich"]
        portal.wait_for(lambda: later in numbers_of(province))
        assert numbers_of(province).count(given_up) == 5

    def test_can_come_late(self, portal: Wire, province: Province) -> None:
        init(portal)
        pay(portal, callback_delay_s=1)
        assert province.at(CALLBACK) == []
        assert query(portal)["TrangThaiGD"] == "1"
        portal.wait_for(lambda: len(province.at(CALLBACK)) == 1)

    def test_outlives_the_platform(self, own_process: PortalProcess, province: Province) -> None:
        with Wire(own_process.url) as wire:
            init(wire)
            number = pay(wire, callback_delay_s=2)["MaGiaoDich"]
            own_process.kill()
            assert province.at(CALLBACK) == []
            own_process.start()
            wire.wait_for(lambda: len(province.at(CALLBACK)) == 1)
            assert province.at(CALLBACK)[0].json["MaGiaoDich"] == number
            assert query(wire)["MaGiaoDich"] == number


class TestFaults:
    """The menu of callbacks."""

    def test_duplicate_callback_comes_twice(self, portal: Wire, province: Province) -> None:
        init(portal)
        fault = portal.fault("CONFIRM", "duplicate_callback", dossier=code_of(1))
        pay(portal)
        assert len(province.at(CALLBACK)) == 2
        assert portal.fired(fault) == 1

    def test_late_callback_comes_later(self, portal: Wire, province: Province) -> None:
        init(portal)
        portal.fault("CONFIRM", "late_callback", delay_s=1)
        pay(portal)
        assert province.at(CALLBACK) == []
        portal.wait_for(lambda: len(province.at(CALLBACK)) == 1)

    def test_down_loses_the_callback_but_not_the_money(self, portal: Wire, province: Province) -> None:
        init(portal)
        portal.fault("CONFIRM", "down")
        assert pay(portal)["callbacks"] == []
        assert province.at(CALLBACK) == []
        assert query(portal)["TrangThaiGD"] == "1"


class TestPayPage:
    """Where a person pays."""

    def test_knows_only_what_was_opened(self, portal: Wire) -> None:
        assert portal.client.get("/pay/khong-co").status_code == 404
        assert portal.client.post("/_control/payments/khong-co/pay", json={}).status_code == 404
        paid = portal.client.post("/pay/khong-co", data={"outcome": "success"}, follow_redirects=True)
        assert paid.status_code == 404
