"""Deciding on a dossier: the lifecycle as HTTP shows it, reasons, times, rights, and two people at once."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.intake import operations
from services.intake.models import Dossier
from services.intake.schemas.requests import DossierBody
from services.intake.states import BY_PEOPLE, DOSSIER, DossierStatus, actions
from shared import clock
from shared.events.intake import DossierAccepted, DossierRejected
from shared.events.workflow import CaseSupplementRequested, CaseWithdrawn
from shared.ids import new_id
from tests.intake.counter import AGENCY, OFFICIAL, REJECTION, RETRACTION, Counter, dossier

WAYS: dict[DossierStatus, tuple[str, ...]] = {
    DossierStatus.SUBMITTED: (),
    DossierStatus.SUPPLEMENT_REQUESTED: ("request-supplement",),
    DossierStatus.ACCEPTED: ("accept",),
    DossierStatus.REJECTED: ("reject",),
    DossierStatus.WITHDRAWN: ("withdraw",),
    DossierStatus.RETRACTED: ("retract",),
}
WAYS_OF_HTTP = ("accept", "reject", "request-supplement", "supplement", "withdraw", "retract")
PAIRS = [(status, action) for status in DossierStatus for action in BY_PEOPLE]


def _asked() -> CaseSupplementRequested:
    now = clock.now()
    return CaseSupplementRequested(
        supplement_id=new_id(), content="Bản sao", requested_by=OFFICIAL, paused_at=now, respond_by=now
    )


async def _dossier_in(counter: Counter, status: DossierStatus) -> str:
    code = await counter.submitted()
    await counter.done(code, *WAYS[status])
    return code


class TestLifecycle:
    """Walking every pair of status and action."""

    @pytest.mark.parametrize(("status", "action"), PAIRS)
    async def test_an_action_does_what_its_edge_says_or_is_refused(
        self, counter: Counter, status: DossierStatus, action: str
    ) -> None:
        code = await _dossier_in(counter, status)
        if (status, action) == (DossierStatus.ACCEPTED, "supplement"):
            await counter.hear(_asked(), code=code)
        if action == "close":
            await counter.time_out(code)
        before = await counter.told(code)
        answer = await counter.do(code, action.replace("_", "-"))
        told = (await counter.told(code))[len(before) :]
        if action in DOSSIER.actions(status):
            edge = DOSSIER.edge(status, action)
            assert answer.json()["status"] == (await counter.view(code))["status"] == edge.end
            assert [type(fact) for fact in told] == [edge.emits]
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move"), answer.text
            assert (told, (await counter.view(code))["status"]) == ([], status)

    @pytest.mark.parametrize("status", DossierStatus)
    async def test_workflow_ends_only_what_was_accepted(self, counter: Counter, status: DossierStatus) -> None:
        code = await _dossier_in(counter, status)
        await counter.hear(CaseWithdrawn(reason="Đổi ý", withdrawn_at=clock.now()), code=code)
        ended = status in {DossierStatus.ACCEPTED, DossierStatus.WITHDRAWN}
        assert (await counter.view(code))["status"] == (DossierStatus.WITHDRAWN if ended else status)
        waiting = await counter.rows("SELECT reason FROM waiting")
        assert ["IllegalMove" in row["reason"] for row in waiting] == [True] * (status != DossierStatus.ACCEPTED)

    @pytest.mark.parametrize("status", DossierStatus)
    async def test_get_offers_what_can_be_done(self, counter: Counter, status: DossierStatus) -> None:
        code = await _dossier_in(counter, status)
        offered = (await counter.view(code))["actions"]
        assert offered == actions(status, supplement_open=False, withdrawal_open=False, case_ended=False)
        for action in set(BY_PEOPLE) - set(offered):
            assert (await counter.do(code, action.replace("_", "-"))).status_code == 409

    def test_each_status_can_be_left_but_the_last_ones(self) -> None:
        assert DOSSIER.terminal == {DossierStatus.REJECTED, DossierStatus.WITHDRAWN, DossierStatus.RETRACTED}


class TestAccept:
    """Accepting a dossier."""

    async def _due(self, counter: Counter, at: str, **changes: Any) -> str:
        """Return the due time, in Vietnam, of a dossier submitted and accepted at a moment."""
        now = datetime.fromisoformat(at).replace(tzinfo=clock.VN)
        body = DossierBody.model_validate(dossier(**changes))
        async with counter.database.session() as session:
            work = counter.work(session, now)
            submitted = await operations.submit_dossier(
                work, catalogue=counter.app.state.catalogue, submission=body.submission()
            )
            await work.commit()
        async with counter.database.session() as session:
            work = counter.work(session, now)
            found = await operations.accept_dossier(work, code=submitted.dossier.code, accepted_by=OFFICIAL)
            await work.commit()
        return f"{found.due_at.astimezone(clock.VN):%Y-%m-%d %H:%M}" if found.due_at else ""

    @pytest.mark.parametrize(
        ("accepted", "due"),
        [
            ("2026-04-10 16:00", "2026-04-17 16:00"),  # a Friday, five working days
            ("2026-04-11 10:00", "2026-04-17 17:00"),  # a Saturday counts from Monday 07:00
            ("2026-04-24 16:00", "2026-05-06 16:00"),  # over the holidays of 27/4, 30/4 and 1/5
        ],
    )
    async def test_the_term_runs_in_working_time(self, counter: Counter, accepted: str, due: str) -> None:
        assert await self._due(counter, accepted, procedure_code="1.002211") == due

    @pytest.mark.parametrize(
        ("accepted", "due"),
        [
            ("2026-04-07 14:59", "2026-04-07 17:00"),
            ("2026-04-07 15:01", "2026-04-08 17:00"),
            ("2026-04-10 15:01", "2026-04-13 17:00"),
        ],
    )
    async def test_a_same_day_procedure_ends_with_the_day_it_counts_from(
        self, counter: Counter, accepted: str, due: str
    ) -> None:
        assert await self._due(counter, accepted) == due

    @pytest.mark.parametrize("term", [{"amount": 1e12, "unit": "working_day"}, {"amount": 9e9, "unit": "month"}])
    async def test_a_date_that_no_calendar_has_is_refused(self, counter: Counter, term: dict[str, Any]) -> None:
        code = await counter.submitted(procedure_code="1.002211")
        async with counter.database.session() as session:
            found = await session.get_one(Dossier, code)
            found.duration = term
            await session.commit()
        answer = await counter.do(code, "accept")
        assert (answer.status_code, answer.json()["code"]) == (409, "calendar_ends")
        assert (await counter.view(code))["status"] == "submitted"

    async def test_tells_what_others_work_with(self, counter: Counter) -> None:
        code = await counter.submitted(procedure_code="1.004222", channel="online")
        state = await counter.done(code, "accept")
        _, told = await counter.told(code)
        assert isinstance(told, DossierAccepted)
        assert told.due_at == datetime.fromisoformat(state["due_at"])
        assert told.duration is not None
        assert (told.duration.amount, told.duration.unit, told.late_entry) == (7, "working_day", False)
        assert told.calendar_version == (await counter.view(code))["acceptance"]["calendar_version"]
        assert [fee.amount_vnd for fee in told.fees] == [10_000]
        assert told.owner == told.applicant

    async def test_may_be_entered_late(self, counter: Counter) -> None:
        submitted = clock.now() - timedelta(days=20)
        late = {"late_reason": "Mất kết nối mạng"}
        code = await counter.submitted(submitted_at=submitted.isoformat(), **late)
        at = (submitted + timedelta(hours=2)).isoformat()
        body = {"accepted_by": OFFICIAL, "accepted_at": at, "note": "Nhập bù"}
        assert (await counter.do(code, "accept", body)).json()["errors"][0]["field"] == "body.late_reason"
        answer = await counter.do(code, "accept", body | late)
        assert answer.status_code == 200, answer.text
        assert datetime.fromisoformat(answer.json()["due_at"]) < clock.now()
        told = (await counter.told(code))[1]
        assert isinstance(told, DossierAccepted)
        assert (told.late_entry, told.late_reason) == (True, "Mất kết nối mạng")
        assert told.accepted_at == datetime.fromisoformat(at)
        shown = (await counter.view(code))["acceptance"]
        assert (shown["note"], shown["late_reason"]) == ("Nhập bù", "Mất kết nối mạng")
        assert datetime.fromisoformat(shown["entered_at"]) > told.accepted_at

    @pytest.mark.parametrize("hours", [-1.0, 1.0])
    async def test_neither_before_the_submission_nor_in_the_future(self, counter: Counter, hours: float) -> None:
        code = await counter.submitted()
        at = (clock.now() + timedelta(hours=hours)).isoformat()
        answer = await counter.do(code, "accept", {"accepted_by": OFFICIAL, "accepted_at": at})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.accepted_at")
        assert (await counter.view(code))["status"] == "submitted"

    async def test_two_officials_at_once_accept_once(self, counter: Counter) -> None:
        code = await counter.submitted()
        answers = await asyncio.gather(*(counter.do(code, "accept") for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
        assert await counter.told_names(code) == ["dossier.submitted", "dossier.accepted"]


class TestReject:
    """Refusing a dossier."""

    async def test_tells_and_shows_the_reason(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "reject")
        told = (await counter.told(code))[1]
        assert isinstance(told, DossierRejected)
        assert told.model_dump(exclude={"rejected_at"}) == REJECTION
        shown = (await counter.view(code))["rejection"]
        assert shown == REJECTION | {"rejected_at": shown["rejected_at"]}

    @pytest.mark.parametrize(
        "lacking", [{"reason": "thiếu"}, {"reason": "          x"}, {"legal_basis": " "}, {"rejected_by": ""}]
    )
    async def test_needs_a_reason_its_basis_and_a_name(self, counter: Counter, lacking: dict[str, str]) -> None:
        code = await counter.submitted()
        answer = await counter.do(code, "reject", REJECTION | lacking)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{next(iter(lacking))}")
        assert (await counter.view(code))["status"] == "submitted"


class TestRights:
    """Who may do what."""

    @pytest.mark.parametrize("agency", ["H32.14.22", "H32.14.2", "H32.1", "H29", None])
    async def test_another_agencys_dossier_is_not_there(self, counter: Counter, agency: str | None) -> None:
        code = await counter.submitted()
        answers = [await counter.do(code, action, agency=agency) for action in WAYS_OF_HTTP]
        answers.append(await counter.get(f"/dossiers/{code}", agency=agency))
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "dossier_not_found")}
        unknown = await counter.get(f"/dossiers/{AGENCY}-200101-0001")
        assert unknown.json() == answers[-1].json()
        assert await counter.told_names(code) == ["dossier.submitted"]

    @pytest.mark.parametrize("agency", ["H32", "H32.14", AGENCY])
    async def test_the_agencies_above_see_it(self, counter: Counter, agency: str) -> None:
        assert (await counter.get(f"/dossiers/{await counter.submitted()}", agency=agency)).status_code == 200

    @pytest.mark.parametrize(
        ("action", "scope"),
        [
            ("accept", "dossiers:decide"),
            ("reject", "dossiers:decide"),
            ("request-supplement", "dossiers:decide"),
            ("supplement", "dossiers:submit"),
            ("withdraw", "dossiers:submit"),
            ("retract", "dossiers:decide"),
        ],
    )
    async def test_each_action_needs_its_scope(self, counter: Counter, action: str, scope: str) -> None:
        code = await counter.submitted()
        others = {"dossiers:decide", "dossiers:submit", "dossiers:read"} - {scope}
        answer = await counter.do(code, action, scopes=sorted(others))
        assert (answer.status_code, answer.json()["needed"]) == (403, [scope])

    async def test_a_code_that_is_none_is_refused_not_searched(self, counter: Counter) -> None:
        assert (await counter.get("/dossiers/a%00b")).status_code == 422


class TestRetract:
    """Striking off what was entered by mistake."""

    async def test_keeps_who_did_it_and_why(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement", "retract")
        view = await counter.view(code)
        assert (view["status"], view["actions"], view["open_supplement"]) == ("retracted", [], None)
        assert {name: view["retraction"][name] for name in RETRACTION} == RETRACTION

    @pytest.mark.parametrize("lacking", list(RETRACTION))
    async def test_needs_a_reason_and_a_name(self, counter: Counter, lacking: str) -> None:
        code = await counter.submitted()
        for body in ({**RETRACTION, lacking: " "}, {name: RETRACTION[name] for name in RETRACTION if name != lacking}):
            answer = await counter.do(code, "retract", body)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{lacking}")
        assert (await counter.view(code))["status"] == "submitted"

    async def test_lets_the_next_one_pass_without_a_warning(self, counter: Counter) -> None:
        """A dossier that never was is nobody's open dossier."""
        first = await counter.submit()
        await counter.done(first.json()["code"], "retract")
        assert not any(one["code"] == "owner_has_open_dossier" for one in (await counter.submit()).json()["warnings"])


