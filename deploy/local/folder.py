"""The run folder (`.run/`, or MOTCUA_RUN_DIR): where the local stack keeps data, logs, secrets and what it knows."""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

SECRET_BYTES = 24


@dataclass(frozen=True)
class RunFolder:
    """Paths below one run folder; nothing is created before `create`."""

    path: Path

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.path / "logs"

    @property
    def pids(self) -> Path:
        """One file a running process: its id and start time."""
        return self.path / "pids"

    @property
    def evidence(self) -> Path:
        """What the transaction log's witness wrote down."""
        return self.path / "evidence"

    @property
    def evidence_key(self) -> Path:
        """The key that signs the transaction log."""
        return self.path / "evidence-key.json"

    @property
    def authority(self) -> Path:
        """The local time-stamping authority: its certificates, and what it stamped."""
        return self.path / "authority"

    @property
    def held(self) -> Path:
        """An empty file NAME here tells the supervisor to keep that process stopped."""
        return self.path / "held"

    @property
    def storage(self) -> Path:
        """Documents and results."""
        return self.path / "storage"

    @property
    def lock(self) -> Path:
        """Locked by the supervisor as long as it lives."""
        return self.path / "lock"

    @property
    def state(self) -> Path:
        """What the supervisor knows of its processes."""
        return self.path / "processes.json"

    @property
    def stack(self) -> Path:
        """Addresses, ports and demo clients, for tools and people."""
        return self.path / "stack.json"

    def create(self) -> None:
        """Make the folder and its parts, readable by this user alone."""
        self.path.mkdir(parents=True, exist_ok=True)
        # Others may pass through, but see nothing: root's PostgreSQL runs as another user.
        self.path.chmod(0o711)
        for folder in (self.logs, self.pids, self.held, self.storage):
            folder.mkdir(mode=0o700, exist_ok=True)


def run_folder() -> RunFolder:
    """Return the folder that MOTCUA_RUN_DIR names, else `.run` in the checkout."""
    return RunFolder(Path(os.environ.get("MOTCUA_RUN_DIR") or ROOT / ".run").absolute())


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole; only this user may read it (0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def write_json(path: Path, content: object) -> None:
    """Replace a JSON file as a whole; only this user may read it."""
    write_private(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return a JSON file's content; None when it is missing or was cut short."""
    with suppress(FileNotFoundError, json.JSONDecodeError):
        return json.loads(path.read_text(encoding="utf-8"))
    return None


class Secrets:
    """Random passwords that stay the same from one start to the next, kept in one private file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: Mapping[str, str] = read_json(path) or {}

    def __call__(self, name: str) -> str:
        """Return the secret of this name, made on first use."""
        if name not in self._known:
            self._known = {**self._known, name: secrets.token_urlsafe(SECRET_BYTES)}
            write_json(self._path, self._known)
        return self._known[name]


def local_database_urls() -> dict[str, str]:
    """Return the addresses of the local stack's databases by service; none where no stack has run."""
    stack = read_json(run_folder().stack) or {}
    return dict(stack.get("postgres", {}).get("urls", {}))
