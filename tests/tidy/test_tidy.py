"""Sizes, names, one door for statuses, one clock: what import-linter and ruff do not hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("services", "gateway", "shared", "deploy", "benchmarks")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
TEST_FUNCTION_LINES_MAX = 40
NO_NAMES = frozenset({"utils", "common", "helpers", "core", "base", "manager", "misc"})
STATUS_DOOR = "shared/work.py"
CLOCK = "shared/clock.py"
CLOCK_READS = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|datetime\.today|time\.time)\(")


def tracked(*suffixes: str) -> list[Path]:
    """Return the files that git knows or would know, by suffix."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in names if name.endswith(suffixes) and (ROOT / name).is_file()]


def sources(*folders: str) -> list[Path]:
    """Return the Python files below folders."""
    return [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in folders]


def named(path: Path) -> str:
    """Return a path as people write it."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every function of a file with its number of lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{named(path)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def assignments_to_status(path: Path) -> list[int]:
    """Return the lines on which something's `status` is set."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text())):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        lines += [t.lineno for t in targets if isinstance(t, ast.Attribute) and t.attr == "status"]
    return lines


class TestSizes:
    def test_of_files(self) -> None:
        long = {named(path): len(path.read_text().splitlines()) for path in sources(*CODE, "tests")}
        assert {name: lines for name, lines in long.items() if lines > FILE_LINES_MAX} == {}

    @pytest.mark.parametrize(
        ("folders", "lines_max"),
        [(CODE, FUNCTION_LINES_MAX), (("tests",), TEST_FUNCTION_LINES_MAX)],
        ids=["code", "tests"],
    )
    def test_of_functions(self, folders: tuple[str, ...], lines_max: int) -> None:
        found = [found for path in sources(*folders) for found in functions(path)]
        assert [(name, lines) for name, lines in found if lines > lines_max] == []


class TestNames:
    def test_say_what_a_module_holds(self) -> None:
        parts = {part.removesuffix(".py") for path in sources(*CODE, "tests") for part in path.relative_to(ROOT).parts}
        assert parts & NO_NAMES == set()

    def test_of_no_machine_and_no_registry_stand_in_the_repository(self) -> None:
        here = re.compile(r"/work/|/root/\.|pypi\.org/simple|registry\.npmjs")
        own = Path(__file__)
        texts = tracked(".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".sh", ".json", "Makefile", "Dockerfile")
        assert [named(path) for path in texts if path != own and here.search(path.read_text())] == []

    def test_of_no_host_stand_in_the_locks_of_npm(self) -> None:
        """They name packages by their digests alone."""
        assert [named(path) for path in tracked("package-lock.json") if '"resolved"' in path.read_text()] == []


class TestStatus:
    def test_is_set_in_one_place_only(self) -> None:
        """Work.move writes the status, its history and its event together; nobody else may."""
        writers = {named(path): assignments_to_status(path) for path in sources("services", "gateway", "shared")}
        found = {name: lines for name, lines in writers.items() if lines and name != STATUS_DOOR}
        assert {name for name in found if name.startswith(("services/", "shared/"))} == set()
        # The log entry of a call holds its HTTP status; the gateway has no lifecycle of its own.
        assert set(found) <= {"gateway/routes/logged.py"}


class TestClock:
    def test_is_read_in_one_place_only(self) -> None:
        readers = [
            named(path) for path in sources("services", "gateway", "shared") if CLOCK_READS.search(path.read_text())
        ]
        assert readers == [CLOCK]
