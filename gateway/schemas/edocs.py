"""Electronic documents, in the words of the provinces' documents API (TrucLienThong)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from gateway.schemas.root import Answer
from shared.bodies import Body, Trimmed

Progress = Literal["INITIAL", "PROCESSING", "DONE", "FAIL"]
DATA_CHARACTERS_MAX = 100_000_000
"""Of base64; the door's own bound on a body is the smaller one."""
Agency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.]{1,40}$")]


class EdocBody(Body):
    """A document to be sent."""

    type: Literal["edoc"] = "edoc"
    data: Annotated[str, StringConstraints(max_length=DATA_CHARACTERS_MAX)]
    """The edXML envelope (QCVN 102:2016), in base64."""


class EdocStatusBody(Body):
    """How far a recipient is."""

    status: Progress
    agency: Agency | None = None
    """Which of your agencies, when several are recipients."""
    note: Annotated[str, Trimmed(500)] | None = None
    """Why, for FAIL; the sender's receipt tells it."""


class EdocAgencyBody(Body):
    """An agency that is to take part."""

    code: Agency
    """`H32.14` or, in the old form, `000.00.14.H32`."""
    name: Annotated[str, Trimmed(300)]
    pcode: Agency | None = None
    """The agency above it."""
    email: Annotated[str, Trimmed(200)] | None = None
    fax: Annotated[str, Trimmed(30)] | None = None
    mobile: Annotated[str, Trimmed(30)] | None = None


class Reply(Answer):
    """What every call answers; refusals are problem details (RFC 9457) as everywhere."""

    status: Literal["OK"] = "OK"
    errorCode: str = "0"  # noqa: N815 - their word
    errorDesc: str = ""  # noqa: N815 - their word


class EdocSent(Reply):
    """The document is taken, now or before."""

    docId: UUID  # noqa: N815 - their word


class EdocRecipientOut(Answer):
    """A recipient."""

    agency: str
    status: Progress
    note: str | None
    changed_at: datetime


class EdocLine(Answer):
    """A document in a list."""

    docId: UUID  # noqa: N815 - their word
    type: str
    """`edoc`, or `receipt`: an edXML Status about a document that you sent."""
    sender: str
    """`from` in the old form stands in the envelope."""
    to: EdocRecipientOut
    about: UUID | None
    """The document that a receipt is about."""
    size_bytes: int
    sha256: str
    sent_at: datetime
    expires_at: datetime
    """Its content is erased then."""


class EdocList(Reply):
    """Documents, in the order sent."""

    data: list[EdocLine]
    next_cursor: str
    """Pass it to go on; it stays good for ever. An empty page answers with the same cursor."""


class EdocWhole(Answer):
    """A document with its content."""

    docId: UUID  # noqa: N815 - their word
    type: str
    sender: str
    document_id: str
    """What the sender calls it."""
    about: UUID | None
    recipients: list[EdocRecipientOut]
    """All of them for the sender; for a recipient its own."""
    sha256: str
    sent_at: datetime
    expires_at: datetime
    content: str
    """The edXML envelope, in base64."""


class EdocFound(Reply):
    """A document."""

    data: EdocWhole


class EdocProgress(Reply):
    """How far a recipient is now."""

    data: EdocRecipientOut


class EdocAgencyOut(Answer):
    """An agency that takes part."""

    code: str
    old_code: str | None
    """In the old form, where it has one."""
    name: str
    pcode: str | None
    email: str | None
    fax: str | None
    mobile: str | None


class EdocAgencies(Reply):
    """Agencies, in order of code."""

    data: list[EdocAgencyOut]
    next_cursor: str | None


class EdocAgencyReply(Reply):
    """An agency."""

    data: EdocAgencyOut
