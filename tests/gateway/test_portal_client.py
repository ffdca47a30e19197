"""The portal's answers: believed only when they are definite, whatever form they take."""

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
from gateway.portal.port import PortalSaidNo, PortalUnclear, RowAnswer
from tests.support.serving import serving

DONE = "Đồng bộ hồ sơ thành công"
ENDED = {"error_code": -2, "message": "Phiên làm việc không tồn tại hoặc đã hết hạn"}
ROW = {"MaHoSo": "A", "error_code": 0, "message": DONE}


class Adapter:
    """An adapter whose answers a test writes; it hears everything."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.logins: list[Any] = [{"error_code": 0, "session": "S1"}, {"error_code": "00", "session": "S2"}]
        self.answers: list[Any] = []

    async def answer(self, request: Request) -> Response:
        """Answer from the script; the last answer is given again."""
        self.heard.append((request.url.path, await request.json(), dict(request.headers)))
        script = self.logins if request.url.path == "/auth" else self.answers
        given = script.pop(0) if len(script) > 1 else script[0]
        return given if isinstance(given, Response) else Response(orjson.dumps(given))


@pytest.fixture
async def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
async def client(adapter: Adapter) -> AsyncIterator[LegacyPortal]:
    routes = [Route(path, adapter.answer, methods=["POST"]) for path in ("/auth", "/integration")]
    async with serving(Starlette(routes=routes)) as url, open_http(5) as http:
        yield LegacyPortal(http, url=f"{url}/", username="u", password="p", unit="000.00.00.H32", dstcode="VN:GOV:X")


def envelope(code: Any = 0, message: Any = DONE, result: Any = None) -> dict[str, Any]:
    return {"error_code": code, "message": message, "result": [ROW] if result is None else result}


class TestCall:
    """What goes over the wire."""

    async def test_is_in_the_portals_words(self, client: LegacyPortal, adapter: Adapter) -> None:
        adapter.answers = [envelope()]
        await client.send_dossiers([{"MaHoSo": "A"}], updating=False)
        (login, asked, headers), (path, call, _) = adapter.heard
        assert (login, asked) == ("/auth", {"username": "u", "password": "p"})
        assert (headers["dstcode"], headers["content-type"]) == ("VN:GOV:X", "application/json")
        assert path == "/integration"
        assert call == {
            "session": "S1",
            "madonvi": "000.00.00.H32",
            "service": "DongBoHoSoMC",
            "isUpdating": "False",
            "data": [{"MaHoSo": "A"}],
        }

    async def test_keeps_its_session(self, client: LegacyPortal, adapter: Adapter) -> None:
        adapter.answers = [envelope()]
        for _ in range(3):
            await client.send_progress([{"MaHoSo": "A"}])
        assert [path for path, *_ in adapter.heard] == ["/auth"] + ["/integration"] * 3


class TestAnswer:
    """Yes, no, there already, or nothing definite."""

    @pytest.mark.parametrize("code", [0, "0", "00", " 0 "])
    async def test_is_yes_in_every_form_of_zero(self, client: LegacyPortal, adapter: Adapter, code: Any) -> None:
        adapter.answers = [envelope(code, result=[{**ROW, "error_code": code}])]
        answers = await client.send_dossiers([{"MaHoSo": "A"}], updating=True)
        assert answers["A"].accepted

    @pytest.mark.parametrize("code", [0, "0", 3, "-3", "3"])
    async def test_of_a_row_that_exists_is_neither_yes_nor_no(
        self, client: LegacyPortal, adapter: Adapter, code: Any
    ) -> None:
        adapter.answers = [envelope(result=[{"MaHoSo": "A", "error_code": code, "message": "Hồ sơ ĐÃ TỒN TẠI"}])]
        answer = (await client.send_dossiers([{"MaHoSo": "A"}], updating=False))["A"]
        assert (answer.accepted, answer.exists) == (False, True)

    @pytest.mark.parametrize("code", [0, "0", 3, "-3"])
    @pytest.mark.parametrize("result", [[], None])
    async def test_of_a_call_that_exists_is_told_as_such(
        self, client: LegacyPortal, adapter: Adapter, code: Any, result: Any
    ) -> None:
        """Some say so for the whole call, with a zero even: taken as unclear it would be created for ever."""
        adapter.answers = [{"error_code": code, "message": "Hồ sơ đã tồn tại", "result": result}]
        with pytest.raises(PortalSaidNo) as refusal:
            await client.send_dossiers([{"MaHoSo": "A"}], updating=False)
        assert refusal.value.exists

    async def test_of_rows_is_each_ones_own(self, client: LegacyPortal, adapter: Adapter) -> None:
        rows = [ROW, {"MaHoSo": "B", "error_code": 5, "message": "Cổng từ chối"}, "nonsense", {"error_code": 0}]
        adapter.answers = [envelope(result=rows)]
        answers = await client.send_dossiers([{"MaHoSo": code} for code in "ABC"], updating=False)
        assert answers["A"] == RowAnswer(accepted=True, exists=False, reason=f"0: {DONE}")
        assert (answers["B"].accepted, answers["B"].reason) == (False, "5: Cổng từ chối")
        assert set(answers) == {"A", "B"}

    @pytest.mark.parametrize("code", [1, "-1", "99", None, "", "x", []])
    async def test_is_no_in_any_other_form(self, client: LegacyPortal, adapter: Adapter, code: Any) -> None:
        adapter.answers = [envelope(code, "Hệ thống đang bận")]
        with pytest.raises(PortalSaidNo):
            await client.send_dossiers([{"MaHoSo": "A"}], updating=False)

    @pytest.mark.parametrize(
        "answer",
        [
            envelope(0, ""),
            envelope(0, None),
            envelope(0, "Đã nhận"),
            {"error_code": 0, "message": DONE},
            {"error_code": 0, "message": DONE, "result": {"MaHoSo": "A"}},
            {},
            [],
            "0",
            Response(b"", 200),
            Response(b"<html>Bao tri</html>", 200),
            Response(b'{"error_code": 0, "mess', 200),
            Response(orjson.dumps(envelope()), 500),
            Response(orjson.dumps(envelope()), 302, headers={"location": "/elsewhere"}),
            Response(b"\xff\xfe", 200),
        ],
    )
    async def test_is_nothing_definite(self, client: LegacyPortal, adapter: Adapter, answer: Any) -> None:
        adapter.answers = [answer]
        with pytest.raises(PortalUnclear):
            await client.send_dossiers([{"MaHoSo": "A"}], updating=False)

    async def test_that_does_not_come_is_nothing_definite(self) -> None:
        async with open_http(1) as http:
            away = LegacyPortal(http, url="http://127.0.0.1:1", username="u", password="p", unit="x", dstcode="y")
            with pytest.raises(PortalUnclear):
                await away.send_progress([])


class TestSession:
    """The session ends when the portal says so."""

    async def test_is_renewed_once_and_the_call_sent_again(self, client: LegacyPortal, adapter: Adapter) -> None:
        adapter.answers = [ENDED, envelope()]
        assert (await client.send_dossiers([{"MaHoSo": "A"}], updating=True))["A"].accepted
        sessions = [call["session"] for path, call, _ in adapter.heard if path == "/integration"]
        assert sessions == ["S1", "S2"]

    async def test_that_ends_at_once_again_is_a_refusal(self, client: LegacyPortal, adapter: Adapter) -> None:
        adapter.answers = [ENDED]
        with pytest.raises(PortalSaidNo):
            await client.send_progress([{"MaHoSo": "A"}])
        assert [path for path, *_ in adapter.heard] == ["/auth", "/integration", "/auth", "/integration"]

    @pytest.mark.parametrize("login", [{"error_code": 0}, {"error_code": -4, "message": "Sai mật khẩu"}])
    async def test_that_is_not_given_is_a_refusal(self, client: LegacyPortal, adapter: Adapter, login: Any) -> None:
        adapter.logins = [login]
        with pytest.raises(PortalSaidNo, match="login was refused"):
            await client.send_progress([{"MaHoSo": "A"}])
