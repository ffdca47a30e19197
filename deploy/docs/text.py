"""How generated documents look."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml


class Incomplete(Exception):
    """Documents cannot be written because something that people write is missing; each argument says what."""


NOTE = "<!-- Written by `motcua docs`; change the code instead. -->"


def as_json(value: Any, *, sort: bool = False) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort) + "\n"


def as_yaml(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as YAML, texts of several lines as blocks."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, and texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - as PyYAML calls it
        """Repeat what comes twice instead of pointing at it."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Return a text's node."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def between(page: str, mark: str, content: str) -> str:
    """Return a page with what stands between `<!-- mark -->` and `<!-- /mark -->` replaced.

    Raises LookupError when the page has no such place.
    """
    place = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    replaced, count = place.subn(lambda found: f"{found[1]}{content}\n{found[2]}", page)
    if count != 1:
        raise LookupError(f"needs one place between <!-- {mark} --> and <!-- /{mark} -->")
    return replaced
