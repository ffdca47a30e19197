"""The authority over HTTP (RFC 3161 §3.4), as an ASGI app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.authority.certificates import CA_FILE, ensure_certificates
from deploy.authority.register import Register
from deploy.authority.stamping import TimeStamping

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
REQUEST_BYTES_MAX = 16 * 1024


def create_app(folder: Path, certificates: Path | None = None) -> Starlette:
    """Return the app: its register in a folder, its certificates there too unless they lie elsewhere.

    Certificates are made where there are none yet; nothing is opened before its lifespan begins.
    """
    place = certificates or folder

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        ensure_certificates(place)
        register = app.state.register = Register(folder)
        app.state.stamping = TimeStamping(place, register)
        app.state.root = (place / CA_FILE).read_text(encoding="ascii")
        yield
        register.close()

    return Starlette(
        routes=[
            Route("/", _stamp, methods=["POST"]),
            Route("/ca.pem", _root, methods=["GET"]),
            Route("/health/live", _ready, methods=["GET"]),
            Route("/health/ready", _ready, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


async def _stamp(request: Request) -> Response:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != QUERY:
        return PlainTextResponse(f"Send {QUERY}.", 415)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > REQUEST_BYTES_MAX:
            return PlainTextResponse(f"At most {REQUEST_BYTES_MAX} bytes.", 413)
    return Response(request.app.state.stamping.answer(body), media_type=REPLY)


async def _root(request: Request) -> Response:
    return Response(request.app.state.root, media_type="application/x-pem-file")


async def _ready(request: Request) -> Response:
    return JSONResponse({"status": "ready", "stamped": request.app.state.register.count()})
