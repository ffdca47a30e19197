"""The backlog comes in: what is kept, what is a duplicate, what is rejected and can be corrected."""

import asyncio
import hashlib
import unicodedata
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from deploy.backlog import run
from deploy.backlog.index import IndexUnreadable, find_index, open_index
from deploy.backlog.run import SumsDiffer
from deploy.backlog.sample import scan
from deploy.backlog.signatures import Rules
from deploy.local.papers import Seal
from services.results import operations, queries
from services.results.errors import BacklogRunMoved
from services.results.settings import ResultsSettings
from shared.blobs import BlobStore, Keyring
from shared.caller import Caller
from shared.work import open_work
from tests.results.desk import Desk
from tests.results.scanning import RIGHT, TODAY, Office, Silent

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40) + b"IEND\xaeB`\x82"
ELECTRONIC = """
WITH it AS (
    INSERT INTO case_slice (dossier_code, agency_code, procedure_code, owner, state, fee_announced, fees_due_vnd)
    VALUES ('H32.14-260407-0001', 'H32.14', '1.004222', '{}', 'completed', false, '{}')
)
INSERT INTO result (id, dossier_code, agency_code, kind_code, kind_name, status, sha256, size_bytes, media_type,
                    drafted_at, number, issued_at)
VALUES (gen_random_uuid(), 'H32.14-260407-0001', 'H32.14', :kind, 'x', 'issued', :sha256, 9, 'application/pdf',
        now(), :number, now()) RETURNING id
"""


@pytest.fixture
async def office(desk: Desk, tmp_path: Path) -> Office:
    return Office(tmp_path, desk.folder, desk.database)


def counted(outcome: run.Outcome) -> tuple[int, int, int]:
    """Return how many rows were kept, duplicates, rejected."""
    return tuple(outcome.facts[name] for name in ("kept", "duplicates", "rejected"))


class TestImport:
    """Importing an index."""

    async def test_keeps_facts_file_journal_and_day(self, desk: Desk, office: Office) -> None:
        row = {
            **RIGHT,
            "file": office.scan("a/Giấy phép.pdf"),
            "valid_until": "2030-01-01",
            "procedure_code": "1.004222",
        }
        outcome = await office.bring([row])
        (kept,) = await desk.rows("SELECT * FROM digitised_result")
        document = (office.folder / row["file"]).read_bytes()
        assert kept["sha256"] == hashlib.sha256(document).hexdigest()
        assert desk.file(kept["sha256"]).read_bytes() == document
        assert (kept["number"], kept["owner_name"], kept["identity_kind"]) == (row["number"], row["owner_name"], "cccd")
        assert (str(kept["issued_on"]), str(kept["valid_until"])) == ("2015-03-09", "2030-01-01")
        assert (kept["signature"], kept["pages"], kept["owner_kind"]) == ("none", 1, "citizen")
        assert outcome.facts["digitised_unsigned"] == 1
        assert [day["results"] for day in await desk.rows("SELECT * FROM digitised_day")] == [1]
        assert office.written_rejects() == []
        assert await desk.outbox() == []

    async def test_is_a_chunk_a_transaction(self, desk: Desk, office: Office) -> None:
        rows, shown = office.rows(20), Silent()
        source = office.source(office.index(rows))
        assert counted(await run.lead(office.database, source, office.rejects, shown)) == (20, 0, 0)
        chunks = await desk.rows("SELECT first_row, last_row, kept FROM backlog_chunk ORDER BY first_row")
        assert [tuple(chunk.values()) for chunk in chunks] == [(1, 7, 7), (8, 14, 7), (15, 20, 6)]
        assert shown.steps == [(7, 20), (14, 20), (20, 20)]

    async def test_of_the_same_index_again_does_nothing(self, desk: Desk, office: Office) -> None:
        rows = office.rows(9)
        first, again = await office.bring(rows), await office.bring(rows)
        assert counted(first) == counted(again) == (9, 0, 0)
        assert (first.rows_done, again.rows_done) == (9, 0)
        assert len(await desk.rows("SELECT * FROM backlog_run WHERE finished_at IS NOT NULL")) == 1

    async def test_rehearsed_tells_the_same_and_keeps_nothing(self, desk: Desk, office: Office) -> None:
        rows = [*office.rows(9), {**RIGHT, "file": "none.pdf"}, {**office.rows(1)[0]}]
        rehearsed = await office.rehearse(rows)
        assert counted(rehearsed) == (9, 1, 1)
        assert await desk.rows("SELECT 1 FROM backlog_run UNION SELECT 1 FROM digitised_result") == []
        assert office.stored() == set()
        assert len(office.written_rejects()) == 1
        assert counted(await office.bring(rows)) == counted(rehearsed)

    async def test_takes_pictures_too(self, desk: Desk, office: Office) -> None:
        assert counted(await office.bring([{**RIGHT, "file": office.scan("1.png", PNG)}])) == (1, 0, 0)
        assert [row["media_type"] for row in await desk.rows("SELECT media_type FROM digitised_result")] == [
            "image/png"
        ]

    async def test_seals_files_when_there_is_a_key(self, office: Office) -> None:
        store = BlobStore(office.store.as_uri(), Keyring("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="))
        await office.bring(office.rows(1), store=store)
        (name,) = office.stored()
        document = (office.folder / "1.pdf").read_bytes()
        assert name == hashlib.sha256(document).hexdigest()
        assert next(office.store.rglob(name)).read_bytes() != document
        assert b"".join([chunk async for chunk in await store.get(name)]) == document


