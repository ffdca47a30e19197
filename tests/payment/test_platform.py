"""The platform's words: vectors of DOMAIN.md §3.1, times, amounts, answers that must not be believed."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deploy.portal.payment import hashes
from services.payment.models import Fee, Payment
from services.payment.platform import messages
from services.payment.platform.keys import Keys
from services.payment.platform.messages import Report
from services.payment.platform.national import Partner, Platform
from services.payment.platform.port import Refused, Standing, State, Unclear
from shared.clock import VN
from shared.ids import new_id

REFERENCE = "dvcH32142104070001090533"
AT = datetime(2021, 4, 7, 9, 5, 33, tzinfo=VN)
SECRET = "SECRET"
QUERY_ANSWER = {
    "LoaiBanTin": "QUERY",
    "MaLoi": "00",
    "MaDoiTac": "PARTNER01",
    "MaThamChieu": REFERENCE,
    "SoTien": "50000",
    "MaTienTe": "VND",
    "MaGiaoDich": "GD1",
    "MaNganHang": "VIETCOMBANK",
    "ThoiGianGD": "20210407210533",
    "ThongTinGiaoDich": "THANH TOAN",
    "TrangThaiGD": "1",
}


def make_attempt() -> tuple[Fee, Payment]:
    fee = Fee(
        dossier_code="H32.14-210407-0001",
        agency_code="H32.14",
        procedure_code="1.004222",
        items=[{"code": "LP01", "name": "Lệ phí", "kind": "le_phi", "amount_vnd": 50_000}],
        amount_vnd=50_000,
        payer_name="Nguyễn Thị Thử",
    )
    return fee, Payment(id=new_id(), reference=REFERENCE, amount_vnd=50_000, opened_at=AT)


def answering(answer: Any) -> Platform:
    """Return the platform client before a transport that gives one answer."""

    def respond(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=answer) if isinstance(answer, bytes) else httpx.Response(200, json=answer)

    http = httpx.AsyncClient(base_url="http://platform", transport=httpx.MockTransport(respond))
    return Platform(Partner("PARTNER01", Keys(SECRET), "10.0.0.1", {}), http, timeout_s=1)


def signed(**changes: Any) -> dict[str, Any]:
    message = QUERY_ANSWER | changes
    return message | {"MaXacThuc": hashes.authentication_code(message, hashes.CONFIRM, SECRET)}


class TestHash:
    """MaXacThuc."""

    def test_of_init_is_the_published_one(self) -> None:
        fee, payment = make_attempt()
        message = messages.init_message(fee, payment, partner="PARTNER01", ip="10.0.0.1", account={})
        assert messages.authentication_code(message, messages.INIT_ORDER, SECRET) == (
            "7d45771846ef7f5ed0e4e2b350c032ce9d8a64ec5098b1ad1e6dafe09d2245f1"
        )

    def test_of_query_is_the_published_one(self) -> None:
        message = messages.question_message("QUERY", partner="PARTNER01", reference=REFERENCE, now=AT)
        assert messages.authentication_code(message, messages.QUERY_ORDER, SECRET) == (
            "22951f019a1f204a42219b3feba0753625ac14b3e17242da17a0e630f459e758"
        )

    @pytest.mark.parametrize("field", messages.CONFIRM_ORDER)
    def test_of_confirm_covers_every_field(self, field: str) -> None:
        message = signed()
        assert messages.is_authentic(message, messages.CONFIRM_ORDER, SECRET)
        assert not messages.is_authentic(message | {field: "x"}, messages.CONFIRM_ORDER, SECRET)

    def test_does_not_let_the_borders_of_fields_move(self) -> None:
        moved = {"MaNganHang": "VCB", "ThoiGianGD": "1|2", "ThongTinGiaoDich": "3"}
        message = signed(**moved)
        assert hashes.is_authentic(message, hashes.CONFIRM, SECRET)
        assert not messages.is_authentic(message, messages.CONFIRM_ORDER, SECRET)


class TestTime:
    """ThoiGianGD."""

    def test_has_24_hours_in_vietnam(self) -> None:
        afternoon = datetime(2026, 11, 23, 7, 5, 9, tzinfo=UTC)
        assert messages.write_time(afternoon) == "20261123140509"
        assert messages.read_time("20261123140509") == afternoon

    @pytest.mark.parametrize(
        "text", ["", "2026112314050", "20261323140509", "20261123250509", "２０２６１１２３１４０５０９"]
    )
    def test_that_is_none_is_not_guessed(self, text: str) -> None:
        assert messages.read_time(text) is None

    def test_that_cannot_be_read_does_not_cost_the_money(self) -> None:
        assert Report.model_validate(QUERY_ANSWER | {"ThoiGianGD": "?"}).money() is not None


class TestAmount:
    """SoTien."""

    @pytest.mark.parametrize("text", ["", "0", "-1", "01", "1.0", "1e3", " 1", "１０", "9" * 16])
    def test_that_is_no_amount_is_none(self, text: str) -> None:
        assert messages.read_amount(text) is None

    def test_may_come_as_a_number(self) -> None:
        found = Report.model_validate(QUERY_ANSWER | {"SoTien": 50_000}).money()
        assert found is not None
        assert found.amount_vnd == 50_000


class TestInit:
    """INIT and its answers."""

    async def test_sends_what_the_platform_asks_for(self) -> None:
        fee, payment = make_attempt()
        message = messages.init_message(fee, payment, partner="P", ip="::1", account={"TKThuHuong": "0011"})
        receipt = message["ThongTinBienLai"]
        assert isinstance(receipt, dict)
        assert (receipt["MaHoSo"], receipt["MaDVC"], receipt["TKThuHuong"]) == (
            "H32.14-210407-0001",
            "1.004222.01",
            "0011",
        )
        assert receipt["PhiLePhi"] == [
            {"LoaiPhiLePhi": "2", "MaPhiLePhi": "LP01", "TenPhiLePhi": "Lệ phí", "SoTien": "50000"}
        ]

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param({}, id="empty"),
            pytest.param({"MaLoi": "00"}, id="no link"),
            pytest.param({"MaLoi": "00", "UrlThanhToan": "javascript:alert(1)"}, id="no web link"),
            pytest.param({"MaLoi": "00", "UrlThanhToan": "https://x/" + "y" * 2000}, id="endless"),
            pytest.param([], id="list"),
            pytest.param(b"<html>", id="page"),
        ],
    )
    async def test_believes_no_half_answer(self, answer: Any) -> None:
        with pytest.raises(Unclear):
            await answering(answer).start(*make_attempt())

    async def test_tells_a_refusal(self) -> None:
        assert await answering({"MaLoi": "99"}).start(*make_attempt()) == Refused("99")


class TestQuery:
    """QUERY and its answers."""

    async def test_reads_a_signed_report(self) -> None:
        report = await answering(signed()).ask(make_attempt()[1])
        assert isinstance(report, Standing)
        assert report.state == State.PAID
        found = report.money
        assert found is not None
        assert (found.transaction_number, found.amount_vnd, found.paid_at.hour) == ("GD1", 50_000, 21)

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(QUERY_ANSWER, id="unsigned"),
            pytest.param(signed() | {"SoTien": "1"}, id="changed"),
            pytest.param(signed(MaThamChieu="dvc2"), id="other reference"),
            pytest.param(signed(LoaiBanTin="CONFIRM"), id="other kind"),
            pytest.param(signed(MaDoiTac="PARTNER02"), id="other partner"),
            pytest.param({"MaLoi": "00", "MaThamChieu": []}, id="other form"),
            pytest.param({}, id="empty"),
        ],
    )
    async def test_believes_only_the_platform(self, answer: Any) -> None:
        with pytest.raises(Unclear):
            await answering(answer).ask(make_attempt()[1])

    async def test_takes_a_refusal_for_no_report(self) -> None:
        assert await answering({"MaLoi": "99"}).ask(make_attempt()[1]) == Refused("99")
