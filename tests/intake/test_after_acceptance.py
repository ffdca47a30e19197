"""Supplements and withdrawals, before the acceptance and while the case runs."""

import asyncio
from datetime import timedelta

from shared import clock
from shared.events.envelope import EventData
from shared.events.intake import (
    DossierSupplemented,
    DossierSupplementRequested,
    DossierWithdrawn,
    SupplementProvided,
    WithdrawalRequested,
)
from shared.events.workflow import CaseCompleted, CaseSupplementRequested, CaseWithdrawn, WithdrawalRefused
from shared.ids import new_id
from tests.intake.counter import ANSWER, DOSSIER, OFFICIAL, Counter, dossier, raw


def asked(content: str = "Bản sao công chứng") -> CaseSupplementRequested:
    """Say that workflow asks for something."""
    return CaseSupplementRequested(
        supplement_id=new_id(),
        content=content,
        requested_by=OFFICIAL,
        paused_at=clock.now(),
        respond_by=clock.now() + timedelta(days=5),
    )


def completed() -> CaseCompleted:
    """Say that the case is done."""
    return CaseCompleted(completed_at=clock.now(), due_at=None, on_time=None)


def refused() -> WithdrawalRefused:
    """Say that workflow cannot withdraw any more."""
    return WithdrawalRefused(reason="Hồ sơ đã có kết quả", refused_at=clock.now())


async def _accepted(counter: Counter) -> str:
    code = await counter.submitted()
    await counter.done(code, "accept")
    return code


async def _causes(counter: Counter, code: str) -> list[object]:
    rows = await counter.rows("SELECT causation_id FROM outbox WHERE subject = :code ORDER BY id", code=code)
    return [row["causation_id"] for row in rows]


async def _last(counter: Counter, code: str) -> EventData:
    return (await counter.told(code))[-1]


