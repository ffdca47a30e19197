"""System packages: installed when we may, else a message that says what to do."""

import os
import subprocess
import sys

import pytest

from deploy.local.folder import ROOT
from deploy.local.packages import FONTS, POSTGRES, RABBITMQ, Need, PackagesMissing, ensure, stack_needs


class TestEnsure:
    """Says exactly what to do when it may not do it itself."""

    def test_is_silent_when_nothing_is_missing(self) -> None:
        ensure([POSTGRES, RABBITMQ], pytest.fail)

    def test_without_root_names_packages_and_settings(self) -> None:
        script = (
            "import os\n"
            "from dataclasses import replace\n"
            "from deploy.local.packages import *\n"
            "os.geteuid() == 0 and os.setuid(65534)\n"
            "missing = [replace(need, found=lambda: None) for need in (POSTGRES, RABBITMQ, CHROMIUM)]\n"
            "try:\n    ensure(missing, print)\n"
            "except PackagesMissing as problem:\n    print(problem)"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        said = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True, timeout=30
        ).stdout
        assert "sudo apt-get install -y --no-install-recommends postgresql rabbitmq-server chromium" in said
        assert "POSTGRES_URL=postgresql://" in said
        assert "RABBITMQ_URL=amqp://" in said
        assert "RABBITMQ_MANAGEMENT_URL=http://" in said

    @pytest.mark.skipif(os.geteuid() != 0, reason="installs only as root")
    def test_as_root_shows_why_apt_failed(self, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
        fake = ROOT / str(tmp_path) / "apt-get"
        fake.write_text("#!/bin/sh\necho E: no such package in this world\nexit 100\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
        with pytest.raises(PackagesMissing, match="no such package in this world"):
            ensure([Need("nothing-of-this-name", lambda: None)], lambda _: None)


class TestStackNeeds:
    """The user's own servers and fonts need no packages."""

    def test_leaves_out_what_settings_replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RABBITMQ_URL", raising=False)
        monkeypatch.setenv("MOTCUA_FONTS_FOLDER", "/fonts")
        monkeypatch.setenv("POSTGRES_URL", "postgresql://admin@db.example/postgres")
        assert stack_needs() == [RABBITMQ]
        monkeypatch.setenv("RABBITMQ_URL", "amqp://admin@broker.example")
        assert stack_needs() == []
        monkeypatch.delenv("MOTCUA_FONTS_FOLDER")
        assert stack_needs() == [FONTS]
