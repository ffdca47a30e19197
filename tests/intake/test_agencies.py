"""Agencies merge and split; what they had is found through who took over."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.intake import operations, queries
from services.intake.models import AgencyEntry, Level
from services.intake.operations.sources.units import commune_code
from services.intake.operations.units import completed
from services.intake.queries import Catalogue
from services.intake.settings import IntakeSettings
from shared import clock
from tests.intake.counter import AGENCY, Counter, dossier

TODAY = date(2026, 4, 7)
HEIR = "H32.14.22"
WRITE = ["catalogue:write"]


def agency(code: str, *, until: date | None = None, to: tuple[str, ...] = ()) -> AgencyEntry:
    """Return an agency, ended or not."""
    return AgencyEntry(code=code, name=code, level=Level.PROVINCE, valid_to=until, successors=to)


def country(*entries: AgencyEntry) -> Catalogue:
    """Return a catalogue of nothing but agencies."""
    return Catalogue(1, {entry.code: entry for entry in entries}, {}, {}, {})


class TestSuccession:
    ended = date(2025, 6, 30)

    def test_of_a_merger(self) -> None:
        known = country(agency("H43", until=self.ended, to=("H32",)), agency("H32"))
        assert [one.code for one in known.successors("H43", TODAY)] == ["H32"]
        assert [one.code for one in known.successors("H43", self.ended)] == ["H43"]
        assert known.predecessors("H32", TODAY) == ("H43",)
        assert known.predecessors("H32", self.ended) == ()

    def test_of_a_split(self) -> None:
        known = country(agency("H32.05", until=self.ended, to=("H32.06", "H32.07")), agency("H32.06"), agency("H32.07"))
        assert [one.code for one in known.successors("H32.05", TODAY)] == ["H32.06", "H32.07"]
        assert (known.predecessors("H32.06", TODAY), known.predecessors("H32.07", TODAY)) == (("H32.05",),) * 2

    def test_of_mergers_of_mergers_and_of_what_lay_below(self) -> None:
        known = country(
            agency("H10", until=date(2024, 1, 1), to=("H09",)),
            agency("H10.05", until=date(2024, 1, 1)),
            agency("H09", until=self.ended, to=("H29",)),
            agency("H29"),
        )
        assert [one.code for one in known.successors("H10.05", TODAY)] == ["H29"]
        assert known.predecessors("H29", TODAY) == ("H09", "H10")

    def test_never_walks_in_circles(self) -> None:
        known = country(agency("H01", until=self.ended, to=("H02",)), agency("H02", until=self.ended, to=("H01",)))
        assert known.successors("H01", TODAY) == ()

    def test_the_old_form_and_other_identifiers_are_understood(self) -> None:
        entry = agency("H32.14").model_copy(update={"also_known_as": ("22339",)})
        known = country(entry)
        assert known.agency("000.00.14.H32") == known.agency("22339") == known.agency("H32.14") == entry
        assert known.agency("nothing") is None

    def test_a_list_completes_what_is_known(self) -> None:
        known = agency("H32").model_copy(update={"name": "Tên của tỉnh"})
        listed = AgencyEntry(code="H32", name="Khác", level=Level.PROVINCE, also_known_as=("56",))
        after = completed(listed, known)
        assert (after.name, after.also_known_as, completed(listed, after)) == ("Tên của tỉnh", ("56",), after)

    def test_communes_have_codes_of_their_own(self) -> None:
        assert commune_code("H32", "22339") == "H32.922.339"
        assert commune_code("H26", "00004") == "H26.900.004"
        assert commune_code("", "22339") == commune_code("H32", "") == commune_code("H32", "1234567") == ""


@pytest.fixture
async def tree(counter: Counter) -> AsyncIterator[Counter]:
    """Lend the counter; its agencies are as before afterwards."""
    async with counter.database.session() as session:
        kept = (await session.execute(text("SELECT code, entry::text, digest, revision FROM agency"))).all()
    yield counter
    statement = text("INSERT INTO agency (code, entry, digest, revision) VALUES (:c, CAST(:e AS jsonb), :d, :r)")
    async with counter.database.session() as session:
        await session.execute(text("DELETE FROM agency"))
        for code, entry, digest, revision in kept:
            await session.execute(statement, {"c": code, "e": entry, "d": digest, "r": revision})
        await session.commit()
        counter.app.state.catalogue = await queries.load_catalogue(session)


async def close(counter: Counter, code: str, *successors: str, last_day: date | None = None) -> Any:
    """Close an agency yesterday, and let the process know it."""
    day = last_day or clock.now().astimezone(clock.VN).date() - timedelta(days=1)
    body = {"last_day": day.isoformat(), "successors": list(successors)}
    answer = await counter.post(f"/agencies/{code}/close", body, scopes=WRITE)
    async with counter.database.session() as session:
        counter.app.state.catalogue = await queries.load_catalogue(session, counter.app.state.catalogue)
    return answer


class TestClosing:
    async def test_gives_dossiers_to_the_successor(self, tree: Counter) -> None:
        code = await tree.submitted()
        answer = await close(tree, AGENCY, HEIR)
        assert (answer.status_code, answer.json()["now"]) == (200, [HEIR]), answer.text
        heir = (await tree.client.get(f"/agencies/{HEIR}")).json()
        assert (heir["exists"], heir["predecessors"]) == (True, [AGENCY])
        found = await tree.get("/dossiers", query={"agency": HEIR})
        assert [one["code"] for one in found.json()["items"]] == [code]
        assert (await tree.get(f"/dossiers/{code}", agency=HEIR)).status_code == 404
        theirs = {"agency": HEIR, "inherited": heir["predecessors"]}
        assert (await tree.get(f"/dossiers/{code}", **theirs)).status_code == 200
        assert [one["code"] for one in (await tree.get("/dossiers", **theirs)).json()["items"]] == [code]
        assert (await tree.do(code, "accept", **theirs)).status_code == 200

    async def test_closes_it_to_dossiers_and_opens_the_successor_to_its_procedures(self, tree: Counter) -> None:
        await close(tree, AGENCY, "H32.14")
        refused = await tree.submit()
        assert "successor H32.14" in refused.json()["errors"][0]["message"]
        assert (await tree.submit(dossier(agency_code="H32.14"))).status_code == 201
        listed = (await tree.client.get("/agencies", params={"within": "H32.14"})).json()["items"]
        assert AGENCY not in {one["code"] for one in listed}
        history = (await tree.client.get("/agencies", params={"within": "H32.14", "history": True})).json()["items"]
        assert AGENCY in {one["code"] for one in history}

    @pytest.mark.parametrize(("code", "successors"), [(AGENCY, ["H99"]), (AGENCY, [AGENCY]), ("H99", [HEIR])])
    async def test_is_refused_where_nobody_could_take_over(
        self, tree: Counter, code: str, successors: list[str]
    ) -> None:
        assert (await close(tree, code, *successors)).status_code in {404, 422}

    async def test_is_not_undone_by_the_next_start(self, tree: Counter) -> None:
        await close(tree, AGENCY, HEIR)
        file = IntakeSettings.model_fields["catalogue_file"].get_default(call_default_factory=True)
        async with tree.database.session() as session:
            work = tree.work(session)
            await operations.import_catalogue(work, catalogue=queries.read_catalogue(file))
            await work.commit()
            known = await queries.load_catalogue(session)
        assert known.agencies[AGENCY].successors == (HEIR,)


class TestWriting:
    async def test_adds_one_and_finds_it_by_words(self, tree: Counter) -> None:
        body = {
            "code": "H32.99",
            "name": "Sở Thử nghiệm",
            "level": "province",
            "parent": "H32",
            "also_known_as": ["X1"],
        }
        headers = tree.headers(scopes=WRITE)
        answer = await tree.client.put("/agencies/H32.99", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        async with tree.database.session() as session:
            tree.app.state.catalogue = await queries.load_catalogue(session, tree.app.state.catalogue)
        found = (await tree.client.get("/agencies", params={"q": "so thu nghiem"})).json()["items"]
        assert [one["code"] for one in found] == ["H32.99"]
        assert (await tree.client.get("/agencies/X1")).json()["name"] == "Sở Thử nghiệm"
        assert (await tree.client.get("/agencies/000.00.99.H32")).json()["code"] == "H32.99"

    async def test_is_refused_when_it_does_not_hold_together(self, tree: Counter) -> None:
        body = {"code": "H32.99", "name": "x", "level": "province", "parent": "H77", "valid_to": "2020-01-01"}
        for changes in ({}, {"code": "H32.98"}, {"parent": None, "valid_from": "2021-01-01"}):
            answer = await tree.client.put("/agencies/H32.99", json=body | changes, headers=tree.headers(scopes=WRITE))
            assert answer.status_code == 422, answer.text


class TestCompetence:
    async def test_an_agency_receives_for_another_of_its_province(self, counter: Counter) -> None:
        """NĐ 118/2025: received anywhere in the province; both see the dossier."""
        answer = await counter.submit(dossier(agency_code="H32.03", competent_agency_code=AGENCY))
        assert answer.status_code == 201, answer.text
        code = answer.json()["code"]
        assert (code[:6], answer.json()["competent_agency_code"]) == ("H32.03", AGENCY)
        for seeing, status in ((AGENCY, 200), ("H32.03", 200), (HEIR, 404)):
            assert (await counter.get(f"/dossiers/{code}", agency=seeing)).status_code == status
            items = (await counter.get("/dossiers", agency=seeing)).json()["items"]
            assert [one["code"] for one in items] == ([code] if status == 200 else [])
        await counter.done(code, "accept")
        submitted, accepted = await counter.told(code)
        assert {getattr(fact, "competent_agency_code", None) for fact in (submitted, accepted)} == {AGENCY}

    @pytest.mark.parametrize("competent", ["H29.01", "H32.03", "nowhere"])
    async def test_is_refused_where_nobody_decides(self, counter: Counter, competent: str) -> None:
        answer = await counter.submit(dossier(agency_code="H32.05", competent_agency_code=competent))
        assert answer.status_code == 422
        assert {error["field"] for error in answer.json()["errors"]} >= {"body.competent_agency_code"}

    async def test_without_one_the_receiving_agency_must_decide(self, counter: Counter) -> None:
        answer = await counter.submit(dossier(agency_code="H32.03"))
        assert "competent_agency_code" in answer.json()["errors"][0]["message"]
