"""The fault menu: each kind does what it says, no more, and is counted."""

import time
from typing import Any

import httpx
import orjson
import pytest

from tests.portal.province import Province
from tests.portal.wire import Wire, code_of, make_hoso, make_init, make_tien_do, own_portal


def push(portal: Wire, number: int = 1, *, updating: bool = False) -> httpx.Response:
    return portal.post("DongBoHoSoMC", isUpdating=str(updating), data=[make_hoso(number)])


def is_held(portal: Wire, number: int = 1) -> bool:
    return code_of(number) in portal.control("GET", "/statuses")


class TestMenu:
    """Ordering, listing and ending faults."""

    def test_counts_lists_and_deletes(self, portal: Wire) -> None:
        first, second = portal.fault("*", "error_500", count=2), portal.fault("login", "delay", delay_s=0)
        assert [push(portal).status_code for _ in range(3)] == [500, 500, 200]
        standing = portal.control("GET", "/faults")["faults"]
        assert [(fault["id"], fault["fired"]) for fault in standing] == [(first, 2), (second, 0)]
        portal.control("DELETE", f"/faults/{first}")
        assert portal.client.delete(f"/_control/faults/{first}").status_code == 404
        assert portal.control("DELETE", "/faults") == {"ended": 1}
        assert portal.control("GET", "/faults") == {"faults": []}

    def test_befalls_only_what_it_names(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "error_500", dossier=code_of(2))
        assert [push(portal, number).status_code for number in (1, 2, 3)] == [200, 500, 200]
        assert portal.progress(make_tien_do(1))["error_code"] == 0

    def test_chooses_repeatably_by_rate_and_seed(self, portal: Wire) -> None:
        def outcomes(seed: int) -> list[int]:
            fault = portal.fault("TraCuuHoSo", "error_500", rate=0.5, seed=seed)
            seen = [portal.post("TraCuuHoSo", mahoso=code_of(1)).status_code for _ in range(40)]
            portal.control("DELETE", f"/faults/{fault}")
            return seen

        first = outcomes(7)
        assert outcomes(7) == first
        assert outcomes(8) != first
        assert 8 < first.count(500) < 32

    def test_can_befall_no_call_at_all(self, portal: Wire) -> None:
        fault = portal.fault("*", "error_500", rate=0)
        assert push(portal).status_code == 200
        assert portal.fired(fault) == 0

    @pytest.mark.parametrize(
        "order",
        [
            {"kind": "sulk"},
            {"kind": "refuse", "service": "login"},
            {"kind": "duplicate_callback", "service": "DongBoHoSoMC"},
            {"kind": "delay", "rate": 2},
            {"kind": "delay", "count": 0},
            {"kind": "delay", "delay_s": -1},
            {"kind": "delay", "sometimes": True},
        ],
    )
    def test_refuses_what_cannot_be(self, portal: Wire, order: dict[str, Any]) -> None:
        assert portal.client.post("/_control/faults", json=order).status_code == 422

    def test_writes_down_what_it_did(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "error_500", count=1)
        push(portal)
        push(portal)
        rows = portal.control("GET", "/received")["rows"][1:]
        assert [(row["outcome"], row["fault"]) for row in rows] == [
            ("fault", "error_500"),
            ("answered", None),
            ("taken", None),
        ]
        assert portal.control("GET", "/summary")["faulted_calls"] == 1


class TestSpoiltAnswers:
    """Faults that keep a call from its work."""

    def test_error_500_has_no_effect(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "error_500")
        assert push(portal).status_code == 500
        assert not is_held(portal)

    def test_error_code_has_no_effect(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "error_code")
        answer = push(portal)
        assert (answer.status_code, answer.json()["error_code"]) == (200, -1)
        assert not is_held(portal)

    def test_garbage_is_never_an_acknowledgement(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "garbage_200")
        bodies = {push(portal).content for _ in range(6)}
        assert len(bodies) == 6
        for body in bodies:
            try:
                answer = orjson.loads(body)
            except orjson.JSONDecodeError:
                continue
            assert not (isinstance(answer, dict) and answer.get("result"))
        assert not is_held(portal)

    def test_down_refuses_and_hangs_up_in_turn(self, portal: Wire) -> None:
        portal.fault("*", "down")
        assert push(portal).status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):
            push(portal)
        assert portal.client.post("/auth", json={}).status_code == 503
        assert not is_held(portal)

    def test_befalls_a_login_too(self, portal: Wire) -> None:
        portal.fault("login", "error_code", count=1)
        assert portal.log_in()["error_code"] == -1
        assert portal.log_in()["error_code"] == 0


