"""HTTP in: who calls, in which transaction, with which rights. Routes of every service are made with these."""

import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, ClassVar, TypeVar

from fastapi import APIRouter, Depends, Path, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import OAuth2, SecurityScopes
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect

from shared.caller import Caller
from shared.errors import DomainError, IdempotencyKeyMissing
from shared.problems import Problem
from shared.telemetry import current_traceparent
from shared.tokens import TokenVerifier
from shared.work import Work
from shared.writes import Write, Writer, fingerprint

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENCY_HEADER = "idempotency-key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A new one for each request; the same request sent again with its key gets its first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[\\x21-\\x7e]+$"},
    "example": "0196-4f1c-submit-1",
}
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_scheme = OAuth2(
    flows={"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},  # type: ignore[arg-type]
    scheme_name="client_credentials",
    auto_error=False,
)


async def authenticate(request: Request) -> Caller:
    """Return who calls, verified once a request; raises Unauthenticated."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        tokens: TokenVerifier = request.app.state.tokens
        known = await tokens.verify(request.headers.get("authorization"))
        request.state.caller = known
    return known


async def _authorised(
    request: Request, needed: SecurityScopes, _documented: Annotated[str | None, Depends(_scheme)]
) -> Caller:
    caller = await authenticate(request)
    for scope in needed.scopes:
        caller.require(scope)
    return caller


def needs(*scopes: str) -> Any:  # noqa: ANN401 - what fastapi.Security returns
    """Return the route dependency that lets in only callers with all of these scopes."""
    return Security(_authorised, scopes=list(scopes))


def needs_one_of(*scopes: str) -> Any:  # noqa: ANN401 - what fastapi.Depends returns
    """Return the route dependency that lets in callers with at least one of these scopes."""

    async def authorised(caller: Annotated[Caller, needs()]) -> None:
        caller.require(*scopes)

    return Depends(authorised)


async def _work(request: Request) -> Work:
    return request.state.work


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.database.session() as session:
        yield session


def _required_key(request: Request) -> str:
    key = request.headers.get(IDEMPOTENCY_HEADER, "")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing(
            "Send an Idempotency-Key of 1 to 200 visible ASCII characters, a new one per request."
        )
    return key


CallerDep = Annotated[Caller, Security(_authorised)]
WorkDep = Annotated[Work, Depends(_work)]
"""The transaction of an unsafe call; the route class opens and commits it."""
DossierPath = Annotated[str, Path(min_length=1, max_length=60, examples=["H32.14-260407-0001"])]
SessionDep = Annotated[AsyncSession, Depends(_session)]
"""A session for reading."""


def grouped(endpoint: Endpoint) -> Endpoint:
    """Let calls of this route that arrive together share one transaction."""
    endpoint.__dict__["grouped"] = True
    return endpoint


def roomy(bytes_max: int) -> Callable[[Endpoint], Endpoint]:
    """Let calls of this route bring a JSON body of so many bytes, instead of the usual limit."""

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["bytes_max"] = bytes_max
        return endpoint

    return marked


class WriteRoute(APIRoute):
    """A route whose unsafe calls run once per Idempotency-Key and commit before they answer."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - APIRoute's
        if not SAFE_METHODS.issuperset(options.get("methods") or {"GET"}):
            options["openapi_extra"] = {"parameters": [_KEY_PARAMETER], **(options.get("openapi_extra") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler: its answer is made inside the transaction and sent after the commit."""
        handler = super().get_route_handler()
        if SAFE_METHODS.issuperset(self.methods or ()):
            return handler
        together = getattr(self.endpoint, "grouped", False)

        async def run(request: Request) -> Response:
            caller = await authenticate(request)
            key = _required_key(request)
            body = await request.body()

            async def act(work: Work) -> Response:
                request.state.work = work
                return await handler(request)

            target = f"{request.url.path}?{request.url.query}"
            write = Write(caller, key, fingerprint(request.method, target, body), act, current_traceparent())
            writer: Writer = request.app.state.writer
            return await (writer.grouped(write) if together else writer.alone(write))

        return run


class Upload(Request):
    """A request whose body is kept as it arrives; whoever asks for the body gets its hash.

    So the file is in memory at no time, while the Idempotency-Key still stands for exactly this file. A service says
    where the file goes (`keep`), which scope that needs, and what it is called when the connection ends before it.
    """

    scope_needed: ClassVar[str]
    incomplete: ClassVar[type[DomainError]]

    async def keep(self) -> str:
        """Keep the body, put what is known of it into the request's state, return its SHA-256."""
        raise NotImplementedError

    async def body(self) -> bytes:
        """Keep the file; return its SHA-256."""
        caller = await authenticate(self)
        caller.require(self.scope_needed)
        try:
            return (await self.keep()).encode()
        except ClientDisconnect as problem:
            raise self.incomplete from problem

    @property
    def media_type(self) -> str:
        """The type that the caller says the file is of; empty when it says none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class UploadRoute(WriteRoute):
    """A write whose body is a file; the service's own kind of it names its Upload."""

    upload: ClassVar[type[Upload]]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Let the write see an Upload."""
        write = super().get_route_handler()

        async def run(request: Request) -> Response:
            return await write(self.upload(request.scope, request.receive))

        return run


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the problems a route can answer with."""
    return {status: {"description": "Problem document (RFC 9457)", "model": Problem} for status in statuses}


def router(tag: str, *, prefix: str = "") -> APIRouter:
    """Return a router whose unsafe calls are writes."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=WriteRoute,
        responses=problem_responses(400, 401, 403, 404, 409, 422, 503),
    )
