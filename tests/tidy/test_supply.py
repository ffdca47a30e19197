"""What others wrote and what must stay ours: locks with hashes, licences, no secrets in the tracked files."""

import re
from pathlib import Path

import pytest

from deploy.audit import (
    EVERYTHING,
    PERMITTED,
    REFUSED,
    RUNTIME,
    LockWithoutHash,
    differences,
    forbidden_licences,
    locked,
)
from deploy.local.folder import ROOT
from tests.tidy.test_tidy import named, tracked

SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}",
    "a private JWK": r'"d"\s*:\s*"[A-Za-z0-9_-]{40,}"',
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    "a token of Slack": r"\bxox[abpr]-[A-Za-z0-9-]{10,}",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}",
    "a password in an address": r"(?:postgresql|amqps?|https?)://[^\s:/@\"'{}$<]+:(?!\w*(?:password|secret|guest)\b)[^\s@\"'{}$<]{12,}@",
}
DOCKERFILE = ROOT / "deploy/Dockerfile"


class TestLocks:
    @pytest.mark.parametrize("lock", [RUNTIME, EVERYTHING], ids=lambda lock: lock.stem)
    def test_name_a_hash_for_everything(self, lock: Path) -> None:
        assert len(locked(lock)) > 30
        assert "://" not in re.sub(r"#.*", "", lock.read_text())

    def test_without_a_hash_are_refused(self, tmp_path: Path) -> None:
        lock = tmp_path / "a.lock"
        lock.write_text("a==1 \\\n    --hash=sha256:00\nb==2\n")
        with pytest.raises(LockWithoutHash, match="b has no hash"):
            locked(lock)

    def test_of_the_runtime_are_part_of_that_of_everything(self) -> None:
        everything = locked(EVERYTHING)
        assert {name for name, versions in locked(RUNTIME).items() if not versions <= everything[name]} == set()

    def test_are_what_is_installed(self) -> None:
        assert list(differences()) == []


class TestLicences:
    def test_of_the_runtime_may_all_be_shipped(self) -> None:
        assert list(forbidden_licences()) == []

    @pytest.mark.parametrize(
        "said",
        ["GPL-3.0", "AGPL-3.0-only", "GNU Affero General Public License v3", "GNU General Public License v2 (GPLv2)"],
    )
    def test_that_bind_what_we_ship_are_refused(self, said: str) -> None:
        assert REFUSED.search(said)
        assert not PERMITTED.fullmatch(said)


class TestSecrets:
    @pytest.mark.parametrize("kind", SECRETS)
    def test_stand_in_no_tracked_file(self, kind: str) -> None:
        pattern = re.compile(SECRETS[kind])
        texts = tracked(
            ".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".json", ".js", ".html", ".sql", "Makefile", "file"
        )
        found = [named(path) for path in texts if pattern.search(path.read_text(errors="replace"))]
        assert found == []


class TestImage:
    def test_is_built_from_locked_libraries_and_runs_as_nobody_in_particular(self) -> None:
        text = DOCKERFILE.read_text()
        assert "--require-hashes" in text
        assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] == "10001"
        assert not re.search(r"^(?:ENV|ARG) \w*(?:PASSWORD|SECRET|TOKEN|KEY)", text, re.MULTILINE)
        assert all(
            ":" in base and not base.endswith(":latest") for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        )
        assert not re.search(r"^ADD ", text, re.MULTILINE)
