"""What each service is: its lifecycles on one page, lifecycle and settings in its README."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from deploy.docs.parts import Part
from deploy.docs.text import NOTE, Incomplete, between, table
from deploy.local.folder import ROOT
from shared.settings import ServiceSettings
from shared.states import Lifecycle


def documents(parts: Sequence[Part]) -> dict[Path, str]:
    """Return the page of lifecycles and the READMEs. Raises Incomplete when READMEs lack a place to write to."""
    found, missing = {Path("docs/reference/lifecycles.md"): _page(parts)}, []
    for part in parts:
        path = Path(*part.package.split("."), "README.md")
        try:
            found[path] = _readme(part, ROOT / path)
        except (LookupError, FileNotFoundError) as problem:
            missing.append(f"{path}: {problem}")
    if missing:
        raise Incomplete(*missing)
    return found


def _page(parts: Sequence[Part]) -> str:
    sections = ["# Lifecycles", NOTE, _INTRODUCTION]
    for part in parts:
        for life in part.lifecycles:
            rows = [[edge.action, edge.start or "", edge.end, f"`{edge.emits.event_type}`"] for edge in life.edges]
            edges = table(["Action", "From", "To", "Tells"], rows)
            sections += [f"## {part.name}: {life.name}", diagram(life), edges]
    return "\n\n".join(sections) + "\n"


_INTRODUCTION = """\
Each thing with a status moves along these edges alone; a move, its history and its event commit together. The gateway
has no status of its own: it folds these events into the portal's statuses 1 to 10."""


def diagram(life: Lifecycle[Any]) -> str:
    """Return a lifecycle as a mermaid diagram in Markdown."""
    return f"```mermaid\n{life.mermaid()}\n```"


def _readme(part: Part, path: Path) -> str:
    page = between(path.read_text(encoding="utf-8"), "settings", settings_table(part.settings))
    if not part.lifecycles:
        return page
    return between(page, "lifecycle", "\n\n".join(map(diagram, part.lifecycles)))


def settings_table(settings: type[ServiceSettings]) -> str:
    """Return a table of settings, a service's own before those of all."""
    common = ServiceSettings.model_fields
    fields = sorted(settings.model_fields.items(), key=lambda item: item[0] in common)
    prefix = settings.model_config.get("env_prefix", "")
    rows = [[f"`{prefix}{name.upper()}`", _default(field), _purpose(field)] for name, field in fields]
    return table(["Variable", "Default", "Purpose"], rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default_factory is not None:
        return ""
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return f"`{value}`" if value != "" else "empty"


def _purpose(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())
