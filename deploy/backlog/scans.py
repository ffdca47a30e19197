"""The scans themselves: found below their folder, recognised, opened."""

import os
import unicodedata
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pyhanko.pdf_utils.reader import PdfFileReader

from deploy.backlog.columns import unfit
from services.results.storage import SIGNATURES

PDF = "application/pdf"
_JPEG_END, _PNG_END = b"\xff\xd9", b"IEND\xaeB`\x82"
_END_SEARCHED_BYTES = 64 * 1024
"""Some scanners write padding behind a picture's end."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file turned out to be."""

    media_type: str
    pages: int | None
    signed: bool


def read_file(folder: str, name: str, *, size_max: int) -> bytes:
    """Return a file's bytes; folder is a real path. Raises Unfit."""
    path = _inside(folder, name.replace("\\", "/"))
    if path is None:
        unfit("file", "file_missing", "No file below the folder has this name.", "Không có tệp tên này trong thư mục.")
    size = path.stat().st_size
    if size == 0:
        unfit("file", "file_empty", "The file is empty: scan it again.", "Tệp rỗng: quét lại.")
    if size > size_max:
        unfit(
            "file",
            "file_too_large",
            f"The file has {size} bytes, at most {size_max} are taken.",
            f"Tệp {size} byte, vượt quá {size_max} byte.",
        )
    return path.read_bytes()


def _inside(folder: str, name: str) -> Path | None:
    """Return the file of this name; names from elsewhere may write Vietnamese letters composed or decomposed."""
    for form in (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
        real = os.path.realpath(os.path.join(folder, form))  # noqa: PTH118 - a hundred thousand times
        if real.startswith(folder + os.sep) and os.path.isfile(real):  # noqa: PTH113
            return Path(real)
    return None


def examine(document: bytes) -> Examined:
    """Return what a file is, having opened it. Raises Unfit."""
    media_type = next((one for one, beginning in SIGNATURES.items() if document.startswith(beginning)), None)
    if media_type is None:
        unfit("file", "file_type", "Scan to PDF, JPEG or PNG.", "Quét thành tệp PDF, JPEG hoặc PNG.")
    if media_type == PDF:
        return _open_pdf(document)
    end = _JPEG_END if media_type == "image/jpeg" else _PNG_END
    if end not in document[-_END_SEARCHED_BYTES:]:
        unfit("file", "file_cut_short", "The picture has no end: scan it again.", "Tệp ảnh bị cắt cụt: quét lại.")
    return Examined(media_type, None, signed=False)


def _open_pdf(document: bytes) -> Examined:
    try:
        reader = PdfFileReader(BytesIO(document), strict=False)
        locked = reader.encrypted
        pages = 0 if locked else int(reader.root["/Pages"]["/Count"])
        signed = not locked and "/AcroForm" in reader.root and bool(reader.embedded_signatures)
    except Exception:
        unfit("file", "pdf_broken", "The PDF cannot be opened: scan it again.", "Không mở được tệp PDF: quét lại.")
    if locked:
        unfit("file", "pdf_locked", "Remove the PDF's password.", "Gỡ mật khẩu của tệp PDF.")
    if pages < 1:
        unfit("file", "pdf_empty", "The PDF has no page: scan it again.", "Tệp PDF không có trang nào: quét lại.")
    return Examined(PDF, pages, signed)
