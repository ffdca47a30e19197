"""`motcua log`: the verifier as people run it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from joserfc.jwk import OKPKey

from gateway.operations.evidence import Call, Evidence, EvidenceKey, Witness, keep_months
from shared import clock, migrations
from shared.db import Database
from tests.support.bus import running
from tests.support.servers import Databases

CALLS = 30


@pytest.fixture
async def logged(databases: Databases, tmp_path: Path) -> str:
    """Return the address of a database with a log; key and witness lie in the folder."""
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "gateway", url)
    key = OKPKey.generate_key("Ed25519", private=True)
    (tmp_path / "private.json").write_text(json.dumps(key.as_dict(private=True)))
    (tmp_path / "public.json").write_text(json.dumps(key.as_dict(private=False)))
    database = Database(url, service="gateway")
    await keep_months(database)
    evidence = Evidence(database, EvidenceKey.read(str(tmp_path / "private.json")), Witness(str(tmp_path)))
    entry = Call(clock.now(), "one-stop", "H32", "intake", "POST", "/api/v1/dossiers", 201, 5, 2, 2, "a" * 32)
    async with running(evidence.run()):
        for _ in range(CALLS):
            await evidence.store(entry)
    await database.close()
    return url


async def motcua(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `motcua log` in a folder where nothing else runs."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deploy.cli", "log", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"MOTCUA_RUN_DIR": str(folder / "run"), "PATH": ""},
        timeout=60,
    )


def named(folder: Path) -> list[str]:
    return ["--key", str(folder / "public.json"), "--witness", str(folder)]


class TestVerify:
    """Offline: a database or an export, the public key, the witness's folder."""

    async def test_says_that_a_sound_log_is_sound(self, logged: str, tmp_path: Path) -> None:
        done = await motcua(tmp_path, "verify", "--database", logged, *named(tmp_path))
        assert done.returncode == 0, done.stderr
        assert "30 records (1 to 30)" in done.stdout
        assert "Every record stands as it was written." in done.stdout

    async def test_names_the_record_in_an_export(self, logged: str, tmp_path: Path) -> None:
        path = str(tmp_path / "log.jsonl.gz")
        connection = await asyncpg.connect(logged)
        await connection.execute("DELETE FROM transaction_log WHERE number = 17")
        await connection.close()
        assert (await motcua(tmp_path, "export", path, "--database", logged)).returncode == 0
        done = await motcua(tmp_path, "verify", path, *named(tmp_path), "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout)["findings"][0]["record"] == 17
        shown = await motcua(tmp_path, "verify", path, *named(tmp_path))
        assert "The first record that is not as it was written: 17" in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= 80

    async def test_says_what_is_missing(self, tmp_path: Path) -> None:
        (tmp_path / "none.jsonl").write_text("{}\n")
        without_key = await motcua(tmp_path, "verify")
        assert (without_key.returncode, without_key.stdout) == (2, "")
        assert "There is no evidence key" in without_key.stderr
        key = OKPKey.generate_key("Ed25519").as_dict(private=False)
        (tmp_path / "public.json").write_text(json.dumps(key))
        nothing_ran = await motcua(tmp_path, "verify", *named(tmp_path))
        assert (nothing_ran.returncode, "make up" in nothing_ran.stderr) == (2, True)
        no_export = await motcua(tmp_path, "verify", str(tmp_path / "none.jsonl"), *named(tmp_path))
        assert (no_export.returncode, "no export of the transaction log" in no_export.stderr) == (2, True)
