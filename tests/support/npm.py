"""Packages of npm that tests are held against: tools and implementations that others wrote.

A folder beside the tests holds `package.json`, its committed lock (no host in it) and the scripts. All of it is
installed by the test itself (npm ci, by the lock) into the run folder, once a checkout for each lock.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from deploy.local.folder import ROOT

INSTALL_S = 300


def installed(source: Path) -> Path:
    """Return a folder with the scripts of a source folder and, below `node_modules`, the packages they import."""
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    folder = ROOT / ".run" / "npm" / digest[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for file in source.iterdir():
            shutil.copy(file, folder)
        if not (folder / "complete").exists():
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
            assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return folder
