"""The catalogue: brought in once, told when it changes, searched by anybody."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import delete

from services.intake import operations, queries
from services.intake.app import create_app
from services.intake.models import Agency, CatalogueFile, Field, Procedure, ProcedureEntry
from services.intake.settings import IntakeSettings
from shared import clock
from shared.events.intake import ProcedurePublished
from tests.intake.counter import PROCEDURE, Counter, dossier

SIZE = 69


@pytest.fixture
def catalogue(settings: IntakeSettings) -> CatalogueFile:
    return queries.read_catalogue(settings.catalogue_file)


@pytest.fixture
async def emptied(counter: Counter, catalogue: CatalogueFile) -> AsyncIterator[Counter]:
    """Let a test begin without a catalogue in the database, and put the sample back afterwards."""
    await _empty(counter)
    yield counter
    await _empty(counter)
    await _bring_in(counter, catalogue)
    await _reload(counter)


async def _empty(counter: Counter) -> None:
    await counter.clear()
    async with counter.database.session() as session:
        for table in (Procedure, Agency, Field):
            await session.execute(delete(table))
        await session.commit()


async def _bring_in(counter: Counter, catalogue: CatalogueFile) -> list[str]:
    async with counter.database.session() as session:
        work = counter.work(session)
        changed = await operations.import_catalogue(work, catalogue=catalogue)
        await work.commit()
        return [entry.code for entry in changed]


async def _reload(counter: Counter) -> None:
    async with counter.database.session() as session:
        counter.app.state.catalogue = await queries.load_catalogue(session)


def _changed(catalogue: CatalogueFile, code: str, **changes: Any) -> CatalogueFile:
    entries = tuple(
        ProcedureEntry.model_validate(entry.model_dump() | changes) if entry.code == code else entry
        for entry in catalogue.procedures
    )
    return catalogue.model_copy(update={"procedures": entries})


class TestImport:
    """Bringing in a catalogue."""

    async def test_tells_every_procedure_once(self, emptied: Counter, catalogue: CatalogueFile) -> None:
        assert len(await _bring_in(emptied, catalogue)) == SIZE
        assert await _bring_in(emptied, catalogue) == []
        (told,) = await emptied.told(PROCEDURE)
        assert isinstance(told, ProcedurePublished)
        assert (told.version, told.name, told.field_name) == (1, "Đăng ký khai tử", "Hộ tịch")
        assert [step.key for step in told.process.steps] == ["appraise", "sign"]
        assert len(await emptied.rows("SELECT id FROM outbox")) == SIZE

    async def test_several_at_once_tell_once(self, emptied: Counter, catalogue: CatalogueFile) -> None:
        brought = await asyncio.gather(*(_bring_in(emptied, catalogue) for _ in range(4)))
        assert sorted(len(one) for one in brought) == [0, 0, 0, SIZE]
        assert len(await emptied.rows("SELECT id FROM outbox")) == SIZE

    async def test_tells_only_what_changed(self, emptied: Counter, catalogue: CatalogueFile) -> None:
        await _bring_in(emptied, catalogue)
        renamed = _changed(catalogue, PROCEDURE, name="Đăng ký khai tử (sửa)")
        assert await _bring_in(emptied, renamed) == [PROCEDURE]
        assert [getattr(fact, "name", "") for fact in await emptied.told(PROCEDURE)] == [
            "Đăng ký khai tử",
            "Đăng ký khai tử (sửa)",
        ]

    async def test_a_running_process_follows_within_its_poll(self, emptied: Counter, catalogue: CatalogueFile) -> None:
        await _bring_in(emptied, _changed(catalogue, PROCEDURE, name="Tên mới"))
        async with asyncio.timeout(10):
            while (await emptied.client.get(f"/procedures/{PROCEDURE}")).json().get("name") != "Tên mới":
                await asyncio.sleep(0.05)

    async def test_a_new_version_counts_from_its_first_day(self, emptied: Counter, catalogue: CatalogueFile) -> None:
        """Dossiers entered late fall under the version of their day."""
        today = clock.now().astimezone(clock.VN).date()
        (old,) = [entry for entry in catalogue.procedures if entry.code == PROCEDURE]
        new = old.model_copy(update={"version": 2, "valid_from": today})
        both = catalogue.model_copy(update={"procedures": (*catalogue.procedures, new)})
        await _bring_in(emptied, both)
        await _reload(emptied)
        late = {"submitted_at": (clock.now() - timedelta(days=3)).isoformat(), "late_reason": "Mất điện"}
        versions = [(await emptied.submit(dossier(**more))).json()["procedure_version"] for more in ({}, late)]
        assert versions == [2, 1]
        assert (await emptied.client.get(f"/procedures/{PROCEDURE}")).json()["versions"] == [2, 1]

    @pytest.mark.usefixtures("emptied")
    async def test_the_service_brings_in_the_file_of_its_settings(
        self, catalogue: CatalogueFile, settings: IntakeSettings, tmp_path: Path
    ) -> None:
        file = tmp_path / "catalogue.json"
        file.write_text(_changed(catalogue, PROCEDURE, name="Từ tệp khác").model_dump_json(), encoding="utf-8")
        app = create_app(settings.model_copy(update={"catalogue_file": file}))
        async with app.router.lifespan_context(app):
            assert app.state.catalogue.versions_of(PROCEDURE)[0].name == "Từ tệp khác"

    @pytest.mark.parametrize(
        "changes",
        [
            {"field": "nowhere"},
            {"agencies": ["H32.99"]},
            {"process": {"code": "x", "steps": []}},
            {"valid_from": "soon"},
            {"channels": ["fax"]},
        ],
    )
    def test_a_catalogue_that_does_not_hold_together_is_refused(
        self, catalogue: CatalogueFile, changes: dict[str, Any]
    ) -> None:
        document = catalogue.model_dump(mode="json")
        document["procedures"][0] |= changes
        with pytest.raises(ValidationError):
            CatalogueFile.model_validate(document)


class TestSearch:
    """Searching procedures, without a token."""

    async def _codes(self, counter: Counter, **query: Any) -> list[str]:
        answer = await counter.client.get("/procedures", params=query | {"limit": 200})
        assert answer.status_code == 200, answer.text
        return [line["code"] for line in answer.json()["items"]]

    @pytest.mark.parametrize(
        "words",
        [
            "đăng ký khai tử",
            "dang ky khai tu",
            "KHAI TỬ",
            "tu khai",
            unicodedata.normalize("NFD", "khai tử"),
            "1.000656",
        ],
    )
    async def test_finds_by_words_whatever_the_accents(self, counter: Counter, words: str) -> None:
        found = await self._codes(counter, q=words)
        assert PROCEDURE in found
        assert len(found) < 10

    async def test_finds_nothing_for_strange_words(self, counter: Counter) -> None:
        assert await self._codes(counter, q="xyz") == []

    async def test_filters(self, counter: Counter) -> None:
        everything = await self._codes(counter)
        commune = await self._codes(counter, level="commune")
        province = await self._codes(counter, level="province")
        assert sorted(commune + province) == everything
        assert PROCEDURE in await self._codes(counter, field="ho_tich")
        assert set(await self._codes(counter, field="ho_tich")) < set(everything)
        assert PROCEDURE in await self._codes(counter, agency="H32.14.21")
        assert PROCEDURE in await self._codes(counter, agency="000.00.14.H32")
        assert PROCEDURE not in await self._codes(counter, agency="H32.03")

    async def test_shows_only_what_is_in_force(self, counter: Counter) -> None:
        everything = await self._codes(counter)
        assert "1.010385" not in everything
        assert len(everything) == SIZE - 1
        old = (await counter.client.get("/procedures/1.010385")).json()
        assert (old["in_force"], old["valid_to"]) == (False, "2025-06-30")

    async def test_pages_show_each_once(self, counter: Counter) -> None:
        seen, cursor = [], None
        while True:
            query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
            page = (await counter.client.get("/procedures", params=query)).json()
            seen += [line["code"] for line in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == await self._codes(counter)

    @pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "W10", "é"])
    async def test_refuses_a_cursor_of_somebody_else(self, counter: Counter, cursor: str) -> None:
        answer = await counter.client.get("/procedures", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.cursor")


class TestRead:
    """Reading the catalogue, without a token."""

    async def test_a_procedure_says_what_an_applicant_needs(self, counter: Counter) -> None:
        found = (await counter.client.get("/procedures/1.004222")).json()
        assert found["in_force"]
        assert (found["duration"], found["same_day"]) == ({"amount": 7.0, "unit": "working_day"}, False)
        assert {channel: [fee["amount_vnd"] for fee in fees] for channel, fees in found["fees"].items()} == {
            "direct": [20_000],
            "online": [10_000],
        }
        assert [(one["code"], one["required"]) for one in found["components"]][:2] == [("TP01", True), ("TP02", True)]

    async def test_an_unknown_one_is_not_there(self, counter: Counter) -> None:
        for code in ("9.999999", "nothing", "a%00b"):
            answer = await counter.client.get(f"/procedures/{code}")
            assert (answer.status_code, answer.json()["code"]) == (404, "procedure_not_found")

    async def test_agencies_and_fields(self, counter: Counter) -> None:
        agencies = (await counter.client.get("/agencies")).json()["items"]
        fields = (await counter.client.get("/fields")).json()
        assert {"H32", "H32.14", "H32.14.21"} < {agency["code"] for agency in agencies}
        assert {"code": "ho_tich", "name": "Hộ tịch"} in fields


class TestExpiry:
    """Causes named in DOMAIN.md §7: expired procedures that are still listed, or submitted to."""

    async def test_ends_lists_and_submissions(self, emptied: Counter, catalogue: CatalogueFile) -> None:
        await _bring_in(emptied, catalogue)
        yesterday = clock.now().astimezone(clock.VN).date() - timedelta(days=1)
        body = {"last_day": yesterday.isoformat()}
        answer = await emptied.post(f"/procedures/{PROCEDURE}/expire", body, scopes=["catalogue:write"])
        assert (answer.status_code, answer.json()["in_force"]) == (200, False), answer.text
        await _bring_in(emptied, catalogue)
        await _reload(emptied)
        listed = (await emptied.client.get("/procedures", params={"q": PROCEDURE})).json()["items"]
        history = (await emptied.client.get("/procedures", params={"q": PROCEDURE, "history": True})).json()["items"]
        assert (listed, [line["valid_to"] for line in history]) == ([], [yesterday.isoformat()])
        refused = await emptied.submit()
        assert refused.json()["errors"][0]["field"] == "body.procedure_code"

    async def test_is_refused_before_it_began(self, counter: Counter) -> None:
        for code, status in ((PROCEDURE, 422), ("9.999999", 404)):
            body = {"last_day": "2000-01-01"}
            answer = await counter.post(f"/procedures/{code}/expire", body, scopes=["catalogue:write"])
            assert answer.status_code == status


def test_validity_ends_with_its_last_day(catalogue: CatalogueFile) -> None:
    (entry,) = [entry for entry in catalogue.procedures if entry.code == "1.010385"]
    days = [date(2023, 8, 14), date(2023, 8, 15), date(2025, 6, 30), date(2025, 7, 1)]
    assert [entry.in_force(day) for day in days] == [False, True, True, False]