class TestSignatures:
    """Signed scans stand before the archive's own rules."""

    @pytest.fixture
    async def rules(self, trust: Path) -> AsyncIterator[Rules]:
        settings = {"database_url": "x", "amqp_url": "x", "storage_url": "x", "trust_folder": str(trust)}
        rules = Rules(ResultsSettings.model_validate(settings))
        yield rules
        await rules.close()

    async def test_good_ones_are_kept_as_such(self, desk: Desk, office: Office, seal: Seal, rules: Rules) -> None:
        document = await asyncio.to_thread(seal.paper, ["Giay phep"])
        rows = [*office.rows(1), {**RIGHT, "file": office.scan("signed.pdf", document)}]
        outcome = await office.bring(rows, signatures=rules)
        assert (outcome.facts["signed"], outcome.facts["digitised_unsigned"]) == (1, 1)
        kept = await desk.rows("SELECT signature FROM digitised_result ORDER BY row_no")
        assert [row["signature"] for row in kept] == ["none", "valid"]

    async def test_changed_ones_are_rejected(self, office: Office, seal: Seal, rules: Rules) -> None:
        document = await asyncio.to_thread(seal.paper, ["Giay phep"])
        row = {**RIGHT, "file": office.scan("signed.pdf", document.replace(b"Giay phep", b"Giay phap"))}
        outcome = await office.bring([row], signatures=rules)
        assert list(outcome.facts["reasons"]) == ["document_changed"]
        assert office.stored() == set()

    async def test_unknown_signers_are_rejected(self, office: Office, seal: Seal) -> None:
        document = await asyncio.to_thread(seal.paper, ["Giay phep"])
        assert await office.refused({**RIGHT, "file": office.scan("1.pdf", document)}) == ["signature_untrusted"]
        assert office.rules.asked == [document]


