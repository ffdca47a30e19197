"""A province made up from a catalogue: as large as wanted, loaded by the doors of real ones, twice without harm."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.province import loading
from deploy.province.loading import Province, Rows
from deploy.province.plan import Sizes, places, shares
from deploy.province.sources import SourceMissingError, make
from shared import migrations
from tests.support.servers import Databases

SMALL = Sizes(procedures=90, processes=130, forms=12, accounts=700, issuers=111)
STEPS = (
    loading.load_agencies,
    loading.load_procedures,
    loading.load_forms,
    loading.load_processes,
    loading.load_accounts,
    loading.load_issuers,
)
GIVEN = {"agencies": 112, "procedures": 90, "forms": 12, "processes": 130, "accounts": 700, "issuers": 111}


@pytest.fixture(scope="module")
async def urls(databases: Databases) -> AsyncIterator[dict[str, str]]:
    """Lend the databases of three services, migrated and empty."""
    found = {}
    for service in ("intake", "workflow", "payment"):
        found[service] = await databases.create_database()
        await asyncio.to_thread(migrations.upgrade, f"services.{service}", found[service])
    yield found
    for url in found.values():
        await databases.drop_database(url.rpartition("/")[2])


async def load(province: Province, urls: dict[str, str]) -> dict[str, Rows]:
    """Load everything, as the command does."""
    steps = dict(zip(GIVEN, STEPS, strict=True))
    order = ("agencies", "procedures", "forms", "processes", "accounts", "issuers")
    return {name: await steps[name](province, urls, lambda *_: None) for name in order}


class TestLoad:
    """Everything is in, and a second time changes nothing."""

    async def test_brings_everything_in_once(self, urls: dict[str, str], tmp_path: Path) -> None:
        province = make(tmp_path, SMALL, catalogue=None, units=None)
        first = await load(province, urls)
        assert {name: rows.given for name, rows in first.items()} == GIVEN
        assert [rows.reasons for rows in first.values()] == [[]] * 6
        again = await load(province, urls)
        assert {name: rows.new for name, rows in again.items()} == dict.fromkeys(GIVEN, 0)
        counts = {
            "intake": ("SELECT count(DISTINCT code) FROM procedure", 90),
            "workflow": ("SELECT count(*) FROM account WHERE active", 700),
            "payment": ("SELECT count(*) FROM issuer", 111),
        }
        for service, (statement, expected) in counts.items():
            connection = await asyncpg.connect(urls[service])
            assert await connection.fetchval(statement) == expected
            await connection.close()


class TestPlan:
    """Sizes come out as they were wanted."""

    def test_spreads_officials_over_all_agencies(self) -> None:
        found = places([f"xã số {n}" for n in range(65)], 111)
        assert len({place.code for place in found}) == 111
        counts = shares(found, 56_211)
        assert sum(counts) == 56_211
        assert min(counts) > 100

    def test_is_the_same_in_every_run(self, tmp_path: Path) -> None:
        one, other = (make(tmp_path / name, SMALL, catalogue=None, units=None) for name in ("a", "b"))
        assert one.processes == other.processes
        for path in (tmp_path / "a").iterdir():
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()

    @pytest.mark.parametrize("text", ["", "{", '{"name": "không có mã"}\n'])
    def test_says_when_a_catalogue_is_none(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "c.jsonl").write_text(text)
        with pytest.raises(SourceMissingError, match=r"c\.jsonl"):
            make(tmp_path / "p", SMALL, catalogue=tmp_path / "c.jsonl", units=None)
