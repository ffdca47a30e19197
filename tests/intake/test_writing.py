"""Once per key, once per reference, one after another per agency: what many callers at once may rely on."""

import asyncio
from collections import Counter as Tally
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from services.intake import operations
from services.intake.operations.codes import issue_code
from services.intake.schemas.requests import DossierBody
from shared import clock
from tests.intake.counter import AGENCY, Counter, dossier

ANOTHER = "H32.14.22"
PORTAL = dossier(channel="online", origin="national_portal", origin_reference="DVCQG-000001")


async def _dossiers(counter: Counter) -> list[str]:
    return [row["code"] for row in await counter.rows("SELECT code FROM dossier ORDER BY code")]


class TestIdempotency:
    """Repeating a call."""

    async def test_fifty_equal_calls_make_one_dossier_and_get_one_answer(self, counter: Counter) -> None:
        answers = await asyncio.gather(*(counter.submit(key="same") for _ in range(50)))
        assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
        assert await _dossiers(counter) == [answers[0].json()["code"]]
        assert await counter.told_names(answers[0].json()["code"]) == ["dossier.submitted"]

    async def test_the_same_key_for_another_body_is_refused(self, counter: Counter) -> None:
        first = await counter.submit(key="same")
        other = await counter.submit(dossier(summary="khác"), key="same")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
        assert await _dossiers(counter) == [first.json()["code"]]

    async def test_another_client_has_its_own_keys(self, counter: Counter) -> None:
        first = await counter.submit(key="same", client_id="one")
        second = await counter.submit(key="same", client_id="two")
        assert first.json()["code"] != second.json()["code"]

    async def test_a_lost_reply_is_found_by_its_key(self, counter: Counter) -> None:
        lost = await counter.submit(key="lost")
        found = await counter.submit(key="lost")
        assert (found.status_code, found.content) == (201, lost.content)
        assert found.headers["Idempotency-Replayed"] == "true"

    async def test_a_refusal_keeps_its_key_free(self, counter: Counter) -> None:
        assert (await counter.submit(dossier(documents=[]), key="again")).status_code == 422
        assert (await counter.submit(key="again")).status_code == 201

    async def test_a_key_is_needed(self, counter: Counter) -> None:
        headers = counter.headers() | {"Idempotency-Key": ""}
        answer = await counter.client.post("/dossiers", json=dossier(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")

    async def test_a_decision_is_made_once(self, counter: Counter) -> None:
        code = await counter.submitted()
        answers = await asyncio.gather(*(counter.do(code, "accept", key="same") for _ in range(10)))
        assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
        assert await counter.told_names(code) == ["dossier.submitted", "dossier.accepted"]


class TestGroup:
    """Submissions that share a transaction."""

    async def test_two_hundred_at_once_get_the_codes_from_one_on(self, counter: Counter) -> None:
        answers = await asyncio.gather(*(counter.submit() for _ in range(200)))
        assert Tally(answer.status_code for answer in answers) == {201: 200}
        numbers = sorted(int(answer.json()["code"].rpartition("-")[2]) for answer in answers)
        assert numbers == list(range(1, 201))
        assert (await counter.rows("SELECT last FROM agency_day"))[0]["last"] == 200
        transactions = await counter.rows("SELECT DISTINCT xmin::text FROM dossier")
        assert len(transactions) < 50

    async def test_a_group_asks_the_database_a_few_things_whatever_its_size(self, counter: Counter) -> None:
        asked: list[str] = []

        def note(*arguments: Any) -> None:
            statement: str = arguments[2]
            # Left out: what loops ask meanwhile, and what is asked of each owner's other dossiers.
            if not any(
                word in statement for word in ("catalogue_revision", "waiting", "submission_rule", "owner_key =")
            ):
                asked.append(statement)

        engine = counter.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            await asyncio.gather(*(counter.submit() for _ in range(60)))
        finally:
            event.remove(engine, "before_cursor_execute", note)
        transactions = await counter.rows("SELECT DISTINCT xmin::text FROM dossier")
        assert len(transactions) < 30
        assert len(asked) <= 7 * len(transactions), asked

    async def test_several_agencies_count_apart_in_one_group(self, counter: Counter) -> None:
        places = [AGENCY, ANOTHER] * 20
        answers = await asyncio.gather(*(counter.submit(dossier(agency_code=place)) for place in places))
        codes = {answer.json()["code"].split("-")[0] + answer.json()["code"].split("-")[2] for answer in answers}
        assert codes == {f"{place}{number:04d}" for place in (AGENCY, ANOTHER) for number in range(1, 21)}

    async def test_a_bad_member_gets_its_own_answer_and_the_others_theirs(self, counter: Counter) -> None:
        await counter.submit(key="used")
        calls = [counter.submit() for _ in range(20)]
        calls.insert(7, counter.submit(dossier(documents=[])))
        calls.insert(9, counter.submit(dossier(summary="khác"), key="used"))
        calls.insert(11, counter.submit(dossier(documents=[{"component_code": "TP01", "document_id": "0" * 32}])))
        answers = await asyncio.gather(*calls)
        assert [answers[place].json()["code"] for place in (7, 9)] == ["invalid_request", "idempotency_key_reused"]
        assert Tally(answer.status_code for answer in answers) == {201: 20, 422: 2, 409: 1}
        assert len(await _dossiers(counter)) == 21
        assert (await counter.rows("SELECT last FROM agency_day"))[0]["last"] == 21

    async def test_a_member_that_fails_late_leaves_no_number_and_no_paper(self, counter: Counter) -> None:
        """An unknown upload is found out only after the code was given."""
        documents = [*dossier()["documents"], {"component_code": "other", "document_id": "0" * 32}]
        answers = await asyncio.gather(counter.submit(), counter.submit(dossier(documents=documents)), counter.submit())
        assert [answer.status_code for answer in answers] == [201, 409, 201]
        assert answers[1].json()["code"] == "document_not_usable"
        numbers = sorted(code.rpartition("-")[2] for code in await _dossiers(counter))
        assert numbers == ["0001", "0002"]
        assert len(await counter.rows("SELECT id FROM document")) == 4


class TestCode:
    """Giving out codes."""

    async def test_a_day_may_have_more_than_9999(self, counter: Counter) -> None:
        day = clock.now().astimezone(clock.VN).date()
        async with counter.database.session() as session:
            work = counter.work(session)
            assert await issue_code(work, agency=AGENCY, day=day) == f"{AGENCY}-{day:%y%m%d}-0001"
            session.info["codes_given"][AGENCY, day] = 9_998
            await issue_code(work, agency=AGENCY, day=day)
            await work.commit()
        code = (await counter.submit()).json()["code"]
        assert code == f"{AGENCY}-{day:%y%m%d}-10000"
        assert (await counter.view(code))["code"] == code
        assert (await counter.do(code, "accept")).status_code == 200

    async def test_the_day_is_vietnams(self, counter: Counter) -> None:
        """23:30 in UTC is the next morning."""
        async with counter.database.session() as session:
            work = counter.work(session, datetime(2026, 4, 7, 23, 30, tzinfo=UTC))
            found = await operations.submit_dossier(
                work,
                catalogue=counter.app.state.catalogue,
                submission=DossierBody.model_validate(dossier()).submission(),
            )
            await work.commit()
        assert found.dossier.code == f"{AGENCY}-260408-0001"

    async def test_processes_count_on_together(self, counter: Counter) -> None:
        """Each session stands for a replica: none sees what another has not committed."""

        async def give(count: int) -> list[str]:
            async with counter.database.session() as session:
                work = counter.work(session)
                codes = [await issue_code(work, agency=AGENCY, day=date(2026, 4, 7)) for _ in range(count)]
                await work.commit()
                return codes

        given = [code for codes in await asyncio.gather(*(give(count) for count in (1, 5, 9, 3, 2))) for code in codes]
        assert sorted(given) == [f"{AGENCY}-260407-{number:04d}" for number in range(1, 21)]


class TestPortal:
    """Dossiers that come from the national portal."""

    async def _send(self, counter: Counter, **changes: str) -> httpx.Response:
        return await counter.post("/portal-submissions", PORTAL | changes, scopes=["portal"])

    async def test_a_reference_pushed_fifty_times_at_once_is_one_dossier(self, counter: Counter) -> None:
        answers = await asyncio.gather(*(self._send(counter) for _ in range(50)))
        assert Tally(answer.status_code for answer in answers) == {201: 1, 200: 49}
        assert await _dossiers(counter) == list({answer.json()["code"] for answer in answers})
        assert len(await counter.told(answers[0].json()["code"])) == 1

    async def test_the_same_reference_is_the_same_dossier_whatever_is_sent_with_it(self, counter: Counter) -> None:
        first = await self._send(counter)
        again = await self._send(counter, summary="khác")
        assert (again.status_code, again.json()["code"]) == (200, first.json()["code"])
        assert (await self._send(counter, origin_reference="DVCQG-000002")).status_code == 201

    async def test_the_origin_is_told(self, counter: Counter) -> None:
        code = (await self._send(counter, submitted_at="2026-04-07T01:00:00+07:00")).json()["code"]
        assert code == f"{AGENCY}-260407-0001"
        (told,) = await counter.told(code)
        assert told.model_dump(include={"origin", "origin_reference"}) == {
            "origin": "national_portal",
            "origin_reference": "DVCQG-000001",
        }

    async def test_how_a_citizen_can_be_reached_is_taken_as_it_is(self, counter: Counter) -> None:
        messy = PORTAL | {"applicant": PORTAL["applicant"] | {"email": "không có", "phone": "0905.123.456 (mẹ)"}}
        answer = await counter.post("/portal-submissions", messy, scopes=["portal"])
        assert (await counter.view(answer.json()["code"]))["applicant"]["email"] == "không có"

    @pytest.mark.parametrize("scope", ["dossiers:submit", "dossiers:decide"])
    async def test_only_the_portals_client_may_push(self, counter: Counter, scope: str) -> None:
        assert (await counter.post("/portal-submissions", PORTAL, scopes=[scope])).status_code == 403

    async def test_a_client_of_another_agency_learns_nothing(self, counter: Counter) -> None:
        await self._send(counter)
        answer = await counter.post("/portal-submissions", PORTAL, scopes=["portal"], agency="H29")
        assert (answer.status_code, answer.json()["code"]) == (404, "dossier_not_found")
