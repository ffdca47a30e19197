"""`motcua accounts import`: rosters as offices keep them, CSV or XLSX, fifty-six thousand in seconds."""

import asyncio
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from deploy.accounts.command import app
from deploy.accounts.reading import UnreadableError, read_roster
from services.workflow.models import Account, Assignment, StaffedAgency, Unit
from tests.workflow.office import Office

PROVINCE = 56_211
HEADER = ["username", "name", "agency", "agency_name", "unit", "unit_name", "role", "valid_from", "valid_to"]
ROWS = [
    ["an", "Nguyễn Văn An", "H32.14", "UBND phường A", "mot-cua", "Bộ phận một cửa", "specialist", "2026-01-01", ""],
    ["an", "Nguyễn Văn An", "H32.14", "UBND phường A", "van-phong", "Văn phòng", "leader", "01/03/2026", "31/12/2026"],
    ["binh", "Trần Thị Bình", "H32.15", "UBND phường B", "mot-cua", "", "specialist", "", ""],
]


def write_csv(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


@pytest.fixture
async def url(office: Office) -> str:
    return office.database.dsn


def run(url: str, *arguments: str) -> Result:
    """Run the command in a thread's own event loop, as a shell would."""
    return CliRunner().invoke(app, [*arguments, "--database-url", url])


async def importing(url: str, *arguments: str) -> Result:

    return await asyncio.to_thread(run, url, "import", *arguments)


class TestImport:
    """A file stands for all accounts of the agencies it names."""

    async def test_reads_changes_and_reports(self, office: Office, url: str, tmp_path: Path) -> None:
        path, report = write_csv(tmp_path / "a.csv", [*ROWS, ["", "", "", "", "", "", "", "", ""]]), tmp_path / "r.json"
        done = await importing(url, str(path), "--report", str(report))
        assert done.exit_code == 0, done.output
        told = json.loads(report.read_text(encoding="utf-8"))
        assert (told["read"], told["imported"], told["refused"], told["accounts"]) == (3, 3, 0, 2)
        assert told["changes"]["created"] == 2
        assert {one.name for one in await office.rows(StaffedAgency)} == {"UBND phường A", "UBND phường B"}
        assert {(one.agency_code, one.code, one.name) for one in await office.rows(Unit)} == {
            ("H32.14", "mot-cua", "Bộ phận một cửa"),
            ("H32.14", "van-phong", "Văn phòng"),
            ("H32.15", "mot-cua", "mot-cua"),
        }
        assert (await importing(url, str(path), "--report", str(report))).exit_code == 0
        assert set(json.loads(report.read_text(encoding="utf-8"))["changes"].values()) == {0}

    async def test_a_dry_run_changes_nothing(self, office: Office, url: str, tmp_path: Path) -> None:
        path, report = write_csv(tmp_path / "a.csv", ROWS), tmp_path / "r.json"
        assert (await importing(url, str(path), "--dry-run", "--report", str(report))).exit_code == 0
        told = json.loads(report.read_text(encoding="utf-8"))
        assert (told["dry_run"], told["changes"]["created"]) == (True, 2)
        assert await office.rows(Account) == []

    async def test_an_exodus_ends_with_a_refusal(self, office: Office, url: str, tmp_path: Path) -> None:
        many = [[f"official-{number}", "", "H32.14", "", "", "", "", "", ""] for number in range(20)]
        await importing(url, str(write_csv(tmp_path / "a.csv", many)))
        fewer = str(write_csv(tmp_path / "b.csv", many[:10]))
        refused = await importing(url, fewer)
        assert refused.exit_code == 1
        assert sum(account.active for account in await office.rows(Account)) == 20
        assert (await importing(url, fewer, "--leavers-max", "0.5")).exit_code == 0
        assert sum(account.active for account in await office.rows(Account)) == 10

    @pytest.mark.parametrize("accounts", [3_000, pytest.param(PROVINCE, marks=pytest.mark.large)])
    async def test_a_province_at_once_and_once_only(
        self, office: Office, url: str, tmp_path: Path, accounts: int
    ) -> None:
        rows = [
            [f"official-{n}", f"Cán bộ {n}", f"H32.{n % 150}", "", f"unit-{n % 4}", "", "specialist", "2026-01-01", ""]
            for n in range(accounts)
        ]
        path = str(write_csv(tmp_path / "province.csv", rows))
        for _ in range(2):
            done = await importing(url, path)
            assert done.exit_code == 0, done.output
        async with office.database.session() as session:
            for table in (Account, Assignment):
                assert await session.scalar(select(func.count()).select_from(table)) == accounts


class TestReading:
    """Columns in any order, in English or Vietnamese; what is odd is told with its line."""

    def test_xlsx_with_vietnamese_headings_and_sheets(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsx"
        book = xlsxwriter.Workbook(str(path))
        sheets = {
            "Đơn vị": [["Mã cơ quan", "Mã đơn vị", "Tên đơn vị", "Đơn vị cấp trên"], ["H32.14", "p1", "Phòng 1", "vp"]],
            "Cán bộ": [
                ["Vai trò", "Tài khoản", "Họ và tên", "Mã cơ quan", "Mã đơn vị", "Từ ngày"],
                ["specialist", "an", "Nguyễn Văn An", "H32.14", "p1", "07/04/2026"],
            ],
            "Ghi chú": [["Không có gì"]],
        }
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
        book.close()
        read = read_roster(path)
        assert (read.rows, read.refused) == (2, 0)
        assert [(unit.code, unit.name, unit.parent) for unit in read.roster.units] == [("p1", "Phòng 1", "vp")]
        held = read.roster.assignments[0]
        assert (held.username, held.role, str(held.valid_from)) == ("an", "specialist", "2026-04-07")

    @pytest.mark.parametrize(
        ("row", "what"),
        [
            (["an", "", "", "", "", "", "", "", ""], "no agency"),
            (["an", "", "H32", "", "u", "", "r", "31/02/2026", ""], "is no date"),
            (["an", "", "H32", "", "u", "", "r", "2026-02-01", "2026-01-01"], "before valid from"),
            (["", "", "H32", "", "", "", "", "", ""], "neither an account nor a unit"),
            (["a" * 201, "", "H32", "", "", "", "", "", ""], "longer than"),
        ],
    )
    def test_what_cannot_be_taken_is_told(self, tmp_path: Path, row: list[str], what: str) -> None:
        read = read_roster(write_csv(tmp_path / "a.csv", [row, ROWS[0]], delimiter=";"))
        assert (read.rows, read.refused, len(read.roster.officials)) == (2, 1, 1)
        assert what in str(read.oddities[0]["what"])
        assert read.oddities[0]["line"] == 2

    def test_contradictions_are_told_and_decided(self, tmp_path: Path) -> None:
        other = ["an", "Nguyễn An", "H32.14", "", "", "", "leader", "", ""]
        read = read_roster(write_csv(tmp_path / "a.csv", [ROWS[0], other]))
        assert [oddity["decided"] for oddity in read.oddities] == [
            "the first ones count",
            "account taken without an assignment",
        ]
        assert read.roster.officials[0].name == "Nguyễn Văn An"

    def test_a_file_that_is_no_roster(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableError, match="no column"):
            read_roster(write_csv(tmp_path / "a.csv", [["1"]], header=["số"]))


async def test_enforcement_is_switched_by_command(office: Office, url: str, tmp_path: Path) -> None:

    await importing(url, str(write_csv(tmp_path / "a.csv", ROWS)))
    assert (await asyncio.to_thread(run, url, "enforce", "H32.14", "--off")).exit_code == 0
    assert {one.agency_code: one.enforced for one in await office.rows(StaffedAgency)} == {
        "H32.14": False,
        "H32.15": True,
    }
    assert (await asyncio.to_thread(run, url, "enforce", "H33")).exit_code == 1