class TestIfMatch:
    """Deciding on what was read."""

    async def test_a_decision_on_what_changed_since_is_refused(self, counter: Counter) -> None:
        code = await counter.submitted()
        read = await counter.get(f"/dossiers/{code}")
        await counter.done(code, "request-supplement", "supplement")
        for action in WAYS_OF_HTTP:
            answer = await counter.do(code, action, sent={"If-Match": read.headers["ETag"]})
            assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
        now = await counter.get(f"/dossiers/{code}")
        answer = await counter.do(code, "accept", sent={"If-Match": now.headers["ETag"]})
        assert answer.status_code == 200
        assert answer.headers["ETag"] == (await counter.get(f"/dossiers/{code}")).headers["ETag"]

    @pytest.mark.parametrize(("tag", "status"), [("*", 200), ('"1", "7"', 200), ('"x"', 412), ("1", 412)])
    async def test_reads_the_header_as_http_says(self, counter: Counter, tag: str, status: int) -> None:
        answer = await counter.do(await counter.submitted(), "accept", sent={"If-Match": tag})
        assert answer.status_code == status

    async def test_what_workflow_tells_changes_the_tag(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "accept")
        before = await counter.get(f"/dossiers/{code}")
        await counter.hear(_asked(), code=code)
        assert (await counter.get(f"/dossiers/{code}")).headers["ETag"] != before.headers["ETag"]
