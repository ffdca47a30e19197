"""Errors on the wire: RFC 9457 problem documents, one renderer for every refusal."""

import re
from collections.abc import Collection, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from shared import log, openapi
from shared.db import is_outage, is_unstorable_text
from shared.errors import (
    DomainError,
    FieldError,
    IdempotencyKeyMissing,
    InvalidRequest,
    NotFound,
    TransientError,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = openapi.PROBLEM_TYPE
RETRY_AFTER_S = 2
_OF_THE_REQUEST = frozenset({IdempotencyKeyMissing.status, InvalidRequest.status})
"""How a request is refused that no method at its address would have had to be."""
_MEMBER = re.compile(r"[\w\[\]() ,:|-]{1,100}", re.ASCII)
_log = log.get(__name__)


class ProblemField(BaseModel):
    """One field that cannot be taken."""

    field: str
    message: str
    message_vi: str


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    model_config = ConfigDict(extra="allow")

    type: str
    """urn:motcua:problem:CODE, stable."""
    title: str
    title_vi: str
    status: int
    code: str
    detail: str = ""
    errors: list[ProblemField] = []


class MethodNotAllowed(DomainError):
    """This address does not answer that method."""

    code = "method_not_allowed"
    status = 405
    title_vi = "Địa chỉ này không nhận phương thức đó"


class InternalError(DomainError):
    """Something went wrong on our side; it is logged, and the call can be repeated with the same Idempotency-Key."""

    code = "internal_error"
    status = 500
    title_vi = "Hệ thống gặp lỗi; có thể gửi lại với cùng Idempotency-Key"


def render(error: DomainError) -> Response:
    """Return the problem document of a refusal."""
    document: dict[str, Any] = {
        "type": f"urn:motcua:problem:{error.code}",
        "title": error.title(),
        "title_vi": error.title_vi,
        "status": error.status,
        "code": error.code,
    }
    if error.detail:
        document["detail"] = log.masked(error.detail)
    if error.errors:
        document["errors"] = [
            {"field": e.field, "message": e.message, "message_vi": e.message_vi or "Giá trị chưa hợp lệ."}
            for e in error.errors
        ]
    document |= {name: _fact(value) for name, value in error.facts.items() if name not in document}
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = error.challenge
    if error.status == Unavailable.status:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if "retry_after_s" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after_s"])
    body = orjson.dumps(document, default=str)
    return Response(body, status_code=error.status, media_type=MEDIA_TYPE, headers=headers)


def from_validation(problems: Sequence[Any]) -> InvalidRequest:
    """Return the refusal for pydantic's findings; what was sent is never repeated back (it may be personal data)."""
    optional = {tuple(problem["loc"][:-1]) for problem in problems if _is_of_null(problem)}
    errors = [
        FieldError(field=_field(problem["loc"], optional), message=log.masked(str(problem["msg"])))
        for problem in problems
        if not _is_of_null(problem)
    ]
    return InvalidRequest("See errors: each names a field and what is wrong with it.", errors=errors)


def _fact(value: object) -> object:
    return log.masked(value) if isinstance(value, str) else value


def _is_of_null(problem: Any) -> bool:  # noqa: ANN401 - a finding of pydantic's
    """Tell whether a finding is that a field was not null, beside another that says what is wrong with what it was."""
    return problem["type"] == "none_required" and problem["loc"][-1] == "none"


def _field(loc: Sequence[object], optional: Collection[tuple[object, ...]]) -> str:
    """Return a field's path, without what pydantic calls the types of those that can be null."""
    path = [part for place, part in enumerate(loc) if tuple(loc[:place]) not in optional]
    return ".".join(map(_part, path)) or "body"


def _part(part: object) -> str:
    """Return a part of a field's path; what the sender called a member is told back only if it looks like a name."""
    said = str(part)
    return said if _MEMBER.fullmatch(said) and log.masked(said) == said else "?"


def as_domain_error(problem: Exception) -> DomainError:
    """Return the refusal that an exception stands for; InternalError for what nobody anticipated."""
    if isinstance(problem, DomainError):
        return problem
    if isinstance(problem, RequestValidationError):
        return from_validation(problem.errors())
    if isinstance(problem, HTTPException):
        return _of_http(problem)
    if is_unstorable_text(problem):
        return InvalidRequest("Somewhere the request holds a character that cannot be kept, such as U+0000.")
    if is_outage(problem) or isinstance(problem, TransientError):
        return Unavailable("A part of the system is away; nothing was changed. Send the same request again.")
    return InternalError()


def _of_http(problem: HTTPException) -> DomainError:
    if problem.status_code == NotFound.status:
        return NotFound("No such address.")
    if problem.status_code == MethodNotAllowed.status:
        return MethodNotAllowed()
    return InvalidRequest(str(problem.detail))


class Addresses:
    """Which methods an app takes at a path, over all its routes; Starlette's router names those of the first only.

    Of several paths it could stand for, the one with the fewest parameters counts: /forms/import is itself, and not a
    form named import.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[re.Pattern[str], int, set[str]]] = {}

    def add(self, router: APIRouter, *, prefix: str = "") -> None:
        """Remember a router's paths."""
        for route in router.routes:
            if isinstance(route, APIRoute):
                expression, path, parameters = compile_path(prefix + route.path)
                known = self._known.setdefault(path, (expression, len(parameters), set()))
                known[2].update(route.methods or ())

    def methods_at(self, path: str) -> list[str]:
        """Return the methods at a path, none for one that nobody added."""
        found = [(count, methods) for expression, count, methods in self._known.values() if expression.match(path)]
        return sorted(min(found, key=lambda one: one[0])[1]) if found else []


def install(app: FastAPI, *, about: str = "", below: str = "") -> Addresses:
    """Answer every failure of an app with a problem document, and say so in its OpenAPI document.

    `about` describes the app there, `below` is the path under which the gateway offers it. Returns where the routers
    that are included are to be told.
    """
    addresses = Addresses()

    def documented() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.completed(FastAPI.openapi(app), about=about, below=below)
        return app.openapi_schema

    app.openapi = documented  # type: ignore[method-assign]

    async def answer(request: Request, problem: Exception) -> Response:
        error = as_domain_error(problem)
        allowed = addresses.methods_at(request.scope["path"].removeprefix(request.scope.get("root_path", "")))
        if error.status in _OF_THE_REQUEST and allowed and request.method not in allowed:
            error = MethodNotAllowed()
        if isinstance(error, InternalError):
            _log.error("http.failed", path=request.url.path, exc_info=problem)
        elif isinstance(error, Unavailable):
            _log.warning("http.unavailable", reason=type(problem).__name__)
        response = render(error)
        if isinstance(problem, HTTPException):
            response.headers.update(problem.headers or {})
        if isinstance(error, MethodNotAllowed) and allowed:
            response.headers["Allow"] = ", ".join(allowed)
        return response

    for kind in (DomainError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)
    return addresses
