"""The citizens' page: is this result valid? One HTML file with its style and script, all of them ours."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from gateway.routes.console import HEADERS, ConsoleFiles

PATH = "/verify"
FILES_PATH = f"{PATH}/files"
FOLDER = Path(__file__).parent / "checking"

router = APIRouter(include_in_schema=False)


@router.get(PATH)
async def page() -> Response:
    """Answer with the page; it holds no data and needs no token."""
    return FileResponse(FOLDER / "page.html", headers=HEADERS)


def files() -> ConsoleFiles:
    """Return the page's style and script, to be mounted at FILES_PATH."""
    return ConsoleFiles(FOLDER / "files")