class TestDuplicates:
    """What is there already."""

    async def test_the_same_scan_of_the_same_number_is_one(self, desk: Desk, office: Office) -> None:
        rows = office.rows(3)
        assert counted(await office.bring([*rows, *rows])) == (3, 3, 0)
        assert counted(await office.bring(rows, "again.csv")) == (0, 3, 0)
        assert len(await desk.rows("SELECT 1 FROM digitised_result")) == len(office.stored()) == 3

    async def test_another_scan_of_the_number_is_rejected(self, office: Office) -> None:
        await office.bring(office.rows(1))
        other = {**RIGHT, "number": "1/GPXD-UBND", "file": office.scan("other.pdf")}
        assert await office.refused(other) == ["number_taken"]
        assert await office.refused({**other, "agency_code": "H32.15"}) == []

    async def test_the_scan_of_another_number_is_rejected(self, office: Office) -> None:
        await office.bring(office.rows(1))
        assert await office.refused({**RIGHT, "number": "77/GPXD", "file": "1.pdf"}) == ["scan_taken"]

    async def test_the_same_scan_with_other_facts_is_rejected(self, office: Office) -> None:
        (row,) = office.rows(1)
        await office.bring([row])
        for wrong in ({"owner_name": "Trần Khác"}, {"identity_number": "056090000002"}, {"issued_on": "10/03/2015"}):
            assert await office.refused({**row, **wrong}) == ["facts_differ"]

    async def test_results_out_of_dossiers_count(self, desk: Desk, office: Office) -> None:
        (row,) = office.rows(1)
        sha256 = hashlib.sha256((office.folder / "1.pdf").read_bytes()).hexdigest()
        await desk.rows(ELECTRONIC, kind=row["kind_code"], number=row["number"], sha256=sha256)
        assert counted(await office.bring([row])) == (0, 1, 0)
        assert await office.refused({**row, "file": office.scan("other.pdf")}) == ["number_taken"]
        assert await office.refused({**row, "number": "other"}) == ["scan_taken"]


class TestRejects:
    """Rows that cannot be taken."""

    @pytest.mark.parametrize(
        ("wrong", "codes"),
        [
            ({"number": ""}, ["missing"]),
            ({"agency_code": "H32/14"}, ["agency_code_invalid"]),
            ({"kind_code": "Giấy phép"}, ["kind_code_invalid"]),
            ({"identity_number": "56090000001"}, ["identity_length"]),
            ({"identity_number": "999090000001"}, ["citizen_id_invalid"]),
            ({"identity_kind": "MST", "identity_number": "0100109107"}, ["tax_code_invalid"]),
            ({"identity_kind": ""}, ["identity_incomplete"]),
            ({"identity_kind": "hộ chiếu"}, ["identity_incomplete", "identity_kind_unknown"]),
            ({"issued_on": "31/02/2015"}, ["date_invalid"]),
            ({"issued_on": "08/04/2026"}, ["date_implausible"]),
            ({"issued_on": "1/1/1945"}, ["date_implausible"]),
            ({"valid_until": "08/03/2015"}, ["ends_before_it_begins"]),
            ({"procedure_code": "1.42"}, ["procedure_code_invalid"]),
            ({"owner_name": "x" * 201}, ["too_long"]),
            ({"owner_name": "a\x07b"}, ["unprintable"]),
            ({"sha256": "00" * 32}, ["hash_differs"]),
            ({"file": "../outside.pdf"}, ["file_missing"]),
            ({"file": "/etc/hostname"}, ["file_missing"]),
            ({"file": "link.pdf"}, ["file_missing"]),
        ],
    )
    async def test_a_wrong_cell(self, office: Office, tmp_path_factory: Any, wrong: dict[str, str], codes: Any) -> None:
        outside = tmp_path_factory.mktemp("outside") / "outside.pdf"
        outside.write_bytes(scan("outside", 900))
        (office.folder / "link.pdf").symlink_to(outside)
        assert await office.refused({**RIGHT, "file": office.scan("1.pdf"), **wrong}) == codes
        assert office.stored() == set()

    @pytest.mark.parametrize(
        ("document", "code"),
        [
            (b"", "file_empty"),
            (b"<html>", "file_type"),
            (b"%PDF-1.7\n" + bytes(100_000), "file_too_large"),
            (b"%PDF-1.7\nno more\n%%EOF", "pdf_broken"),
            (scan("cut", 900)[:-300], "pdf_broken"),
            (scan("none", 900).replace(b"/Count 1", b"/Count 0"), "pdf_empty"),
            (PNG[:-8], "file_cut_short"),
            (b"\xff\xd8\xff and no end", "file_cut_short"),
        ],
    )
    async def test_a_wrong_file(self, office: Office, document: bytes, code: str) -> None:
        assert await office.refused({**RIGHT, "file": office.scan("1.pdf", document)}) == [code]
        assert office.stored() == set()

    async def test_another_agencys_result(self, office: Office) -> None:
        outcome = await office.bring(office.rows(1), caller=Caller("backlog-import", "H32.15"))
        assert outcome.facts["reasons"] == {"agency_not_yours": 1}

    async def test_are_corrected_and_fed_back(self, desk: Desk, office: Office) -> None:
        rows = office.rows(9)
        rows[4] |= {"issued_on": "hôm qua", "owner_name": ""}
        assert counted(await office.bring(rows)) == (8, 0, 1)
        (reject,) = office.written_rejects()
        assert reject["Số, ký hiệu"] == rows[4]["number"]
        assert ("issued_on: " in reject["reason"], "Ngày ban hành: " in reject["reason_vi"]) == (True, True)
        assert office.rejects.stat().st_mode & 0o777 == 0o600
        corrected = office.rejects.read_text("utf-8").replace("hôm qua", "9/3/2015").replace(",,citizen", "")
        back = office.folder / "back.csv"
        back.write_text(corrected.replace("H32.14,,,", "H32.14,,Lê Văn Sửa,"), encoding="utf-8")
        outcome = await run.lead(office.database, office.source(open_index(back)), office.rejects, Silent())
        assert counted(outcome) == (1, 0, 0)
        assert office.written_rejects() == []
        assert len(await desk.rows("SELECT 1 FROM digitised_result")) == 9


