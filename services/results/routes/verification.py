"""HTTP in: the public check, open to everybody."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.requests import ClientDisconnect

from services.results import queries, schemas
from services.results.errors import UploadIncomplete
from shared import clock
from shared.blobs import BlobTooLarge
from shared.clock import VN
from shared.errors import FieldError, InvalidRequest
from shared.http import SessionDep, problem_responses

public = APIRouter(tags=["verify"], responses=problem_responses(413, 422, 429, 503))
_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@public.get("/verify/{reference:path}")
async def verify(
    session: SessionDep,
    reference: Annotated[str, Path(min_length=1, max_length=100)],
    options: Annotated[schemas.VerifyOptions, Query()],
) -> schemas.Verification:
    """Check a result by its id, its number or the SHA-256 of its document; open to everybody, nothing personal."""
    found = await queries.list_issued(session, reference=reference, agency_code=options.agency_code)
    scans = await queries.list_digitised_named(session, reference=reference, agency_code=options.agency_code)
    return schemas.verification(reference, found, scans, clock.now().astimezone(VN).date())


@public.post("/verify", openapi_extra=_FILE)
async def verify_file(request: Request, session: SessionDep) -> schemas.Verification:
    """Check a file byte for byte: it is hashed as it arrives and kept nowhere; open to everybody."""
    digest, size, size_max = hashlib.sha256(), 0, request.app.state.settings.verify_bytes_max
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > size_max:
                raise BlobTooLarge(f"Send at most {size_max} bytes.", size_max=size_max)
            digest.update(chunk)
    except ClientDisconnect as problem:
        raise UploadIncomplete from problem
    if not size:
        raise InvalidRequest(
            "Send the file as the body.", errors=[FieldError("body", "The file is missing.", "Thiếu tệp.")]
        )
    sha256 = digest.hexdigest()
    found = await queries.list_issued(session, reference=sha256)
    scans = await queries.list_digitised_named(session, reference=sha256)
    return schemas.verification(sha256, found, scans, clock.now().astimezone(VN).date())
