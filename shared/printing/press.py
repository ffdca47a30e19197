"""Setting a template with its data: in threads of its own, a few at a time, never more than a page of a register."""

import asyncio
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import orjson
import typst

from shared.errors import DomainError, Unavailable
from shared.printing import fonts

DATA_BYTES_MAX = 1024 * 1024
"""A register of a thousand dossiers; setting it takes some seconds of one core."""
THREADS = 2
WAITING_MAX = 64
STANDARD = "a-2b"
ROOT = Path(__file__).parents[2]
"""The folder of all packages: templates import /shared/printing/letterhead.typ."""


class TooMuchToPrint(DomainError):
    """This is more than one document can hold: ask for a part of it."""

    code = "too_much_to_print"
    status = 413
    title_vi = "Nội dung quá dài để in trong một văn bản"


class PressBusy(Unavailable):
    """Too many documents are being printed at this moment; try again."""

    code = "press_busy"
    title_vi = "Đang in quá nhiều văn bản, vui lòng thử lại"


async def render(template: Path | Traversable, data: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return a template set with data as PDF/A-2b, off the event loop.

    data holds what JSON can (and dates); the template reads it as `data`. `dated` is the moment the document's
    metadata carries: give what is printed its own date and the bytes stay the same.
    Raises TooMuchToPrint, PressBusy, FontsMissing; typst.TypstError when the template itself is wrong.
    """
    as_json = orjson.dumps(data)
    if len(as_json) > DATA_BYTES_MAX:
        raise TooMuchToPrint(f"At most {DATA_BYTES_MAX} bytes of data.")
    return await _press().set(Path(str(template)), as_json, dated)


class _Press:
    """The threads that print, and how many documents wait for them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="printing")
        self._waiting = 0

    async def set(self, template: Path, data: bytes, dated: datetime) -> bytes:
        """Return one document. Raises PressBusy, FontsMissing."""
        if self._waiting >= WAITING_MAX:
            raise PressBusy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _set, template, data, dated)
        finally:
            self._waiting -= 1


@cache
def _press() -> _Press:
    return _Press()


def _set(template: Path, data: bytes, dated: datetime) -> bytes:
    shown = orjson.dumps(_clean(orjson.loads(data))).decode()
    compiler = typst.Compiler(input=template, root=ROOT, font_paths=fonts.found(), ignore_system_fonts=True)
    document = compiler.compile(
        format="pdf", pdf_standards=STANDARD, sys_inputs={"data": shown}, timestamp=int(dated.timestamp())
    )
    if not isinstance(document, bytes):
        raise TypeError("typst gave no document")
    return document


def _clean(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return data with every text composed (NFC) and free of what the typeface cannot show."""
    if isinstance(value, str):
        return fonts.printable(unicodedata.normalize("NFC", value).replace("\r\n", "\n"))
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value