class TestResume:
    """A run that ended early."""

    async def test_goes_on_behind_its_last_chunk(self, desk: Desk, office: Office) -> None:
        source = office.source(office.index(office.rows(20)))

        class Enough(Exception):
            pass

        class Interrupting(Silent):
            def step(self, done: int, total: int) -> None:
                super().step(done, total)
                raise Enough

        for _ in range(2):
            with pytest.raises(Enough):
                await run.lead(office.database, source, office.rejects, Interrupting())
        assert len(await desk.rows("SELECT 1 FROM digitised_result")) == 14
        outcome = await run.lead(office.database, source, office.rejects, Silent())
        assert (counted(outcome), outcome.rows_done) == ((20, 0, 0), 6)

    async def test_is_refused_to_a_second_process(self, office: Office) -> None:
        index = office.index(office.rows(9))
        async with open_work(office.database, Caller("x")) as work:
            found = await operations.open_run(
                work, index_sha256=index.sha256, index_name="i", rows_total=9, imported_by="x"
            )
        with pytest.raises(BacklogRunMoved):
            async with open_work(office.database, Caller("x")) as work:
                await operations.keep_chunk(work, run_id=found.id, first_row=8, last_row=9, scans=(), rejected=())

    @pytest.mark.parametrize("lost", ["digitised_result WHERE row_no = 3", "backlog_chunk WHERE first_row = 8"])
    async def test_tells_nothing_that_does_not_add_up(self, desk: Desk, office: Office, lost: str) -> None:
        rows = office.rows(9)
        await office.bring(rows)
        await desk.rows(f"DELETE FROM {lost} RETURNING 1")
        with pytest.raises(SumsDiffer):
            await office.bring(rows)


class TestIndex:
    """Reading an index."""

    async def test_of_a_spreadsheet_with_typed_cells(self, desk: Desk, office: Office) -> None:
        book = xlsxwriter.Workbook(str(office.folder / "index.xlsx"))
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, ["", *RIGHT])
        for column, (name, cell) in enumerate(RIGHT.items(), start=1):
            if name == "issued_on":
                sheet.write_datetime(2, column, datetime(TODAY.year, TODAY.month, TODAY.day), day)  # noqa: DTZ001 - a cell has none
            else:
                sheet.write(2, column, 15 if name == "number" else cell)
        book.close()
        office.scan("1.pdf")
        index = open_index(find_index(office.folder))
        assert index.rows_total == 1
        assert counted(await run.lead(office.database, office.source(index), office.rejects, Silent())) == (1, 0, 0)
        (kept,) = await desk.rows("SELECT number, issued_on FROM digitised_result")
        assert (kept["number"], kept["issued_on"]) == ("15", TODAY)

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("index.csv", "number;kind_code\n", "missing"),
            ("index.csv", ";".join([*RIGHT, "number"]), "twice"),
            ("index.csv", ";".join([*RIGHT, "Ngày tháng"]), "No column"),
            ("index.csv", "Số".encode("utf-16").decode("latin-1"), "No column"),
            ("index.xlsx", "no spreadsheet", "index.xlsx"),
            ("index.ods", "", "csv"),
        ],
    )
    def test_that_cannot_be_taken_says_why(self, tmp_path: Path, name: str, content: str, words: str) -> None:
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(IndexUnreadable, match=words):
            open_index(tmp_path / name)

    async def test_finds_names_in_either_unicode_form(self, office: Office) -> None:
        name = "Giấy phép số 1.pdf"
        office.scan(unicodedata.normalize("NFC", name))
        row = {**RIGHT, "file": "sub\\" + unicodedata.normalize("NFD", name)}
        office.scan("sub/" + unicodedata.normalize("NFC", name))
        assert counted(await office.bring([row])) == (1, 0, 0)


