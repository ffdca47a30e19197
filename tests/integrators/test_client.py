"""The typed client: whole, the same each time, and typed so that a mistake shows before it is sent."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deploy.integrators.client import ContractUnusable, generate
from deploy.integrators.client.loosening import loosened
from deploy.local.folder import ROOT

RIGHT = """
from motcua_client import Motcua, models
with Motcua("https://x.example", "a", "b") as door:
    fees = door.fees.list_fees(dossier_code="H32.14.61-260101-0001")
    total: int = sum(fee.amount_vnd for fee in fees.items)
    state = door.dossiers.withdraw_dossier("H32.14.61-260101-0001", models.WithdrawBody(reason="Không cần nữa"))
    print(state.code.upper(), total)
"""
WRONG = {
    "a member that is none": ("fee.amount_vnd", "fee.amount"),
    "an argument that is none": ("dossier_code=", "dossier="),
    "a value of another type": ('models.WithdrawBody(reason="Không cần nữa")', '"Không cần nữa"'),
    "a call that is none": ("list_fees", "list_all_fees"),
}


def checked(folder: Path, package: Path, program: str) -> str:
    """Return what the type checker says of a program that uses the client."""
    file = folder / "program.py"
    file.write_text(program)
    settings = {"project-includes": '["program.py"]', "search-path": f'["{package}"]'}
    settings |= {"python-interpreter-path": f'"{sys.executable}"'}
    (folder / "pyrefly.toml").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    command = [sys.executable, "-m", "pyrefly", "check", "--config", str(folder / "pyrefly.toml"), "--summary=none"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout if done.returncode else ""


class TestTypes:
    def test_let_right_programs_pass(self, tmp_path: Path, package: Path) -> None:
        assert checked(tmp_path, package, RIGHT) == ""

    @pytest.mark.parametrize("mistake", WRONG)
    def test_show_a_mistake(self, tmp_path: Path, package: Path, mistake: str) -> None:
        right, wrong = WRONG[mistake]
        assert right in RIGHT
        assert "ERROR" in checked(tmp_path, package, RIGHT.replace(right, wrong))


class TestClient:
    def test_has_a_method_for_every_call(self, package: Path, contract: dict[str, Any]) -> None:
        calls = {
            (method.upper(), path)
            for path, item in contract["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict) and "tokens" not in operation.get("tags", [])
        }
        made = {
            tuple(argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant))
            for node in ast.walk(ast.parse((package / "motcua_client" / "api.py").read_text()))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Call"
        }
        assert made == calls

    def test_is_the_same_each_time(self, tmp_path: Path, package: Path, contract: dict[str, Any]) -> None:
        generate(contract, tmp_path)
        for file in (package / "motcua_client").glob("*.py"):
            assert (tmp_path / "motcua_client" / file.name).read_bytes() == file.read_bytes()

    def test_is_not_made_from_something_else(self, tmp_path: Path) -> None:
        with pytest.raises(ContractUnusable, match=r"OpenAPI 3\.1"):
            generate({"swagger": "2.0"}, tmp_path)


class TestLoosened:
    """What only the door can judge is not in the client; lists of values stay closed in bodies only."""

    DOCUMENT: ClassVar[dict[str, Any]] = {
        "components": {
            "schemas": {
                "Colour": {"type": "string", "enum": ["red", "green"]},
                "Body": {
                    "additionalProperties": False,
                    "properties": {
                        "colour": {"$ref": "#/components/schemas/Colour"},
                        "title": {"type": "string", "maxLength": 3, "pattern": "x"},
                    },
                },
                "Answer": {"properties": {"colour": {"$ref": "#/components/schemas/Colour"}}},
            }
        }
    }

    def test_bodies_keep_their_values(self) -> None:
        body = loosened(self.DOCUMENT)["components"]["schemas"]["Body"]["properties"]
        assert body["colour"] == {"type": "string", "enum": ["red", "green"]}

    def test_bodies_lose_lengths_and_patterns_but_no_member(self) -> None:
        body = loosened(self.DOCUMENT)["components"]["schemas"]["Body"]["properties"]
        assert body["title"] == {"type": "string"}

    def test_answers_may_hold_values_to_come(self) -> None:
        answer = loosened(self.DOCUMENT)["components"]["schemas"]["Answer"]["properties"]
        assert answer["colour"]["type"] == "string"
        assert "enum" not in answer["colour"]
        assert "red, green" in answer["colour"]["description"]