class TestBeforeAcceptance:
    """Asking before the acceptance."""

    async def test_a_request_is_shown_until_it_is_answered(self, counter: Counter) -> None:
        code = await counter.submitted()
        state = await counter.done(code, "request-supplement")
        told = await _last(counter, code)
        assert isinstance(told, DossierSupplementRequested)
        assert state["open_supplement"]["id"] == str(told.supplement_id)
        assert (await counter.view(code))["open_supplement"] == state["open_supplement"]
        assert state["actions"] == ["supplement", "withdraw", "retract"]
        # The answer is due by the end of work, five calendar days later or on the next working day.
        local = told.respond_by.astimezone(clock.VN)
        assert (local.hour, local.weekday() < 5, local - clock.now() > timedelta(days=4)) == (17, True, True)

    async def test_the_answer_says_who_took_it_and_what_it_replaces(self, counter: Counter) -> None:
        """Only a paper of the same dossier can be replaced, and only once; an uploaded file lies in our store."""
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        old, other = [one["id"] for one in (await counter.view(code))["documents"]]
        stored = (await counter.upload()).json()["id"]
        paper = {"component_code": "TP02", "document_id": stored, "replaces": old, "from_national_store": True}
        for wrong in ([paper | {"replaces": str(new_id())}], [paper, {**paper, "document_id": None, "paper": True}]):
            refused = await counter.do(code, "supplement", {"documents": wrong})
            assert refused.json()["errors"][0]["field"].endswith(".replaces")
        answer = {"documents": [paper], "received_by": "Hồ Thị Nhận"}
        assert (await counter.do(code, "supplement", answer)).status_code == 200
        told = await _last(counter, code)
        assert isinstance(told, DossierSupplemented)
        (document,) = told.documents
        assert (told.received_by, str(document.replaces), document.stored) == ("Hồ Thị Nhận", old, True)
        assert (document.from_national_store, str(document.id) != other) == (True, True)

    async def test_a_submission_replaces_nothing(self, counter: Counter) -> None:
        papers = [{"component_code": "TP01", "paper": True, "replaces": str(new_id())}, DOSSIER["documents"][1]]
        refused = await counter.submit(dossier(documents=papers))
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "body.documents.0.replaces"

    async def test_the_answer_brings_it_back_with_its_papers(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        asked_for = await _last(counter, code)
        state = await counter.done(code, "supplement")
        told = await _last(counter, code)
        assert isinstance(told, DossierSupplemented)
        assert isinstance(asked_for, DossierSupplementRequested)
        assert told.supplement_id == asked_for.supplement_id
        assert [one.sha256 for one in told.documents] == ["a" * 64]
        assert (state["status"], state["open_supplement"]) == ("submitted", None)
        view = await counter.view(code)
        assert len(view["documents"]) == 3
        assert view["supplements"][0]["answered_at"]

    async def test_may_be_asked_twice(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, *["request-supplement", "supplement"] * 2, "accept")
        assert len((await counter.view(code))["supplements"]) == 2

    async def test_an_answer_may_be_entered_late_but_not_before_the_request(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        for hours in (-1, 1):
            at = (clock.now() + timedelta(hours=hours)).isoformat()
            answer = await counter.do(code, "supplement", ANSWER | {"answered_at": at})
            assert answer.json()["errors"][0]["field"] == "body.answered_at"
        at = clock.now().isoformat()
        assert (await counter.do(code, "supplement", ANSWER | {"answered_at": at})).status_code == 200

    async def test_an_answer_holds_something(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        for documents in ([], [{"component_code": "TP01"}], [{"component_code": "TP01", "paper": True, "sha256": "x"}]):
            assert (await counter.do(code, "supplement", {"documents": documents})).status_code == 422
        assert (await counter.view(code))["status"] == "supplement_requested"


class TestWhileProcessing:
    """Asking while the case runs."""

    async def test_the_answer_is_told_after_the_question(self, counter: Counter) -> None:
        code = await _accepted(counter)
        (question,) = await counter.hear(request := asked(), code=code)
        view = await counter.view(code)
        assert view["actions"] == ["supplement", "withdraw"]
        assert (view["open_supplement"]["content"], view["open_supplement"]["while_processing"]) == (
            request.content,
            True,
        )
        state = await counter.done(code, "supplement")
        told = await _last(counter, code)
        assert isinstance(told, SupplementProvided)
        assert (told.supplement_id, len(told.documents)) == (request.supplement_id, 1)
        assert await _causes(counter, code) == [None, None, question.id]
        assert (state["status"], state["open_supplement"], state["actions"]) == ("accepted", None, ["withdraw"])

    async def test_two_answers_at_once_are_one(self, counter: Counter) -> None:
        code = await _accepted(counter)
        await counter.hear(asked(), code=code)
        answers = await asyncio.gather(*(counter.do(code, "supplement") for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]

    async def test_nothing_is_answered_that_was_not_asked(self, counter: Counter) -> None:
        answer = await counter.do(await _accepted(counter), "supplement")
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_asked")

    async def test_a_question_delivered_again_is_one(self, counter: Counter) -> None:
        code = await _accepted(counter)
        events = await counter.hear(asked(), code=code)
        await asyncio.gather(*(counter.inbox.take(events) for _ in range(20)))
        assert len((await counter.view(code))["supplements"]) == 1

    async def test_a_batch_about_many_dossiers_takes_one_look_at_them(self, counter: Counter) -> None:
        codes = [await _accepted(counter) for _ in range(5)]
        events = [raw(fact, code) for code in codes for fact in (asked(), completed())]
        async with counter.database.session() as session:
            work = counter.work(session)
            assert counter.inbox.preload is not None
            await counter.inbox.preload(work, events)
            assert {row.code for row in session.info["preloaded"]} == set(codes)
        await counter.inbox.take(events)
        for code in codes:
            view = await counter.view(code)
            assert (view["open_supplement"] is not None, view["actions"]) == (True, ["supplement"])

    async def test_what_is_told_of_an_unknown_dossier_waits(self, counter: Counter) -> None:
        await counter.hear(asked(), completed(), code="H32.14-200101-0001")
        waiting = await counter.rows("SELECT reason FROM waiting ORDER BY id")
        assert "CauseMissing" in waiting[0]["reason"]
        assert len(waiting) == 2


class TestWithdraw:
    """Taking a dossier back."""

    async def test_is_done_at_once_before_the_acceptance(self, counter: Counter) -> None:
        for before in ([], ["request-supplement"]):
            code = await counter.submitted()
            await counter.done(code, *before)
            answer = await counter.do(code, "withdraw")
            told = await _last(counter, code)
            assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
            assert (answer.json()["withdrawal"]["state"], answer.json()["open_supplement"]) == ("done", None)
            assert isinstance(told, DossierWithdrawn)
            assert not told.after_acceptance

    async def test_is_workflows_to_decide_afterwards(self, counter: Counter) -> None:
        code = await _accepted(counter)
        answer = await counter.do(code, "withdraw")
        told = await _last(counter, code)
        assert (answer.status_code, answer.json()["status"], answer.json()["actions"]) == (202, "accepted", [])
        assert answer.json()["withdrawal"]["state"] == "requested"
        assert isinstance(told, WithdrawalRequested)
        again = await counter.do(code, "withdraw")
        assert (again.status_code, again.json()["code"]) == (409, "withdrawal_pending")

    async def test_ends_the_dossier_when_workflow_says_so(self, counter: Counter) -> None:
        code = await _accepted(counter)
        await counter.done(code, "withdraw")
        (word,) = await counter.hear(CaseWithdrawn(reason="Nộp nhầm thủ tục", withdrawn_at=clock.now()), code=code)
        told = await _last(counter, code)
        assert isinstance(told, DossierWithdrawn)
        assert (told.after_acceptance, (await _causes(counter, code))[-1]) == (True, word.id)
        view = await counter.view(code)
        assert (view["status"], view["withdrawal"]["state"], view["actions"]) == ("withdrawn", "done", [])

    async def test_leaves_the_dossier_when_workflow_refuses_and_shows_why(self, counter: Counter) -> None:
        code = await _accepted(counter)
        await counter.done(code, "withdraw")
        await counter.hear(refused(), code=code)
        view = await counter.view(code)
        assert (view["status"], view["actions"]) == ("accepted", ["withdraw"])
        assert (view["withdrawal"]["state"], view["withdrawal"]["refusal"]) == ("refused", "Hồ sơ đã có kết quả")
        again = await counter.do(code, "withdraw")
        assert (again.status_code, again.json()["withdrawal"]["state"]) == (202, "requested")

    async def test_is_too_late_when_the_case_is_completed(self, counter: Counter) -> None:
        code = await _accepted(counter)
        await counter.hear(completed(), code=code)
        answer = await counter.do(code, "withdraw")
        assert (answer.status_code, answer.json()["code"]) == (409, "case_ended")
        assert (await counter.view(code))["actions"] == []
