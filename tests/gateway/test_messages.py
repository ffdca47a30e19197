"""What the portal is told: valid in its own judgement for every kind of ending, and nothing invented."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

import shared.events
from deploy.portal.words import complaints_about_hoso, complaints_about_tien_do
from gateway.operations.facts import happened_at
from gateway.portal.messages import portal_time
from shared.clock import VN
from shared.events.registry import EVENTS
from shared.events.values import Channel, PartyKind
from shared.ids import new_id
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, ENDINGS, Life, document, returned, supplemented_twice
from tests.support.toy import AT, raw

EXAMPLES = Path(shared.events.__file__).parent / "examples"
ALL_ENDINGS = pytest.mark.parametrize("ending", ENDINGS)
NO_MOMENT = {"due_at", "previous_due_at", "expires_at"}
Message = dict[str, Any]


async def told(hall: Hall, life: Life) -> list[tuple[Message, Message]]:
    """Fold a life; return HoSo and TienDo of each status, in order."""
    await hall.take(life.events)
    rows = await hall.rows(
        "SELECT dossier_message, progress_message FROM portal_debt WHERE dossier_code = :code ORDER BY version",
        code=life.code,
    )
    return [(row["dossier_message"], row["progress_message"]) for row in rows]


class TestValidity:
    """The portal's own validation is the judge."""

    @ALL_ENDINGS
    async def test_of_every_message_of_every_ending(self, hall: Hall, ending: str) -> None:
        life = ENDINGS[ending](Life())
        for hoso, progress in await told(hall, life):
            assert complaints_about_hoso(_linked(hoso)) == []
            assert complaints_about_tien_do(progress) == []

    @pytest.mark.parametrize("channel", Channel)
    @pytest.mark.parametrize("kind", PartyKind)
    async def test_of_every_channel_and_party(self, hall: Hall, channel: Channel, kind: PartyKind) -> None:
        """Also of somebody with an account at the portal who came to the counter all the same."""
        owner = CITIZEN.model_copy(update={"kind": kind, "portal_account": "TECH-7"})
        life = Life()
        life.submit(owner, channel)
        ((hoso, _),) = await told(hall, life)
        assert complaints_about_hoso(_linked(hoso)) == []
        assert hoso["MaDoiTuong"] == ("TECH-7" if channel is Channel.ONLINE else "")

    async def test_of_very_long_and_very_short_texts(self, hall: Hall) -> None:
        papers = (document("x" * 5000), document("y", reused_result="12/GP"), document("z" * 4000, digitised=True))
        long = {"summary": "t" * 3000, "procedure_name": "p" * 400, "documents": papers}
        life = returned(Life(), **long)
        for hoso, progress in await told(hall, life):
            assert complaints_about_hoso(_linked(hoso)) == []
            assert complaints_about_tien_do(progress) == []
        short = Life(code="H32.14-260407-0002")
        short.submit(summary="", documents=(), fees=())
        ((hoso, _),) = await told(hall, short)
        assert hoso["TrichYeuHoSo"] == hoso["TenTTHC"]

    @pytest.mark.parametrize(
        ("phone", "told_as"),
        [
            ("0905 123 456", "0905123456"),
            ("0258.382.1234", "02583821234"),
            ("+84 905 123 456 789 012", ""),
            ("máy 5", ""),
        ],
    )
    async def test_of_a_phone_number_as_people_write_it(self, hall: Hall, phone: str, told_as: str) -> None:
        """One that the portal would refuse is left out: it must not stop the dossier, there is an address as well."""
        life = Life()
        life.submit(CITIZEN.model_copy(update={"phone": phone}))
        ((hoso, _),) = await told(hall, life)
        assert complaints_about_hoso(_linked(hoso)) == []
        assert hoso["SoDienThoai"] == told_as

    async def test_of_an_owner_of_whom_nothing_is_known_but_name_and_phone(self, hall: Hall) -> None:
        owner = CITIZEN.model_copy(update={"id_kind": None, "id_number": None, "email": None})
        life = Life()
        life.submit(owner)
        ((hoso, _),) = await told(hall, life)
        assert complaints_about_hoso(_linked(hoso)) == []


