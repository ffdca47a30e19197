"""Tracking: the code that nobody can guess opens status and dates, and nothing else."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.intake.operations.codes import TRACKING_LETTERS
from shared import clock
from shared.events.results import ResultReturned
from shared.events.values import ReturnMethod
from shared.events.workflow import CaseCompleted, CaseDueDateChanged, CaseSupplementRequested
from shared.ids import new_id
from tests.intake.counter import CCCD, DOSSIER, OFFICIAL, Counter

NAME = DOSSIER["applicant"]["name"]
PAGE = {"Accept": "text/html,application/xhtml+xml"}


async def track(counter: Counter, tracking_code: str, **headers: str) -> httpx.Response:
    """Ask without any login."""
    return await counter.client.get(f"/tracking/{tracking_code}", headers=headers)


async def submitted(counter: Counter) -> tuple[str, str]:
    """Return code and tracking code of a new dossier."""
    answer = (await counter.submit()).json()
    return answer["code"], answer["tracking_code"]


class TestTrack:
    """Asking by the code."""

    async def test_shows_status_and_dates_and_nothing_personal(self, counter: Counter) -> None:
        code, tracking_code = await submitted(counter)
        await counter.done(code, "accept")
        answer = await track(counter, tracking_code)
        found = answer.json()
        assert (answer.status_code, found["code"], found["stage"]) == (200, code, "processing")
        assert found["due_at"] == (await counter.view(code))["due_at"]
        for page in (answer.text, (await track(counter, tracking_code, **PAGE)).text):
            assert not any(word in page for word in (NAME, CCCD, "0905123456", "Đăng ký khai tử"))

    async def test_follows_the_dossier_to_its_end(self, counter: Counter) -> None:
        code, tracking_code = await submitted(counter)
        seen = []
        for action in ("request-supplement", "supplement", "accept"):
            seen.append((await track(counter, tracking_code)).json()["stage"])
            await counter.done(code, action)
        for fact in _rest_of_a_life():
            seen.append((await track(counter, tracking_code)).json()["stage"])
            await counter.hear(fact, code=code)
        end = (await track(counter, tracking_code)).json()
        assert [*seen, end["stage"]] == [
            "submitted",
            "supplement_requested",
            "submitted",
            "processing",
            "supplement_requested",
            "supplement_requested",
            "completed",
            "returned",
        ]
        moved = datetime.fromisoformat(end["due_at"])
        assert moved - clock.now() > timedelta(days=20)

    async def test_takes_the_code_however_it_is_typed(self, counter: Counter) -> None:
        _, code = await submitted(counter)
        typed = "-".join(code[place : place + 4] for place in range(0, 16, 4)).lower().replace("0", "o")
        assert (await track(counter, typed)).status_code == 200
        answer = await counter.client.get("/tracking", params={"code": f" {typed} "})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/tracking/{code}")

    @pytest.mark.parametrize("code", ["0" * 16, "H32.14.21-260407-0001", "%00", "ậ", "x" * 40])
    async def test_says_the_same_of_every_other_code(self, counter: Counter, code: str) -> None:
        await submitted(counter)
        answer = await track(counter, code)
        assert (answer.status_code, answer.json()["code"]) == (404, "dossier_not_found")
        page = await track(counter, code, **PAGE)
        assert (page.status_code, "Không có hồ sơ nào với mã này" in page.text) == (404, True)

    async def test_codes_are_random_and_each_its_own(self, counter: Counter) -> None:
        codes = [(await submitted(counter))[1] for _ in range(20)]
        assert len(set(codes)) == 20
        assert all(len(code) == 16 and set(code) <= set(TRACKING_LETTERS) for code in codes)
        assert len({code[:4] for code in codes}) > 15

    async def test_a_list_of_dossiers_tells_no_code(self, counter: Counter) -> None:
        _, code = await submitted(counter)
        assert code not in (await counter.get("/dossiers")).text


class TestPage:
    """The page for a browser."""

    async def test_runs_no_script_and_is_kept_nowhere(self, counter: Counter) -> None:
        _, code = await submitted(counter)
        page = await track(counter, code, **PAGE)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert '<html lang="vi">' in page.text
        assert "Đã nộp, chờ tiếp nhận" in page.text

    async def test_asks_for_a_code(self, counter: Counter) -> None:
        page = await counter.client.get("/tracking")
        assert (page.status_code, '<label for="code">' in page.text) == (200, True)


def _rest_of_a_life() -> list[Any]:
    now = clock.now()
    return [
        CaseSupplementRequested(
            supplement_id=new_id(), content="Bản sao", requested_by=OFFICIAL, paused_at=now, respond_by=now
        ),
        CaseDueDateChanged.model_validate(
            {
                "due_at": now + timedelta(days=30),
                "previous_due_at": now,
                "because": "extension",
                "reason": "Cần xác minh",
                "changed_by": OFFICIAL,
                "calendar_version": "2026-1",
                "calculated_at": now,
            }
        ),
        CaseCompleted(completed_at=now, due_at=None, on_time=True),
        ResultReturned.model_validate(
            {
                "result_id": new_id(),
                "number": "1/GP",
                "method": ReturnMethod.COUNTER,
                "returned_at": now,
                "returned_by": OFFICIAL,
            }
        ),
    ]
