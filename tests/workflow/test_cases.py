"""Cases from acceptance to their end: steps, fees, supplements, stops, withdrawals."""

import asyncio
from datetime import timedelta

import pytest

from services.workflow.operations import tasks as task_verbs
from shared import clock
from shared.events.values import CollectedAt, Process, ProcessStep
from shared.events.workflow import CaseCompleted, CaseResumed, CaseStarted, TaskOpened, WithdrawalRefused
from shared.ids import new_id
from tests.workflow.office import CODE, OFFICIAL, Office, accepted, paid, provided, published, raw, withdrawal
from tests.workflow.processes import BRANCHES, CODES, GATED, GATED_BRANCH, GATED_FIRST, LINEAR, PARALLEL, step


class TestStartCase:
    """An accepted dossier starts its case."""

    async def test_plans_every_step_and_opens_the_first(self, office: Office) -> None:
        await office.start(LINEAR)
        assert await office.statuses() == {"check": "open", "decide": "waiting", "sign": "waiting"}
        assert await office.told_names() == [
            "case.started",
            "task.planned",
            "task.planned",
            "task.planned",
            "task.opened",
        ]

    async def test_clock_and_first_step_run_from_acceptance(self, office: Office) -> None:
        at = clock.now() - timedelta(days=3)
        fact = accepted(LINEAR, at=at)
        await office.publish(LINEAR)
        await office.hear(fact)
        started = (await office.told())[0]
        assert isinstance(started, CaseStarted)
        assert (started.started_at, started.due_at) == (at, fact.due_at)
        assert (await office.tasks())["check"].opened_at == at
        await office.assert_ledger_holds()

    async def test_waits_for_the_published_procedure(self, office: Office) -> None:
        await office.hear(accepted(LINEAR))
        assert [subject for subject, _ in await office.waiting()] == [CODE]
        await office.publish(LINEAR)
        await office.inbox.retry_due()
        assert await office.waiting() == []
        assert await office.status() == "running"

    async def test_stays_on_the_version_it_started_with(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.publish(Process(code="linear", steps=(step("other"),)), version=2)
        await office.hear(accepted(LINEAR, version=2), subject="H32.14-261123-0002")
        await office.complete("check", "decide", "sign")
        assert await office.status() == "completed"
        assert await office.statuses("H32.14-261123-0002") == {"other": "open"}

    async def test_a_second_acceptance_is_refused(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.hear(accepted(LINEAR))
        assert [reason.partition(":")[0] for _, reason in await office.waiting()] == ["IllegalMove"]


class TestKeepProcess:
    """Published processes are kept, unless they cannot run."""

    @pytest.mark.parametrize(
        ("steps", "named"),
        [
            ((), "no steps"),
            ((step("a"), step("a")), "one key"),
            ((step("a", "nowhere"),), "nowhere"),
            ((step("a", "b"), step("b", "a")), "wait for each other"),
            ((ProcessStep(key="a", name="A", unit="", role="r", minutes=1),), "no unit"),
            ((step("a", minutes=-1),), "less than no time"),
        ],
    )
    async def test_refuses_steps_that_cannot_run(
        self, office: Office, steps: tuple[ProcessStep, ...], named: str
    ) -> None:
        await office.publish(Process(code="linear", steps=steps))
        ((_, reason),) = await office.waiting()
        assert reason.startswith("ProcessInvalid")
        assert named in reason

    async def test_the_same_version_again_changes_nothing(self, office: Office) -> None:
        await office.publish(LINEAR)
        await office.publish(LINEAR)
        assert await office.waiting() == []

    async def test_refuses_to_change_a_version(self, office: Office) -> None:
        await office.publish(LINEAR)
        await office.inbox.take([raw(published(Process(code="linear", steps=(step("x"),))), CODES["linear"])])
        ((_, reason),) = await office.waiting()
        assert reason.startswith("ProcessVersionTaken")


class TestSteps:
    """Steps open, join and end in their order."""

    async def test_one_after_another_to_completion(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.complete("check", "decide", "sign")
        names = await office.told_names()
        done_and_next = ["task.claimed", "task.completed", "task.opened"]
        assert names[4:-3] == ["task.opened", *done_and_next, *done_and_next]
        assert names[-3:] == ["task.claimed", "task.completed", "case.completed"]
        completed = (await office.told())[-1]
        assert isinstance(completed, CaseCompleted)
        assert completed.on_time is True
        assert completed.pauses == ()

    async def test_branches_open_together_and_join_once(self, office: Office) -> None:
        await office.start(PARALLEL)
        await office.complete("split")
        assert await office.statuses() == {"split": "done", "left": "open", "right": "open", "join": "waiting"}
        await office.complete("right")
        assert (await office.statuses())["join"] == "waiting"
        await office.complete("left")
        assert (await office.statuses())["join"] == "open"
        await office.complete("join")
        assert await office.status() == "completed"
        assert (await office.told_names()).count("task.opened") == len(PARALLEL.steps)

    async def test_two_last_completions_at_once_complete_the_case_once(self, office: Office) -> None:
        await office.start(BRANCHES)
        answers = await asyncio.gather(office.act("left", "complete"), office.act("right", "complete"))
        assert [answer.status_code for answer in answers] == [200, 200]
        assert (await office.told_names()).count("case.completed") == 1
        assert await office.status() == "completed"

    async def test_two_branches_done_at_once_open_the_join_once(self, office: Office) -> None:
        await office.start(PARALLEL)
        await office.complete("split")
        await asyncio.gather(office.act("left", "complete"), office.act("right", "complete"))
        opened = [fact.step_key for fact in await office.told() if isinstance(fact, TaskOpened)]
        assert opened.count("join") == 1

    async def test_the_second_of_two_transactions_sees_what_the_first_did(self, office: Office) -> None:
        await office.start(BRANCHES)
        tasks = await office.tasks()
        async with office.database.session() as first, office.database.session() as second:
            ours, theirs = office.official_work(first), office.official_work(second)
            await task_verbs.complete_task(ours, task_id=tasks["left"].id, official=OFFICIAL, note="")
            other = asyncio.create_task(
                task_verbs.complete_task(theirs, task_id=tasks["right"].id, official=OFFICIAL, note="")
            )
            await office.one_waits_for_a_lock()
            await ours.commit()
            await other
            await theirs.commit()
        assert await office.status() == "completed"

    async def test_a_late_completion_makes_a_late_case(self, office: Office) -> None:
        await office.start(LINEAR, at=clock.now() - timedelta(days=30))
        await office.complete("check", "decide", "sign")
        completed = (await office.told())[-1]
        assert isinstance(completed, CaseCompleted)
        assert completed.on_time is False

    async def test_without_a_term_nothing_is_on_time_or_late(self, office: Office) -> None:
        await office.start(LINEAR, term=None)
        await office.pause("stop")
        await office.pause("resume")
        await office.complete("check", "decide", "sign")
        completed = (await office.told())[-1]
        assert isinstance(completed, CaseCompleted)
        assert (completed.due_at, completed.on_time, len(completed.pauses)) == (None, None, 1)
        await office.assert_ledger_holds()


class TestPayment:
    """A step can need the fee."""

    async def test_a_step_waits_for_the_fee(self, office: Office) -> None:
        await office.start(GATED, fee_vnd=50_000)
        await office.complete("check")
        case = await office.case()
        assert case is not None
        assert (case.status, case.pause_reason, case.fee_outstanding_vnd) == ("awaiting_payment", "payment", 50_000)
        assert (await office.statuses())["stamp"] == "waiting"
        await office.hear(paid())
        assert await office.status() == "running"
        assert (await office.statuses())["stamp"] == "open"
        assert (await office.told_names())[-3:] == ["case.payment_awaited", "case.resumed", "task.opened"]
        await office.complete("stamp", "sign")
        await office.assert_ledger_holds()

    async def test_the_first_step_can_wait_for_the_fee(self, office: Office) -> None:
        await office.start(GATED_FIRST, fee_vnd=50_000)
        assert await office.status() == "awaiting_payment"
        await office.hear(paid())
        assert (await office.statuses())["stamp"] == "open"

    async def test_paid_before_the_step_there_is_no_pause(self, office: Office) -> None:
        await office.start(GATED, fee_vnd=50_000)
        await office.hear(paid())
        await office.complete("check", "stamp", "sign")
        assert not {"case.payment_awaited", "case.resumed"} & set(await office.told_names())

    async def test_without_a_fee_there_is_no_pause(self, office: Office) -> None:
        await office.start(GATED, on_return_vnd=20_000)
        await office.complete("check", "stamp", "sign")
        assert await office.status() == "completed"
        assert "case.payment_awaited" not in await office.told_names()

    async def test_a_fee_on_return_does_not_open_the_step(self, office: Office) -> None:
        await office.start(GATED_FIRST, fee_vnd=50_000, on_return_vnd=20_000)
        await office.hear(paid(collected=CollectedAt.ON_RETURN))
        assert await office.status() == "awaiting_payment"

    async def test_paid_before_the_case_started_waits_for_it(self, office: Office) -> None:
        await office.publish(GATED_FIRST)
        await office.hear(paid(), accepted(GATED_FIRST, fee_vnd=50_000))
        assert await office.case() is None
        await office.inbox.retry_due()
        assert await office.waiting() == []
        assert (await office.statuses())["stamp"] == "open"

    async def test_other_branches_open_but_wait_too(self, office: Office) -> None:
        await office.start(GATED_BRANCH, fee_vnd=50_000)
        await office.complete("split")
        assert await office.statuses() == {"split": "done", "stamp": "waiting", "visit": "open", "sign": "waiting"}
        assert (await office.act("visit", "complete")).json()["code"] == "case_paused"
        await office.hear(paid())
        await office.complete("visit", "stamp", "sign")
        assert await office.status() == "completed"

    async def test_paid_while_a_supplement_is_awaited_only_notes_it(self, office: Office) -> None:
        await office.start(GATED, fee_vnd=50_000)
        await office.pause("request-supplement")
        await office.hear(paid())
        assert await office.status() == "awaiting_supplement"
        case = await office.case()
        assert case is not None
        await office.hear(provided(str(case.supplement_id)))
        await office.complete("check", "stamp")
        assert "case.payment_awaited" not in await office.told_names()


class TestSupplement:
    """More papers are asked for and come."""

    async def test_twice_over(self, office: Office) -> None:
        await office.start(LINEAR)
        for _ in range(2):
            answer = await office.pause("request-supplement")
            assert answer.status_code == 200, answer.text
            await office.hear(provided(answer.json()["supplement_id"]))
            assert await office.status() == "running"
        assert [fact.after for fact in await office.told() if isinstance(fact, CaseResumed)] == ["supplement"] * 2
        await office.complete("check", "decide", "sign")
        completed = (await office.told())[-1]
        assert isinstance(completed, CaseCompleted)
        assert [pause.reason for pause in completed.pauses] == ["supplement", "supplement"]
        await office.assert_ledger_holds()

    async def test_an_answer_that_is_no_longer_awaited_is_refused(self, office: Office) -> None:
        await office.start(LINEAR)
        first = (await office.pause("request-supplement")).json()["supplement_id"]
        await office.hear(provided(first), provided(first))
        ((_, reason),) = await office.waiting()
        assert reason.startswith("SupplementNotOpen")

    async def test_an_answer_to_another_request_is_refused(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.pause("request-supplement")
        await office.hear(provided(new_id()))
        assert await office.status() == "awaiting_supplement"
        assert len(await office.waiting()) == 1

    async def test_must_leave_time_to_answer(self, office: Office) -> None:
        await office.start(LINEAR)
        body = {"content": "Bản sao", "respond_by": clock.now().isoformat(), "requested_by": OFFICIAL}
        answer = await office.post(f"/cases/{CODE}/request-supplement", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "respond_by_invalid")
        assert answer.json()["errors"][0]["field"] == "respond_by"


class TestStop:
    """The agency stops a case."""

    async def test_and_resume(self, office: Office) -> None:
        await office.start(LINEAR)
        assert (await office.pause("stop")).json()["status"] == "stopped"
        assert (await office.pause("resume")).json()["status"] == "running"
        resumed = (await office.told())[-1]
        assert isinstance(resumed, CaseResumed)
        assert (resumed.after, resumed.resumed_by) == ("stop", OFFICIAL)
        await office.assert_ledger_holds()


PAUSED_BY = {"awaiting_supplement": "request-supplement", "stopped": "stop"}


async def _bring_to(office: Office, status: str) -> None:
    await office.start(GATED_FIRST, fee_vnd=50_000 if status == "awaiting_payment" else 0)
    if status in PAUSED_BY:
        await office.pause(PAUSED_BY[status])
    if status == "completed":
        await office.complete("stamp", "sign")
    if status == "withdrawn":
        await office.hear(withdrawal())
    assert await office.status() == status


class TestActionsInEveryStatus:
    """What may be done to a case depends on where it stands."""

    @pytest.mark.parametrize("action", ["request-supplement", "stop", "resume"])
    @pytest.mark.parametrize(
        "status", ["running", "awaiting_supplement", "awaiting_payment", "stopped", "completed", "withdrawn"]
    )
    async def test_over_http(self, office: Office, status: str, action: str) -> None:
        await _bring_to(office, status)
        before = await office.told_names()
        answer = await office.pause(action)
        allowed = (status, action) in {("running", "request-supplement"), ("running", "stop"), ("stopped", "resume")}
        if allowed:
            assert answer.status_code == 200, answer.text
            return
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move")
        assert answer.json()["status_now"] == status
        assert await office.told_names() == before


class TestWithdrawal:
    """The applicant wants the dossier back."""

    @pytest.mark.parametrize("status", ["running", "awaiting_supplement", "awaiting_payment", "stopped"])
    async def test_ends_a_case_under_way(self, office: Office, status: str) -> None:
        await _bring_to(office, status)
        await office.hear(withdrawal())
        assert await office.status() == "withdrawn"
        assert await office.statuses() == {"stamp": "cancelled", "sign": "cancelled"}
        assert (await office.told_names())[-3:] == ["case.withdrawn", "task.cancelled", "task.cancelled"]

    async def test_lets_a_stopped_case_go_on_first(self, office: Office) -> None:
        """The national portal knows no way from "stopped" (8) to "withdrawn" (7), only through "processing" (4)."""
        await _bring_to(office, "stopped")
        await office.hear(withdrawal())
        assert (await office.told_names())[-4:-2] == ["case.resumed", "case.withdrawn"]

    async def test_keeps_what_was_done(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.complete("check")
        await office.hear(withdrawal())
        assert await office.statuses() == {"check": "done", "decide": "cancelled", "sign": "cancelled"}

    @pytest.mark.parametrize("status", ["completed", "withdrawn"])
    async def test_is_refused_when_the_case_has_ended(self, office: Office, status: str) -> None:
        await _bring_to(office, status)
        await office.hear(withdrawal())
        assert isinstance((await office.told())[-1], WithdrawalRefused)
        assert await office.status() == status

    async def test_waits_for_the_case_to_start(self, office: Office) -> None:
        await office.hear(withdrawal())
        ((_, reason),) = await office.waiting()
        assert reason.startswith("CauseMissing")

    async def test_a_completion_after_it_is_refused(self, office: Office) -> None:
        await office.start(BRANCHES)
        await office.complete("left")
        await office.hear(withdrawal())
        answer = await office.act("right", "complete")
        assert (answer.status_code, answer.json()["status_now"]) == (409, "cancelled")

    @pytest.mark.parametrize("turn", range(4))
    async def test_at_the_moment_of_completion_one_of_them_wins(self, office: Office, turn: int) -> None:
        await office.start(BRANCHES)
        await office.complete("left")
        race = [office.act("right", "complete"), office.hear(withdrawal())]
        await asyncio.gather(*(race if turn % 2 else race[::-1]))
        names = await office.told_names()
        ending = {"completed": ("case.completed", "withdrawal.refused"), "withdrawn": ("case.withdrawn",)}
        status = await office.status()
        assert status in ending
        assert [name for name in names if name.startswith(("case.c", "case.w", "withdrawal"))] == [*ending[status]]
