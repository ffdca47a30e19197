"""The definitions of data services: one YAML file each, with contract and policy, in `definitions/`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "definitions"
_PLACE = re.compile(r"\$\{([a-z_]+)\}")


class Undefined(Exception):
    """A definition names a value that nobody gave."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One service with its versions."""

    code: str
    entry: dict[str, Any]
    """As the registry takes it."""
    versions: dict[str, dict[str, Any]]
    """As the registry takes them."""


def read(folder: Path = FOLDER, values: Mapping[str, str] | None = None) -> list[Definition]:
    """Return the definitions of a folder, `${name}` replaced by values. Raises Undefined, OSError, YAMLError."""
    return [_definition(path, values or {}) for path in sorted(folder.glob("*.yaml"))]


def _definition(path: Path, values: Mapping[str, str]) -> Definition:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    versions = {
        name: {key: _filled(value, values, path) if key != "contract" else value for key, value in version.items()}
        for name, version in document["versions"].items()
    }
    entry = {name: document[name] for name in ("agency", "provider", "name_vi", "name_en")}
    return Definition(document["code"], entry, versions)


def _filled(value: Any, values: Mapping[str, str], path: Path) -> Any:  # noqa: ANN401 - YAML
    if isinstance(value, dict):
        return {key: _filled(inner, values, path) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values, path) for inner in value]
    if not isinstance(value, str):
        return value

    def found(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise Undefined(f"{path.name}: give a value for {match[1]}.")
        return values[match[1]]

    return _PLACE.sub(found, value)
