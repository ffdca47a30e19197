"""The exchange of electronic documents: a data service that the gateway answers itself."""

import base64
import binascii
import re
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response

from gateway import queries
from gateway.errors import BodyTooLarge, EdocInvalid, InvalidCursor
from gateway.models import Edoc, EdocAgency, EdocRecipient
from gateway.operations import edocs
from gateway.operations.edocs import Keeping
from gateway.queries import Box
from gateway.schemas.edocs import (
    EdocAgencies,
    EdocAgencyBody,
    EdocAgencyOut,
    EdocAgencyReply,
    EdocBody,
    EdocFound,
    EdocLine,
    EdocList,
    EdocProgress,
    EdocRecipientOut,
    EdocSent,
    EdocStatusBody,
    EdocWhole,
    Progress,
)
from shared.errors import FieldError, InvalidRequest
from shared.http import CallerDep, SessionDep, WorkDep, needs
from shared.http import router as make_router
from shared.identifiers import AgencyCodeError, current_agency, old_agency

CODE = "edocs"
READ, WRITE = "edocs:read", "edocs:write"
LIST_MAX = 500
_PLACE = re.compile(r"\d{1,18}")

router = make_router("edocs", prefix=f"/api/v1/data-services/{CODE}")


def _keeping(request: Request) -> Keeping:
    state = request.app.state
    return Keeping(state.sealer, state.settings.edoc_days)


@router.get("/documents", dependencies=[needs(READ)])
async def list_documents(
    session: SessionDep,
    caller: CallerDep,
    box: Annotated[Literal["inbox", "sent"], Query(description="What is for you, or what you sent")] = "inbox",
    status: Progress | None = None,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 100,
) -> EdocList:
    """List documents in the order sent, one line a recipient; poll with the cursor and nothing is missed."""
    if cursor is not None and not _PLACE.fullmatch(cursor):
        raise InvalidCursor("Use a cursor as it was given, or none to start from the beginning.")
    wanted = Box(sent=box == "sent", progress=status, after=int(cursor or 0), limit=limit)
    rows = await queries.list_edocs(session, caller, wanted)
    last = rows[-1][1].nth if rows else wanted.after
    return EdocList(data=[_line(edoc, recipient) for edoc, recipient in rows], next_cursor=str(last))


@router.post("/documents", status_code=201, dependencies=[needs(WRITE)])
async def send_document(request: Request, work: WorkDep, body: EdocBody, response: Response) -> EdocSent:
    """Send an edXML envelope to its recipients; the same envelope again is the same document (200)."""
    content = _decoded(body.data, request.app.state.settings.edoc_bytes_max)
    edoc, new = await edocs.hand_in(work, _keeping(request), content=content)
    if not new:
        response.status_code = 200
    return EdocSent(docId=edoc.id)


@router.get("/documents/{doc_id}", dependencies=[needs(READ)])
async def get_document(request: Request, session: SessionDep, caller: CallerDep, doc_id: UUID) -> EdocFound:
    """Read a document from or to your agency, with its content."""
    edoc, recipients = await queries.get_edoc(session, caller, doc_id)
    content = edocs.opened(_keeping(request), edoc)
    return EdocFound(
        data=EdocWhole(
            docId=edoc.id,
            type=edoc.kind,
            sender=edoc.sender,
            document_id=edoc.document_id,
            about=edoc.about,
            recipients=[_recipient(one) for one in recipients],
            sha256=edoc.sha256,
            sent_at=edoc.sent_at,
            expires_at=edoc.expires_at,
            content=base64.b64encode(content).decode(),
        )
    )


@router.put("/documents/{doc_id}", dependencies=[needs(WRITE)])
async def report_status(request: Request, work: WorkDep, doc_id: UUID, body: EdocStatusBody) -> EdocProgress:
    """Say how far your agency is: INITIAL → PROCESSING → DONE or FAIL; FAIL may be taken up again."""
    agency = _present(body.agency, "agency") if body.agency else None
    found = await edocs.report(
        work, _keeping(request), edoc_id=doc_id, progress=body.status, agency=agency, note=body.note
    )
    return EdocProgress(data=_recipient(found))


@router.get("/agencies", dependencies=[needs(READ)])
async def list_agencies(
    session: SessionDep,
    caller: CallerDep,
    scope: Annotated[
        Literal["national", "province"], Query(description="All, or those of your own province alone")
    ] = "national",
    cursor: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 200,
) -> EdocAgencies:
    """List the agencies that documents can be sent to."""
    province = (caller.agency or "").partition(".")[0] if scope == "province" else None
    rows = await queries.list_edoc_agencies(session, province=province, after=cursor, limit=limit)
    following = rows[-1].code if len(rows) == limit else None
    return EdocAgencies(data=[_agency(row) for row in rows], next_cursor=following)


@router.post("/agencies", status_code=201, dependencies=[needs(WRITE)])
async def add_agency(work: WorkDep, body: EdocAgencyBody) -> EdocAgencyReply:
    """Let your agency, or one below it, take part."""
    agency = EdocAgency(
        code=_present(body.code, "code"),
        name=body.name,
        parent=_present(body.pcode, "pcode") if body.pcode else None,
        email=body.email,
        fax=body.fax,
        mobile=body.mobile,
        added_by=work.caller.client_id,
        added_at=work.now,
        cancelled_at=None,
    )
    return EdocAgencyReply(data=_agency(await edocs.add_agency(work, agency)))


AgencyPath = Annotated[str, Path(min_length=1, max_length=40, examples=["H32.14"])]


@router.put("/agencies/{code}/cancel", dependencies=[needs(WRITE)])
async def cancel_agency(work: WorkDep, code: AgencyPath) -> EdocAgencyReply:
    """Let it take part no more; what is in its inbox stays."""
    return EdocAgencyReply(data=_agency(await edocs.cancel_agency(work, _present(code, "code"))))


def _decoded(data: str, bytes_max: int) -> bytes:
    if len(data) > bytes_max * 4 // 3 + 4:
        raise BodyTooLarge(f"At most {bytes_max} bytes.")
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise EdocInvalid(errors=[FieldError("body.data", "Encode the envelope in base64.")]) from problem


def _present(code: str, field: str) -> str:
    try:
        return current_agency(code)
    except AgencyCodeError as problem:
        error = FieldError(f"body.{field}", str(problem), "Mã định danh cơ quan chưa đúng.")
        raise InvalidRequest(errors=[error]) from problem


def _line(edoc: Edoc, recipient: EdocRecipient) -> EdocLine:
    return EdocLine(
        docId=edoc.id,
        type=edoc.kind,
        sender=edoc.sender,
        to=_recipient(recipient),
        about=edoc.about,
        size_bytes=edoc.size_bytes,
        sha256=edoc.sha256,
        sent_at=edoc.sent_at,
        expires_at=edoc.expires_at,
    )


def _recipient(one: EdocRecipient) -> EdocRecipientOut:
    return EdocRecipientOut.model_validate(
        {"agency": one.agency, "status": one.progress, "note": one.note, "changed_at": one.changed_at}
    )


def _agency(row: EdocAgency) -> EdocAgencyOut:
    try:
        old = old_agency(row.code)
    except AgencyCodeError:
        old = None
    return EdocAgencyOut(
        code=row.code,
        old_code=old,
        name=row.name,
        pcode=row.parent,
        email=row.email,
        fax=row.fax,
        mobile=row.mobile,
    )
