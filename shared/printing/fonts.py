"""The one typeface of all printed matter, and which characters it can show."""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import typst
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import Unavailable

FAMILY = "Tinos"
"""Metric-compatible with Times New Roman, which NĐ 30/2020/NĐ-CP asks for; it has every Vietnamese letter."""
UNKNOWN = "\N{WHITE SQUARE}"
_FORMAT_4, _FORMAT_12 = 4, 12


class FontsMissing(Unavailable):
    """The typeface Tinos is not installed on this server: nothing can be printed."""

    code = "fonts_missing"
    title_vi = "Máy chủ chưa cài phông chữ để in"


class _FontSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", frozen=True, use_attribute_docstrings=True)

    fonts_folder: Path | None = None
    """Where Tinos lies; by default it is looked for among the fonts that the system (fontconfig) knows."""


@cache
def found() -> typst.Fonts:
    """Return the fonts to print with, looked for once a process; raises FontsMissing."""
    folder = _FontSettings().fonts_folder
    fonts = typst.Fonts(
        include_system_fonts=folder is None,
        include_embedded_fonts=False,
        font_paths=[folder] if folder else [],
    )
    if FAMILY not in fonts.families():
        raise FontsMissing("Install Debian's fonts-croscore, or set MOTCUA_FONTS_FOLDER to the folder with Tinos.")
    return fonts


@cache
def shown() -> frozenset[int]:
    """Return the code points that every style of the typeface has a glyph for."""
    files = [Path(font.path) for font in found().fonts() if font.family == FAMILY and font.path]
    return frozenset.intersection(*(frozenset(_code_points(file.read_bytes())) for file in files))


def printable(text: str) -> str:
    """Return a text with a white square for every character that the typeface lacks.

    PDF/A holds no text without glyphs, and no slip should fail because of one odd character in a name.
    """
    known = shown()
    return "".join(letter if letter == "\n" or ord(letter) in known else UNKNOWN for letter in text)


def _code_points(font: bytes) -> Iterator[int]:
    """Yield what a TrueType font's Unicode tables map to a glyph (ISO/IEC 14496-22 §5.2.1, `cmap`)."""
    tables = struct.unpack_from(">H", font, 4)[0]
    records = (struct.unpack_from(">4sIII", font, 12 + 16 * place) for place in range(tables))
    start = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    for place in range(struct.unpack_from(">H", font, start + 2)[0]):
        table = start + struct.unpack_from(">HHI", font, start + 4 + 8 * place)[2]
        kind = struct.unpack_from(">H", font, table)[0]
        if kind == _FORMAT_12:
            for group in range(struct.unpack_from(">I", font, table + 12)[0]):
                first, last, _ = struct.unpack_from(">III", font, table + 16 + 12 * group)
                yield from range(first, last + 1)
        elif kind == _FORMAT_4:
            yield from _segments(font, table)


def _segments(font: bytes, table: int) -> Iterator[int]:
    count = struct.unpack_from(">H", font, table + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", font, table + 14)
    starts = struct.unpack_from(f">{count}H", font, table + 16 + 2 * count)
    for first, last in zip(starts, ends, strict=True):
        yield from range(first, min(last, 0xFFFE) + 1)
