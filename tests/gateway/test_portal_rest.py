"""The REST dialect: answers are believed only when they are definite, and what is held is told from what is not."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.portal.client import open_http
from gateway.portal.legacy import LegacyPortal
from gateway.portal.messages import dossier_message, progress_message
from gateway.portal.numbers import Numbers
from gateway.portal.port import PortalSaidNo, PortalUnclear
from gateway.portal.rest import RestPortal
from gateway.portal.rest_words import parts_of, progress_of, to_hoso
from gateway.states import PortalStatus
from tests.gateway.cashier import Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import ENDINGS, Life, returned
from tests.support.serving import serving

TOKEN = {"code": 0, "message": "OK", "data": {"access_token": "T1", "expires_in": 600, "token_type": "Bearer"}}
YES = {"code": "0", "message": "Thành công", "data": {"IdHoSo": "I1", "MaHoSo": "A"}}
HOSO = {"MaHoSo": "A", "MaTTHC": "1.004222", "TrangThaiHoSo": "1", "TaiLieuNop": []}


class Api:
    """An API whose answers a test writes; it hears everything."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, Any, str]] = []
        self.tokens: list[Any] = [TOKEN]
        self.answers: list[Any] = [YES]

    async def answer(self, request: Request) -> Response:
        """Answer from the script; the last answer is given again."""
        body = await request.body()
        is_token = request.url.path.endswith("token")
        told = body.decode() if is_token else orjson.loads(body or b"null")
        self.heard.append((request.method, request.url.path, told, request.headers.get("authorization", "")))
        script = self.tokens if is_token else self.answers
        given = script.pop(0) if len(script) > 1 else script[0]
        return given if isinstance(given, Response) else Response(orjson.dumps(given))


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def rest(hall: Hall, api: Api) -> AsyncIterator[RestPortal]:
    route = Route("/{rest:path}", api.answer, methods=["GET", "POST", "PUT"])
    async with serving(Starlette(routes=[route])) as url, open_http(5) as http:
        yield RestPortal(http, Numbers(hall.database), url=url, client_id="u", client_secret="p")


def answer(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status)


class TestAnswer:
    """Yes, no, there already, or nothing definite."""

    @pytest.mark.parametrize("code", [0, "0", "00", 200, "200"])
    async def test_is_yes_in_every_form(self, rest: RestPortal, api: Api, code: Any) -> None:
        api.answers = [{**YES, "code": code}]
        assert (await rest.send_dossiers([HOSO], updating=False))["A"].accepted

    @pytest.mark.parametrize("given", [answer({**YES, "code": 3}, 409), {**YES, "message": "Hồ sơ ĐÃ TỒN TẠI"}])
    async def test_that_it_exists_is_neither_yes_nor_no(self, rest: RestPortal, api: Api, given: Any) -> None:
        api.answers = [given]
        told = (await rest.send_dossiers([HOSO], updating=False))["A"]
        assert (told.accepted, told.exists) == (False, True)

    @pytest.mark.parametrize("given", [answer({"code": 1, "message": "Sai"}, 422), {"code": 1, "message": "Sai"}])
    async def test_is_no(self, rest: RestPortal, api: Api, given: Any) -> None:
        api.answers = [given]
        told = (await rest.send_dossiers([HOSO], updating=False))["A"]
        assert (told.accepted, told.exists, "Sai" in told.reason) == (False, False, True)

    @pytest.mark.parametrize(
        "given",
        [
            {},
            [],
            {"code": 0},
            {"code": 0, "message": "", "data": {}},
            {"code": 0, "message": "Thành công", "data": None},
            {"code": 0, "message": "Thành công", "data": {"MaHoSo": "A"}},
            {"code": 0, "message": "Thành công", "data": {"IdHoSo": "I1", "MaHoSo": "B"}},
            {"error_code": 0, "message": "Thành công", "result": []},
            Response(b"<html>Bao tri</html>", 200),
            Response(b'{"code": 0, "mess', 200),
            answer(YES, 500),
            answer(YES, 503),
            answer(YES, 429),
            Response(orjson.dumps(YES), 302, headers={"location": "/elsewhere"}),
        ],
    )
    async def test_is_nothing_definite(self, rest: RestPortal, api: Api, given: Any) -> None:
        api.answers = [given]
        with pytest.raises(PortalUnclear):
            await rest.send_dossiers([HOSO], updating=False)

    async def test_that_is_unclear_for_one_leaves_the_others(self, rest: RestPortal, api: Api) -> None:
        rest.concurrency = 1
        api.answers = [answer({}, 500), {**YES, "data": {"IdHoSo": "I2", "MaHoSo": "B"}}]
        told = await rest.send_dossiers([HOSO, {**HOSO, "MaHoSo": "B"}], updating=False)
        assert (told["A"].accepted, told["B"].accepted) == (False, True)
        assert set(await rest.numbers.find(["A", "B"])) == {"B"}

    async def test_that_is_unclear_again_and_again_spares_the_rest(self, rest: RestPortal, api: Api) -> None:
        rest.concurrency = 1
        api.answers = [answer({}, 500)]
        with pytest.raises(PortalUnclear):
            await rest.send_progress([{"MaHoSo": str(n), "TrangThai": "1"} for n in range(50)])
        assert len(api.heard) == 1 + 4