async def test_finds_what_an_owner_holds(desk: Desk, office: Office) -> None:
    rows = office.rows(3)
    rows[0]["valid_until"], rows[1]["identity_number"] = "06/04/2026", "056090000002"
    await office.bring(rows)
    async with desk.database.session() as session:
        held = await queries.list_digitised_of(session, identity_number="056090000001", on=TODAY)
        assert [one.number for one in held] == ["3/GPXD-UBND"]
        for reference in (str(held[0].id), held[0].sha256, held[0].sha256.upper(), held[0].number):
            assert await queries.list_digitised_named(session, reference=reference) == held
        assert await queries.list_digitised_named(session, reference="?") == []


class TestScans:
    """Digitised results over HTTP."""

    async def test_are_listed_newest_first_and_only_ones_own(self, desk: Desk, office: Office) -> None:
        rows = office.rows(7)
        rows[3]["agency_code"], rows[4]["agency_code"], rows[5]["agency_code"] = "H32.14.01", "H32.140", "H32.15"
        rows[6]["kind_code"] = "KQ.OTHER"
        await office.bring(rows)
        seen, cursor = [], ""
        while cursor is not None:
            page = (await desk.get(f"/digitisation/results?limit=2{cursor and '&cursor=' + cursor}")).json()
            seen += [item["number"].partition("/")[0] for item in page["items"]]
            cursor = page["next_cursor"]
        assert seen == ["7", "4", "3", "2", "1"]
        for narrowed, numbers in (
            ("agency_code=H32.14.01", ["4"]),
            ("kind_code=KQ.OTHER", ["7"]),
            ("agency_code=H32.15", []),
        ):
            found = (await desk.get(f"/digitisation/results?{narrowed}")).json()["items"]
            assert [item["number"].partition("/")[0] for item in found] == numbers

    async def test_are_read_for_a_purpose_that_is_kept(self, desk: Desk, office: Office) -> None:
        await office.bring(office.rows(1))
        (kept,) = await desk.rows("SELECT id FROM digitised_result")
        path = f"/digitisation/results/{kept['id']}"
        answer = await desk.get(f"{path}/document", purpose="tra%20c%E1%BB%A9u")
        assert answer.content == (office.folder / "1.pdf").read_bytes()
        assert [row["purpose"] for row in await desk.rows("SELECT purpose FROM digitised_access")] == ["tra cứu"]
        for one in (path, f"{path}/document"):
            refused = await desk.get(one, purpose="xem", agency="H32.15")
            assert (refused.status_code, refused.json()["code"]) == (404, "digitised_result_not_found")
        assert len(await desk.rows("SELECT 1 FROM digitised_access")) == 1

    async def test_are_set_aside_once(self, desk: Desk, office: Office) -> None:
        await office.bring(office.rows(1))
        (kept,) = await desk.rows("SELECT id FROM digitised_result")
        path = f"/digitisation/results/{kept['id']}/set-aside"
        body, more = {"reason": "Đã thu hồi"}, {"headers": desk.headers()}
        first = (await desk.client.post(path, json=body, **more)).json()
        again = (await desk.client.post(path, json={"reason": "x"}, headers=desk.headers())).json()
        assert first == again
        assert first["end_reason"] == "Đã thu hồi"
        async with desk.database.session() as session:
            assert await queries.list_digitised_of(session, identity_number="056090000001", on=TODAY) == []
