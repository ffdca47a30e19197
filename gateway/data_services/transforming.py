"""Small changes to headers and bodies.

Limits: 1 MiB, 64 levels, members of the outermost object (or of each object of an outermost array) alone; XML without
DTD, entities and mixed content, attributes as `@name`, text beside them as `#text`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from lxml import etree

from gateway.data_services.policy import BodyRules, HeaderRules

BODY_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 64
TEXT = "#text"
ROOT = "data"
"""The outermost element where JSON has several members or none."""
ITEM = "item"
JSON, XML = "application/json", "application/xml"


class Untransformable(ValueError):
    """The body cannot be read as the policy expects; the message says why, without quoting it."""


def headers_by(rules: HeaderRules, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers (names in small letters) as rules make them: removed, renamed, then set."""
    kept = [(rules.rename.get(name, name), value) for name, value in headers if name not in rules.remove]
    return [*((name, value) for name, value in kept if name not in rules.set), *rules.set.items()]


def body_by(rules: BodyRules, body: bytes) -> tuple[bytes, str]:
    """Return a body as rules make it, with its media type. Raises Untransformable."""
    if len(body) > BODY_BYTES_MAX:
        raise Untransformable("the body is larger than 1 MiB")
    found = from_xml(body) if rules.format == "xml_to_json" else _from_json(body)
    found = _members(rules, found)
    if rules.format == "json_to_xml":
        return to_xml(found), XML
    return orjson.dumps(found), JSON


def _from_json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise Untransformable("the body is no JSON") from problem


def _members(rules: BodyRules, found: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(found, list):
        return [_members_of(rules, one) for one in found]
    return _members_of(rules, found)


def _members_of(rules: BodyRules, found: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(found, dict):
        return found
    picked = found if rules.pick is None else {name: found[name] for name in rules.pick if name in found}
    return {rules.rename.get(name, name): value for name, value in picked.items()}


def from_xml(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return an XML document as JSON values: the outermost element's content. Raises Untransformable."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as problem:
        raise Untransformable("the body is no XML") from problem
    if root.getroottree().docinfo.doctype:
        raise Untransformable("the body has a DTD")
    return _value(root, 1)


def _value(element: Any, depth: int) -> Any:  # noqa: ANN401 - lxml's element, JSON
    if depth > DEPTH_MAX:
        raise Untransformable("the body is nested too deeply")
    found: dict[str, Any] = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    for child in element:
        if not isinstance(child.tag, str):
            raise Untransformable("the body holds an entity")
        name, value = _local(child.tag), _value(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], _Several):
            found[name].append(value)
        else:
            found[name] = _Several([found[name], value])
    text = (element.text or "").strip()
    if not found:
        return text or None
    return {**found, TEXT: text} if text else found


class _Several(list[Any]):
    """Elements of one name side by side."""


def _local(name: object) -> str:
    return etree.QName(str(name)).localname


def to_xml(found: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return JSON values as an XML document. Raises Untransformable for names that no element can have."""
    name, content = ROOT, found
    if isinstance(found, Mapping) and len(found) == 1:
        ((only, inner),) = found.items()
        if not isinstance(inner, list) and not only.startswith(("@", "#")):
            name, content = only, inner
    try:
        root = etree.Element(name)
        _fill(root, content, 1)
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    except (ValueError, TypeError) as problem:
        raise Untransformable("a member's name or value cannot stand in XML") from problem


def _fill(element: Any, content: Any, depth: int) -> None:  # noqa: ANN401 - lxml's element, JSON
    if depth > DEPTH_MAX:
        raise Untransformable("the body is nested too deeply")
    if isinstance(content, Mapping):
        for name, value in content.items():
            if name == TEXT:
                element.text = _text(value)
            elif name.startswith("@"):
                element.set(name[1:], _text(value))
            else:
                for one in value if isinstance(value, list) else [value]:
                    _fill(etree.SubElement(element, name), one, depth + 1)
    elif isinstance(content, list):
        for one in content:
            _fill(etree.SubElement(element, ITEM), one, depth + 1)
    elif content is not None:
        element.text = _text(content)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