def _linked(hoso: Message) -> Message:
    """Return HoSo as it goes out: addresses of results stand below our public one."""
    papers = [
        paper | {"DuongDanTepTinKetQua": f"https://motcua.example{paper['DuongDanTepTinKetQua']}"}
        for paper in hoso["DanhSachGiayToKetQua"]
    ]
    return hoso | {"DanhSachGiayToKetQua": papers}


class TestTruth:
    """What real senders got wrong (DOMAIN §1.9)."""

    async def test_no_paper_digitised_is_told_as_such(self, hall: Hall) -> None:
        life = Life()
        life.submit(documents=(document(),))
        ((hoso, _),) = await told(hall, life)
        assert hoso["HoSoCoThanhPhanSoHoa"] == "0"

    async def test_submission_acceptance_and_sending_are_three_moments(self, hall: Hall) -> None:
        """The time of submission was the time of acceptance; that of an event was the time of its sending."""
        life = Life()
        life.submit(submitted_at=life.now - timedelta(days=2))
        life.accept()
        (_, first), (hoso, second) = await told(hall, life)
        assert hoso["NgayNopHoSo"] == "20260405080000"
        assert hoso["NgayTiepNhan"] == "20260407081700"
        assert (first["ThoiDiemXuLy"], second["ThoiDiemXuLy"]) == ("20260405080000", "20260407081700")

    async def test_supplements_keep_request_answer_and_both_due_dates(self, hall: Hall) -> None:
        life = supplemented_twice(Life())
        before, running = (await told(hall, life))[-1][0]["DanhSachHoSoBoSung"]
        assert (before["NgayHenTraTruoc"], before["NgayHenTraMoi"]) == ("", "")
        assert (before["NoiDungBoSung"], before["TrangThaiBoSung"]) == ("Bổ sung bản vẽ", "True")
        assert (running["NgayHenTraTruoc"], running["NgayHenTraMoi"]) == ("20260412080000", "20260413080000")
        assert before["NgayTiepNhanBoSung"] < running["NgayTiepNhanBoSung"]

    async def test_papers_handed_in_later_are_told_too(self, hall: Hall) -> None:
        life = supplemented_twice(Life())
        *_, (hoso, _) = await told(hall, life)
        assert [paper["TenTepDinhKem"] for paper in hoso["TaiLieuNop"]] == [
            "Đơn đề nghị",
            "Bản vẽ",
            "Bản vẽ mới",
            "Ảnh",
        ]

    async def test_only_valid_results_are_told(self, hall: Hall) -> None:
        life = returned(Life())
        *_, (before, _), (hoso, _) = await told(hall, life)
        assert [paper["GiayToId"] for paper in hoso["DanhSachGiayToKetQua"]] == [str(life.result_id)]
        assert hoso["NgayTra"]
        assert before["NgayTra"] == ""
        assert before["NgayKetThucXuLy"]


class TestMoment:
    """When something was true, which may lie before the event that tells it."""

    @pytest.mark.parametrize("event_type", sorted(set(EVENTS)))
    def test_is_the_facts_own_where_it_has_one(self, event_type: str) -> None:
        data = EVENTS[event_type].model_validate_json((EXAMPLES / f"{event_type}.json").read_bytes())
        event = replace(raw("a", 1, data=data), id=new_id(), time=AT).read(type(data))
        own = {
            name: value
            for name, value in data
            if name.endswith("_at") and name not in NO_MOMENT and isinstance(value, datetime)
        }
        if len(own) > 1:
            assert own.pop("opened_at"), "only a finished task says when it was opened, too"
        (expected,) = own.values() or [AT]
        assert happened_at(event) == expected

    def test_is_written_in_vietnams_time(self) -> None:
        assert portal_time(AT) == "20260407090000"
        assert portal_time(AT.astimezone(VN).isoformat()) == "20260407090000"
        assert portal_time(None) == ""


def test_examples_are_there_for_every_event() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(EVENTS)
    assert all(orjson.loads(path.read_bytes()) for path in EXAMPLES.glob("*.json"))
