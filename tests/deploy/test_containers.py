"""The container files: valid by their schemas, and naming exactly what the processes and the commands know."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.folder import ROOT, RunFolder
from deploy.local.ports import choose
from deploy.local.postgres import PostgresServer
from deploy.local.stack import Stack

COMPOSE = ROOT / "deploy/compose.yaml"
KUBERNETES = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
TOOLS = ROOT / ".venv/bin"
# What only containers set: addresses and choices that processes on one machine take from their defaults.
CHOICES = {"MOTCUA_PARTITIONS", "MOTCUA_LOG_LEVEL", "MOTCUA_OTLP_ENDPOINT", "MOTCUA_REPLICAS"}
HERE_ONLY = {"MOTCUA_RUN_DIR", "MOTCUA_OUTGOING_ALLOWED", "MOTCUA_OUTGOING_HTTP", "MOTCUA_OUTGOING_PORTS"}
"""What only a local stack sets: where it lies, and that receivers of webhooks may run on this very machine."""


def documents() -> Iterator[Mapping[str, Any]]:
    for path in KUBERNETES:
        yield from yaml.safe_load_all(path.read_text())


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    folder = tmp_path_factory.mktemp("secrets")
    assert CliRunner().invoke(app, ["secrets", str(folder)]).exit_code == 0
    rows = (folder / "motcua.env").read_text().split()
    return dict(row.split("=", 1) for row in rows)  # pyrefly: ignore


@pytest.fixture
def local(folder: RunFolder) -> Mapping[str, set[str]]:
    """Return the settings that the local stack gives each process, less its pace: a portal elsewhere needs patience."""
    stack = Stack(folder)
    for server, names in ((stack.servers.postgres, ["postgres"]), (stack.servers.rabbitmq, ["amqp", "management"])):
        assert server
        choose(folder.path / server.name / "ports.json", names)
    assert isinstance(stack.servers.postgres, PostgresServer)
    return {each.name: _settings(each.environment()) for each in stack.programs}


def _settings(environment: Mapping[str, str]) -> set[str]:
    return {key for key in environment if key.startswith("MOTCUA_") and not key.endswith("_S")}


class TestSchemas:
    """Each file is what its tool expects."""

    @pytest.mark.parametrize(
        "command",
        [
            ["hadolint", "deploy/Dockerfile"],
            ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"],
            ["kubernetes-validate", "--strict", "--quiet", *map(str, KUBERNETES)],
        ],
        ids=lambda words: words[0],
    )
    def test_is_valid(self, command: list[str]) -> None:
        checked = subprocess.run(
            [TOOLS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


class TestCompose:
    """compose.yaml gives what the local stack gives."""

    def test_gives_each_process_the_settings_of_the_local_stack(self, local: Mapping[str, set[str]]) -> None:
        services = yaml.safe_load(COMPOSE.read_text())["services"]
        for name, wanted in local.items():
            given = {key for key in services[name].get("environment", {}) if key.startswith("MOTCUA_")}
            assert given - CHOICES == wanted - HERE_ONLY, name

    def test_asks_only_for_secrets_that_the_command_makes(self, secrets: Mapping[str, str]) -> None:
        text = COMPOSE.read_text()
        assert set(re.findall(r"\$\{(\w+)(?::\?[^}]*)?\}", text)) == set(secrets)
        assert not [secret for secret in secrets.values() if len(secret) < 24]

    def test_waits_for_what_is_defined(self) -> None:
        compose = yaml.safe_load(COMPOSE.read_text())
        services = compose["services"]
        assert {needed for each in services.values() for needed in each.get("depends_on", {})} <= set(services)
        named = {mount.split(":")[0] for each in services.values() for mount in each.get("volumes", [])}
        assert named == set(compose["volumes"])


class TestKubernetes:
    """The manifests give what the local stack gives, from secrets and settings that exist."""

    def test_gives_each_process_the_settings_of_the_local_stack(self, local: Mapping[str, set[str]]) -> None:
        found = {each["metadata"]["name"]: _container(each) for each in documents() if each["kind"] == "Deployment"}
        assert set(found) == set(local)
        for name, container in found.items():
            given = {row["name"] for row in container.get("env", []) if row["name"].startswith("MOTCUA_")}
            assert given - CHOICES == local[name] - HERE_ONLY, name

    def test_refers_only_to_secrets_and_settings_that_exist(self, secrets: Mapping[str, str]) -> None:
        settings = next(each["data"] for each in documents() if each["metadata"]["name"] == "motcua" and "data" in each)
        sources = [row["valueFrom"] for each in documents() for row in _environment(each) if "valueFrom" in row]
        assert {source["secretKeyRef"]["key"] for source in sources if "secretKeyRef" in source} == set(secrets)
        assert {source["configMapKeyRef"]["key"] for source in sources if "configMapKeyRef" in source} == set(settings)

    def test_builds_addresses_from_variables_that_stand_before_them(self) -> None:
        for each in documents():
            known: set[str] = set()
            for row in _environment(each):
                assert set(re.findall(r"\$\((\w+)\)", row.get("value", ""))) <= known, row
                known.add(row["name"])

    def test_runs_nothing_as_root(self, local: Mapping[str, set[str]]) -> None:
        pods = [each["spec"]["template"]["spec"] for each in documents() if "template" in each.get("spec", {})]
        assert len(pods) == len({*local, "postgres", "rabbitmq", "prepare", "register-services"})
        for pod in pods:
            assert pod["securityContext"]["runAsNonRoot"]
            assert not pod["automountServiceAccountToken"]
            assert all(not each["securityContext"]["allowPrivilegeEscalation"] for each in pod["containers"])


def _container(document: Mapping[str, Any]) -> Mapping[str, Any]:
    template = document.get("spec", {}).get("template", {})
    return template["spec"]["containers"][0] if template else {}


def _environment(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return _container(document).get("env", [])


def test_the_image_holds_every_package_of_ours() -> None:
    """What the wheel would hold is copied, and nothing else of ours."""
    copied = set(re.findall(r"^COPY (\w+) /app/\1$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE))
    assert copied == {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} - {"tests", "benchmarks"}
    allowed = Path(ROOT / "deploy/Dockerfile.dockerignore").read_text().split()
    assert {f"!{name}" for name in copied} <= set(allowed)
