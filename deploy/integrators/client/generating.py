"""Writes the package `motcua_client`: models and methods from the contract, the transport as it is.

Models are made by datamodel-code-generator; the methods are ours, for no generator in use writes small readable ones.
"""

import ast
import json
import re
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from datamodel_code_generator import DataModelType, GenerateConfig, InputFileType, LiteralType, PythonVersion
from datamodel_code_generator import generate as generate_models
from datamodel_code_generator.format import Formatter

from deploy.integrators.client.loosening import loosened
from deploy.integrators.client.operations import Argument, Document, Operation, operations

PACKAGE = "motcua_client"
_HEADER = '"""{about}\n\nGenerated from the contract by `motcua client`; change the contract instead.\n"""\n\n'
_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "motcua-client"
version = "{version}"
description = "A typed client of Một Cửa, generated from its contract."
requires-python = ">=3.11"
dependencies = ["httpx>=0.27", "pydantic[email]>=2.7"]
"""


class ContractUnusable(Exception):
    """The contract cannot be made into a client; the message says where."""


def generate(document: Document, folder: Path) -> list[Operation]:
    """Write the client of a contract (OpenAPI 3.1) into a folder; return its operations.

    The same contract gives the same bytes. Raises ContractUnusable.
    """
    if not str(document.get("openapi", "")).startswith("3.1"):
        raise ContractUnusable("This is no OpenAPI 3.1 document: give the address of GET /api/v1/openapi.json.")
    package = folder / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    _write_models(document, package / "models.py")
    names = _classes(document, package / "models.py")
    found = operations(document, names)
    (package / "api.py").write_text(_api(found), encoding="utf-8")
    transport = Path(__file__).parent / "transport.py"
    (package / "transport.py").write_text(transport.read_text(encoding="utf-8"), encoding="utf-8")
    (package / "__init__.py").write_text(_INIT, encoding="utf-8")
    (package / "py.typed").touch()
    version = document["info"]["version"]
    (folder / "pyproject.toml").write_text(_PROJECT.format(version=version), encoding="utf-8")
    return found


_INIT = (
    _HEADER.format(about="A typed client of Một Cửa.")
    + f"""from {PACKAGE} import models
from {PACKAGE}.api import Motcua
from {PACKAGE}.transport import File, NoAnswer, Refused

__all__ = ["File", "Motcua", "NoAnswer", "Refused", "models"]
"""
)


def _write_models(document: Document, path: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "contract.json"
        source.write_text(json.dumps(loosened(document)), encoding="utf-8")
        generate_models(
            source,
            config=GenerateConfig(
                input_file_type=InputFileType.OpenAPI,
                output=path,
                output_model_type=DataModelType.PydanticV2BaseModel,
                target_python_version=PythonVersion.PY_311,
                use_standard_collections=True,
                use_union_operator=True,
                use_annotated=True,
                field_constraints=True,
                use_schema_description=True,
                enum_field_as_literal=LiteralType.All,
                collapse_root_models=True,
                disable_timestamp=True,
                formatters=[Formatter.BUILTIN],
            ),
        )


def _classes(document: Document, path: Path) -> dict[str, str]:
    """Return the class of each schema: the generator turns names like `Page_LineView_` into names of Python."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = {node.name.lower(): node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    found = {name: classes.get(re.sub(r"\W|_", "", name).lower()) for name in document["components"]["schemas"]}
    return {name: known for name, known in found.items() if known}


def _api(found: Iterable[Operation]) -> str:
    groups: dict[str, list[Operation]] = defaultdict(list)
    for one in found:
        groups[one.group].append(one)
    parts = [_HEADER.format(about="Every call of the contract, by subject."), _IMPORTS]
    parts += [_group(name, members) for name, members in groups.items()]
    return "".join([*parts, _motcua(groups)])


_IMPORTS = f"""from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from {PACKAGE} import models
from {PACKAGE}.transport import Call, File, Transport
"""


def _motcua(groups: Iterable[str]) -> str:
    lines = "\n".join(f"        self.{name} = {_class(name)}(self.transport)" for name in groups)
    return f'''

class Motcua:
    """The door of Một Cửa, as one registered system sees it; close it, or use it in a `with`."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str | None = None,
        timeout_s: float = 30,
        tries_max: int = 6,
    ) -> None:
        self.transport = Transport(
            url, client_id, client_secret, scope=scope, timeout_s=timeout_s, tries_max=tries_max
        )
{lines}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()
'''


def _class(group: str) -> str:
    return "".join(word.capitalize() for word in group.split("_")) + "Calls"


def _group(name: str, members: Iterable[Operation]) -> str:
    head = f'''

class {_class(name)}:
    """{name.replace("_", " ").capitalize()}."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
'''
    return head + "".join(_method(one) for one in members)


def _method(one: Operation) -> str:
    answer = {None: "None", "File": "File"}.get(one.answer, one.answer)
    signature = ", ".join(["self", *_signature(one)])
    words = textwrap.indent(_words(one), " " * 8).strip()
    call = textwrap.indent(f"call = Call(\n{_fields(one)})\n{_act(one)}", " " * 8)
    return f'\n    def {one.name}({signature}) -> {answer}:\n        """{words}"""\n{call}\n'


def _words(one: Operation) -> str:
    text = one.description if one.description and one.description != one.summary else one.summary
    return text.replace("\\", "\\\\").replace('"""', "'''").strip() + ("\n" if "\n" in text.strip() else "")


def _signature(one: Operation) -> Iterable[str]:
    yield from (f"{argument.name}: {argument.kind}" for argument in one.arguments if argument.place == "path")
    if one.body:
        yield f"body: {one.body}" if one.body_required or one.body == "bytes" else f"body: {one.body} | None = None"
    rest = [argument for argument in one.arguments if argument.place != "path"]
    if rest or one.media_types or one.has_key:
        yield "*"
    yield from (_keyword(argument) for argument in sorted(rest, key=lambda argument: not argument.required))
    if one.media_types:
        yield f"media_type: str = {one.media_types[0]!r}"
    if one.has_key:
        yield "idempotency_key: str | None = None"


def _keyword(argument: Argument) -> str:
    return (
        f"{argument.name}: {argument.kind}" if argument.required else f"{argument.name}: {argument.kind} | None = None"
    )


def _fields(one: Operation) -> str:
    lines = [f"{one.method!r}", f"{one.path!r}"]
    for place, name in (("path", "path_values"), ("query", "query"), ("header", "headers")):
        values = [f"{a.wire_name!r}: {a.name}" for a in one.arguments if a.place == place]
        if values:
            lines.append(f"{name}={{{', '.join(values)}}}")
    if one.body:
        lines.append("body=body")
    if one.media_types:
        lines.append("media_type=media_type")
    if one.has_key:
        lines.append("idempotency_key=idempotency_key")
    return "".join(f"    {line},\n" for line in lines)


def _act(one: Operation) -> str:
    if one.answer is None:
        return "self._transport.send(call)"
    if one.answer == "File":
        return "return self._transport.fetch(call)"
    return f"return self._transport.read(call, {one.answer})"