class TestToken:
    """OAuth client credentials."""

    async def test_is_asked_for_once_and_renewed_before_its_end(self, rest: RestPortal, api: Api) -> None:
        short = {**TOKEN, "data": {**TOKEN["data"], "expires_in": 0}}
        api.tokens = [short, TOKEN]
        for _ in range(3):
            await rest.send_dossiers([HOSO], updating=False)
        asked = [told for _, path, told, _ in api.heard if path.endswith("token")]
        assert asked == ["grant_type=client_credentials&client_id=u&client_secret=p"] * 2

    async def test_that_is_no_longer_taken_is_renewed_once_for_all(self, rest: RestPortal, api: Api) -> None:
        second = {**TOKEN, "data": {**TOKEN["data"], "access_token": "T2"}}
        api.tokens, api.answers = [TOKEN, second], [answer({"code": -2, "message": "hết hạn"}, 401), YES]
        assert (await rest.send_dossiers([HOSO], updating=False))["A"].accepted
        assert [bearer for _, path, _, bearer in api.heard if not path.endswith("token")] == ["Bearer T1", "Bearer T2"]

    @pytest.mark.parametrize("given", [{"code": -4, "message": "Sai"}, {"code": 0, "message": "OK", "data": {}}])
    async def test_that_is_not_given_is_a_refusal(self, rest: RestPortal, api: Api, given: Any) -> None:
        api.tokens = [given]
        with pytest.raises(PortalSaidNo):
            await rest.send_progress([{"MaHoSo": "A", "TrangThai": "1"}])
        assert all(path.endswith("token") for _, path, *_ in api.heard)


class TestWords:
    """HoSo and TienDo, taken apart and put together again."""

    @pytest.mark.parametrize("ending", ENDINGS)
    async def test_come_back_as_they_went(self, hall: Hall, ending: str) -> None:
        life = ENDINGS[ending](Life())
        await hall.take(life.events)
        facts = (await hall.view(life.code))["facts"]
        hoso = dossier_message(life.code, facts, PortalStatus(life.statuses[-1]))
        parts = parts_of(hoso)
        again = to_hoso({**parts.dossier, **parts.state})
        assert parts_of(again) == parts
        assert {name: value for name, value in again.items() if value} == {
            name: value for name, value in hoso.items() if value
        }

    async def test_of_fees_and_results_go_with_5_6_and_9_only(self, hall: Hall) -> None:
        life = returned(Life())
        await hall.take(life.events)
        facts = (await hall.view(life.code))["facts"]
        for status in PortalStatus:
            state = parts_of(dossier_message(life.code, facts, status)).state
            assert ("DanhSachLePhi" in state) is (int(status) in {5, 6, 9})
            assert state["TrangThai"] == int(status)
        told = progress_of(progress_message(life.code, facts, PortalStatus(4), life.now, {}))
        assert (told["TrangThai"], told["ThoiDiemXuLy"][-6:]) == (4, "+07:00")


@pytest.mark.parametrize("dialect", ["rest"])
class TestAtThePortal:
    """Before the mocked portal."""

    async def test_sends_only_what_changed(self, hall: Hall, cashier: Cashier) -> None:
        await hall.take(returned(Life()).events)
        async with cashier.paying():
            await cashier.all_paid()
        rows = [row for row in await cashier.received() if row["dossier"] is None]
        names = [
            row["service"] for row in rows if row["service"].startswith(("TaoHoSo", "CapNhatHoSo", "CapNhatTrang"))
        ]
        assert names[0] == "TaoHoSo"
        assert names.count("CapNhatTrangThai") == 4
        assert names.count("CapNhatHoSo") <= 3

    async def test_goes_on_with_what_the_other_dialect_began(self, hall: Hall, cashier: Cashier) -> None:
        life = returned(Life())
        cashier.dialect = "legacy"
        await hall.take(life.events[:2])
        async with cashier.paying():
            await cashier.all_paid()
        cashier.dialect = "rest"
        await hall.take(life.events[2:6])
        async with cashier.paying():
            await cashier.all_paid()
        cashier.dialect = "legacy"
        await hall.take(life.events[6:])
        async with cashier.paying():
            await cashier.all_paid()
        await cashier.assert_in_step(life)

    async def test_keeps_a_file_by_its_hash_and_gives_numbers(self, cashier: Cashier) -> None:
        async with open_http(10) as http:
            rest = cashier.adapter(http)
            assert isinstance(rest, RestPortal)
            kept = await rest.upload("Tờ khai.pdf", b"%PDF-1.4")
            first, second = [await rest.next_number("1.004222") for _ in range(2)]
        assert len(kept.sha256) == 64
        assert first != second


@pytest.mark.parametrize("dialect", ["legacy", "rest"])
async def test_questions_are_answered_alike(hall: Hall, cashier: Cashier) -> None:
    """What is held, by code and as a list; the catalogue and a procedure of it; nothing is None, never unclear."""
    lives = [returned(Life(code=f"H32.14-260407-{number:04}")) for number in range(3)]
    await hall.take([event for life in lives for event in life.events])
    async with cashier.paying():
        await cashier.all_paid()
    async with open_http(10) as http:
        portal = cashier.adapter(http)
        assert isinstance(portal, LegacyPortal | RestPortal)
        held = await portal.look_up(lives[0].code)
        assert held
        assert (held["TrangThaiHoSo"], held["ChuHoSo"], len(held["TaiLieuNop"])) == ("10", "Nguyễn Thị Bí Mật", 2)
        assert await portal.look_up("H32.14-260407-9999") is None
        listed = await portal.list_held(after=lives[0].code)
        assert [(one["MaHoSo"], one["TrangThaiHoSo"]) for one in listed] == [(one.code, "10") for one in lives[1:]]
        procedures = await portal.list_catalogue("LayDanhSachTTHC")
        found = await portal.find_procedure(procedures[0]["MATTHC"])
        assert found
        assert found["MATTHC"] == procedures[0]["MATTHC"]
        assert await portal.find_procedure("0.000000") is None
        await cashier.fault("LayDanhSachTTHC", "garbage_200", count=6)
        for _ in range(6):
            with pytest.raises((PortalUnclear, PortalSaidNo)):
                await portal.list_catalogue("LayDanhSachTTHC")
