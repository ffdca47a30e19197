"""The servers that the workers of a test run share go when the last of them goes, however it goes."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from deploy.local.folder import ROOT
from tests.deploy.census import eventually, processes_of

WORKER = """
import sys, time
from tests.support.servers import _shared
with _shared("postgres", sys.argv[1]) as facts:
    print(facts["admin_url"], flush=True)
    time.sleep(60)
"""


def worker(run: str) -> tuple[subprocess.Popen[str], str]:
    child = subprocess.Popen([sys.executable, "-c", WORKER, run], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    return child, child.stdout.readline()


def test_one_server_serves_all_and_goes_with_the_last() -> None:
    run = uuid4().hex
    folder = Path(tempfile.gettempdir()) / f"motcua-tests-{os.geteuid()}-{run}"
    first, url = worker(run)
    second, same = worker(run)
    assert url.startswith("postgresql://")
    assert url == same
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not eventually(lambda: not (folder / "postgres" / "facts.json").exists(), within_s=1.5)
    second.send_signal(signal.SIGINT)
    second.wait()
    assert eventually(lambda: not folder.exists())
    assert eventually(lambda: processes_of(folder) == [])
