"""The ops page: one HTML file with its styles and scripts, all of them ours; its figures come from /api/v1/ops."""

import os
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

PATH = "/console"
FILES_PATH = f"{PATH}/files"
FOLDER = Path(__file__).parent / "console"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Nothing runs on the page but what we serve, and no text becomes markup (Trusted Types); files are revalidated."""

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home() -> Response:
    """Lead people to the page."""
    return RedirectResponse(PATH)


@router.get(PATH)
async def page() -> Response:
    """Answer with the page; it holds no data and needs no token."""
    return FileResponse(FOLDER / "page.html", headers=HEADERS)


class ConsoleFiles(StaticFiles):
    """A page's styles and scripts."""

    def __init__(self, folder: Path = FOLDER / "files") -> None:
        super().__init__(directory=folder)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer with a file, or 304 when the browser has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response
