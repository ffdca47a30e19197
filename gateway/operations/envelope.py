"""edXML: the envelope of an electronic document (QCVN 102:2016/BTTTT), read without trusting it.

The elements are those that senders in public use write; the regulation's own list was not at hand. A document type
definition is refused, so there are no entities; size, depth and number of elements are bounded; nothing is fetched.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lxml import etree

from gateway.errors import EdocInvalid
from shared.clock import VN
from shared.errors import FieldError
from shared.identifiers import AgencyCodeError, current_agency, old_agency

NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
DEPTH_MAX = 32
ELEMENTS_MAX = 20_000
RECIPIENTS_MAX = 200
DOCUMENT_ID_MAX = 200
CHUNK_BYTES = 64 * 1024
_NS = {"e": NAMESPACE}
_DECLARATION = re.compile(r"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']", re.ASCII)
_FORBIDDEN = re.compile(r"<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends which document to whom."""

    sender: str
    """Agency in the present form."""
    recipients: tuple[str, ...]
    document_id: str
    """What the sender calls it: DocumentId, else the id of its trace, else number, notation and date."""


def read_envelope(content: bytes) -> Envelope:
    """Return what an envelope says. Raises EdocInvalid naming every element that is lacking or wrong."""
    root = _parsed(content)
    header = root.find("e:edXMLEnvelope/e:edXMLHeader", _NS)
    message = header.find("e:MessageHeader", _NS) if header is not None else None
    if root.tag != f"{{{NAMESPACE}}}edXML" or header is None or message is None:
        raise _invalid("edXML", f"No edXML/edXMLEnvelope/edXMLHeader/MessageHeader in {NAMESPACE}.")
    problems: list[FieldError] = []
    texts = {path: _text(message, path) for path in _NEEDED}
    problems += [FieldError(f"MessageHeader/{path}", "This is needed.") for path, text in texts.items() if not text]
    sender = _agencies(message, "From", problems)
    recipients = _agencies(message, "To", problems)
    if len(recipients) > RECIPIENTS_MAX:
        problems.append(FieldError("MessageHeader/To", f"At most {RECIPIENTS_MAX} recipients."))
    document_id = _document_id(header, message, texts)
    if len(document_id) > DOCUMENT_ID_MAX:
        problems.append(FieldError("MessageHeader/DocumentId", f"At most {DOCUMENT_ID_MAX} characters."))
    if problems:
        raise EdocInvalid("The envelope cannot be taken as it is.", errors=problems)
    return Envelope(sender[0], tuple(recipients), document_id)


_NEEDED = (
    "From/OrganId",
    "To/OrganId",
    "Code/CodeNumber",
    "Code/CodeNotation",
    "PromulgationInfo/PromulgationDate",
    "Subject",
)


def _document_id(header: etree._Element, message: etree._Element, texts: dict[str, str]) -> str:
    trace = header.find("e:TraceHeaderList", _NS)
    traced = (trace.get("id") or "").strip() if trace is not None else ""
    code = "/".join(texts[path] for path in ("Code/CodeNumber", "Code/CodeNotation"))
    return _text(message, "DocumentId") or traced or f"{code}@{texts['PromulgationInfo/PromulgationDate']}"


def _agencies(message: etree._Element, role: str, problems: list[FieldError]) -> list[str]:
    found: list[str] = []
    for element in message.findall(f"e:{role}/e:OrganId", _NS):
        text = (element.text or "").strip()
        try:
            found.append(current_agency(text))
        except AgencyCodeError:
            if text:
                problems.append(FieldError(f"MessageHeader/{role}/OrganId", "Write it like 000.00.14.H32 or H32.14."))
    return list(dict.fromkeys(found))


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext("/".join(f"e:{part}" for part in path.split("/")), "", _NS) or "").strip()


def _parsed(content: bytes) -> etree._Element:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _invalid("data", "Encode it in UTF-8.") from problem
    declared = _DECLARATION.match(text)
    if (declared and declared[1].lower() not in {"utf-8", "utf8"}) or _FORBIDDEN.search(text):
        raise _invalid("data", "Write it in UTF-8 and without a document type.")
    parser = etree.XMLPullParser(
        ("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True
    )
    depth = elements = 0
    try:
        for step in _steps(parser, content.removeprefix(b"\xef\xbb\xbf")):
            depth += 1 if step == "start" else -1
            elements += step == "start"
            if depth > DEPTH_MAX or elements > ELEMENTS_MAX:
                raise _invalid("data", f"At most {DEPTH_MAX} levels and {ELEMENTS_MAX} elements.")
        return parser.close()
    except etree.XMLSyntaxError as problem:
        raise _invalid("data", "It is no well-formed XML.") from problem


def _steps(parser: etree.XMLPullParser, content: bytes) -> Iterator[str]:
    for at in range(0, len(content), CHUNK_BYTES):
        parser.feed(content[at : at + CHUNK_BYTES])
        yield from (step for step, _ in parser.read_events())


def _invalid(field: str, message: str) -> EdocInvalid:
    return EdocInvalid(message, errors=[FieldError(field, message)])


RECEIPT_CODES = {"DONE": ("03", "Đã tiếp nhận"), "FAIL": ("02", "Từ chối tiếp nhận")}
"""StatusCode of a receipt, as systems in public use write it."""


def write_receipt(
    *, sender: str, recipient: str, about: UUID, document_id: str, progress: str, note: str | None, at: datetime
) -> bytes:
    """Return the receipt that tells a document's sender what a recipient (here the receipt's sender) did with it."""
    code, meaning = RECEIPT_CODES[progress]
    root = etree.Element(f"{{{NAMESPACE}}}edXML", nsmap={None: NAMESPACE})
    status = _add(_add(root, "edXMLEnvelope"), "Status")
    response = _add(status, "ResponseFor")
    _add(response, "OrganId", _written(recipient))
    _add(response, "DocumentId", document_id)
    _add(response, "DocId", str(about))
    _add(_add(status, "From"), "OrganId", _written(sender))
    _add(status, "StatusCode", code)
    _add(status, "Description", f"{meaning}: {note}" if note else meaning)
    _add(status, "Timestamp", at.astimezone(VN).strftime("%Y/%m/%d %H:%M:%S"))
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _written(agency: str) -> str:
    try:
        return old_agency(agency)
    except AgencyCodeError:
        return agency


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = text
    return element