class TestTime:
    """Faults that hold an answer up."""

    def test_delay_holds_the_work_up(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "delay", delay_s=0.3)
        started = time.monotonic()
        assert push(portal).json()["error_code"] == 0
        assert time.monotonic() - started >= 0.3
        assert is_held(portal)

    def test_delay_lets_go_of_who_has_hung_up(self, portal: Wire) -> None:
        """Else a slow first telling would overtake the second one, and look like the sender's disorder."""
        portal.fault("DongBoHoSoMC", "delay", delay_s=0.4, count=1)
        portal.client.timeout = 0.1
        with pytest.raises(httpx.ReadTimeout):
            push(portal)
        portal.client.timeout = 30
        portal.wait_for(lambda: portal.control("GET", "/received")["rows"][-1]["outcome"] == "gone")
        assert not is_held(portal)

    def test_timeout_after_effect_keeps_the_effect(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "timeout_after_effect", delay_s=60, count=1)
        portal.client.timeout = 0.5
        with pytest.raises(httpx.ReadTimeout):
            push(portal)
        portal.client.timeout = 30
        portal.wait_for(lambda: is_held(portal))
        assert push(portal).json()["result"][0]["error_code"] == 3
        assert push(portal, updating=True).json()["result"][0]["error_code"] == 0
        assert portal.statuses() == ["1"]

    def test_timeout_after_effect_ends_by_hanging_up(self, portal: Wire) -> None:
        portal.fault("CapNhatTienDoHoSoMC", "timeout_after_effect", delay_s=0)
        push(portal)
        with pytest.raises(httpx.RemoteProtocolError):
            portal.progress(make_tien_do())
        assert len(portal.dossier()["tien_do"]) == 1


class TestCodes:
    """The forms in which success comes."""

    def test_quirky_success_changes_its_form(self, portal: Wire) -> None:
        portal.fault("*", "quirky_codes")
        seen = []
        for number in range(6):
            answer = push(portal, number).json()
            seen += [answer["error_code"], answer["result"][0]["error_code"]]
        assert {(type(code), code) for code in seen} == {(int, 0), (str, "0"), (str, "00")}
        assert push(portal, 1).json()["result"][0]["error_code"] == "3"

    @pytest.mark.parametrize(("style", "success", "failure"), [("string", "0", "3"), ("double", "00", "3")])
    def test_have_a_usual_form_by_setting(
        self, tmp_path: Any, province: Province, style: str, success: str, failure: str
    ) -> None:
        with own_portal(tmp_path, province.url, portal_success_codes=style) as wire:
            assert wire.log_in()["error_code"] == success
            assert push(wire).json()["error_code"] == success
            assert push(wire).json()["result"][0]["error_code"] == failure


class TestRows:
    """Faults that befall single rows of a batch."""

    def test_refusal_of_one_dossier_hides_no_other(self, portal: Wire) -> None:
        fault = portal.fault("DongBoHoSoMC", "refuse", dossier=code_of(2))
        rows = portal.push([make_hoso(number) for number in (1, 2, 3)], updating=False)["result"]
        assert [row["error_code"] for row in rows] == [0, 5, 0]
        assert portal.fired(fault) == 1
        dossier = portal.dossier(2)
        assert (dossier["hoso"], len(dossier["refusals"]), dossier["violations"]) == (None, 1, [])

    def test_refusal_befalls_progress_too(self, portal: Wire) -> None:
        push(portal)
        portal.fault("CapNhatTienDoHoSoMC", "refuse", count=1)
        assert portal.progress(make_tien_do())["result"][0]["error_code"] == 5
        assert portal.progress(make_tien_do())["result"][0]["error_code"] == 0

    def test_refusal_counts_rows(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "refuse", count=2)
        rows = portal.push([make_hoso(number) for number in range(5)], updating=False)["result"]
        assert [row["error_code"] for row in rows] == [5, 5, 0, 0, 0]

    def test_already_exists_takes_nothing_but_then_an_update(self, portal: Wire) -> None:
        """Who takes "đã tồn tại" for an acknowledgement loses the dossier's words; who sends it again does not."""
        portal.fault("DongBoHoSoMC", "already_exists", count=1)
        row = push(portal).json()["result"][0]
        assert (row["error_code"], row["message"]) == (3, "Hồ sơ đã tồn tại")
        assert not is_held(portal)
        assert portal.call("TraCuuHoSo", mahoso=code_of(1))["result"] == []
        assert push(portal, updating=True).json()["result"][0]["error_code"] == 0
        assert portal.statuses() == ["1"]

    def test_already_exists_befalls_creations_only(self, portal: Wire) -> None:
        push(portal)
        fault = portal.fault("DongBoHoSoMC", "already_exists")
        portal.push([make_hoso(1, "2")], updating=True)
        assert portal.statuses() == ["1", "2"]
        assert portal.fired(fault) == 0


class TestSessions:
    """Sessions that end before their time."""

    def test_expired_in_the_middle_is_gone_for_good(self, portal: Wire) -> None:
        portal.fault("DongBoHoSoMC", "expired_session", count=1)
        assert [push(portal).json()["error_code"] for _ in range(2)] == [-2, -2]
        assert not is_held(portal)
        portal.log_in()
        assert push(portal).json()["error_code"] == 0


class TestPayments:
    """The same menu at the payment platform."""

    @pytest.mark.parametrize("kind", ["error_code", "refuse"])
    def test_are_refused_in_their_own_words(self, portal: Wire, kind: str) -> None:
        portal.fault("INIT", kind)
        assert portal.client.post("/payment/init", json=make_init()).json()["MaLoi"] == "99"
        assert portal.control("GET", "/payments")["payments"] == []

    def test_can_lose_their_answer(self, portal: Wire) -> None:
        portal.fault("INIT", "timeout_after_effect", delay_s=0, dossier=code_of(1))
        with pytest.raises(httpx.RemoteProtocolError):
            portal.client.post("/payment/init", json=make_init())
        assert len(portal.control("GET", "/payments")["payments"]) == 1
