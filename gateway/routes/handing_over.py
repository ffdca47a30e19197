"""A dossier born on the portal comes in: first its files, each once, then the dossier that names them.

Nothing of it is remembered here. A file has the same id however often it comes, and is kept by intake before the
dossier is submitted: whatever breaks off, the portal hands over the same dossier again and the rest is done. Files
whose dossier never comes are gone after seven days (intake sweeps them).
"""

import asyncio
import hashlib
from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response

from gateway.errors import PortalFileAway
from gateway.portal.files import Paper, PortalFiles, papers_of, refused
from gateway.portal.inbound import PortalDossier, submission
from gateway.routes.proxy import passed_back
from gateway.upstream import Answer, Upstream
from shared.ids import new_id
from shared.telemetry import current_traceparent

NAME_MAX = 500
FILES_S = 120
"""All files of a dossier together; what came in that time is kept for the next attempt."""
_NOT_TAKEN = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})


async def hand_over(request: Request, dossier: PortalDossier) -> Response:
    """Take a dossier with its files. Raises PortalRefused naming the field, PortalFileAway, UpstreamAway."""
    upstream: Upstream = request.app.state.upstream
    files: PortalFiles = request.app.state.portal_files
    papers = papers_of(dossier)
    content = submission(dossier, {paper.place: paper.id for paper in papers})
    files.check(papers)
    try:
        async with asyncio.timeout(FILES_S):
            for paper in papers:
                refusal = await _bring(request, upstream, files, paper)
                if refusal is not None:
                    return passed_back(refusal, upstream.urls["intake"])
    except TimeoutError as problem:
        raise PortalFileAway(f"Not all files came within {FILES_S} s.", retry_after_s=5) from problem
    key = f"portal-{hashlib.sha256(content).hexdigest()}"
    headers = [*_headers(request), ("content-type", "application/json"), ("idempotency-key", key)]
    answer = await upstream.call("intake", "POST", "/portal-submissions", headers=headers, body=content)
    return passed_back(answer, upstream.urls["intake"])


async def _bring(request: Request, upstream: Upstream, files: PortalFiles, paper: Paper) -> Answer | None:
    """Let intake keep a file that it does not keep yet; return its answer if that cannot be done now."""
    path = f"/portal-files/{paper.id}"
    kept = await upstream.call("intake", "GET", path, headers=_headers(request))
    if kept.status == HTTPStatus.OK:
        return None
    if kept.status != HTTPStatus.NOT_FOUND:
        return kept
    content = await files.fetch(paper)
    digest = paper.document.HashTepTin
    headers = [
        *_headers(request),
        ("content-type", "application/octet-stream"),
        ("x-document-name", quote(_name(paper), safe="")),
        # A new one each time: the same id and bytes change nothing, while an old answer may be of a file swept since.
        ("idempotency-key", f"portal-file-{new_id()}"),
    ]
    answer = await upstream.call("intake", "PUT", f"{path}?sha256={digest}", headers=headers, body=content)
    if answer.status in _NOT_TAKEN:
        raise refused(paper, "Only PDF, JPEG and PNG files are taken.", "Chỉ nhận tệp PDF, JPEG hoặc PNG.")
    return None if answer.status == HTTPStatus.OK else answer


def _name(paper: Paper) -> str:
    printable = "".join(one if one.isprintable() else " " for one in paper.document.TenTepDinhKem).strip()
    return printable[:NAME_MAX].strip() or paper.document.MaThanhPhanHoSo


def _headers(request: Request) -> list[tuple[str, str]]:
    return [("authorization", request.headers["authorization"]), ("traceparent", current_traceparent() or "")]
