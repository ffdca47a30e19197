"""The examples run as they stand."""

import json
import re
from pathlib import Path

import pytest

from deploy.integrators.sandbox.identities import IDENTITIES
from deploy.local.folder import ROOT
from tests.integrators.conftest import PYTHON, run

pytestmark = pytest.mark.timeout(300)
EXAMPLES = ROOT / "docs" / "examples"
CODE = re.compile(r"H32\.14\.61-\d{6}-\d{4}")


class TestExample:
    def test_first_dossier(self, partner: dict[str, str]) -> None:
        told = json.loads(run(["sh", str(EXAMPLES / "first_dossier.sh")], partner))
        assert CODE.fullmatch(told["code"])
        assert told["status"] == "submitted"

    def test_typed_client(self, partner: dict[str, str]) -> None:
        code, refused = run([PYTHON, str(EXAMPLES / "typed_client.py")], partner).splitlines()
        assert CODE.fullmatch(code)
        assert refused.startswith("409 ")

    def test_follow_feed(self, partner: dict[str, str], tmp_path: Path) -> None:
        """Stopped and started again it goes on where it was."""
        follow = [PYTHON, str(EXAMPLES / "follow_feed.py"), str(tmp_path / "cursor")]
        first = run(follow, partner).splitlines()
        run(["sh", str(EXAMPLES / "first_dossier.sh")], partner)
        second = run(follow, partner).splitlines()
        assert not set(first) & set(second)

    def test_is_known_to_these_tests(self) -> None:
        tested = {name.removeprefix("test_") for name in vars(TestExample) if name.startswith("test_")}
        assert {path.stem for path in EXAMPLES.iterdir()} == tested - {"is_known_to_these_tests"}


class TestPage:
    def test_lists_the_identities_as_they_are(self) -> None:
        page = (ROOT / "docs" / "integrating.md").read_text()
        for one in IDENTITIES.values():
            row = next(line for line in page.splitlines() if line.startswith(f"| {one.number}"))
            assert one.told in row
            assert " ".join(map(str, one.statuses)) in row
