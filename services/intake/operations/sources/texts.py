"""Values as others write them: texts in any Unicode form, numbers as texts, flags in two languages."""

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

from services.intake.operations.sources.oddities import Notes
from services.intake.queries import plain

NUMBER_MAX = 10**15
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff\ufffd\ud800-\udfff]")
_NUMBER = re.compile(r"-?\d+(?:[.,\s]\d+)*")
_YES = frozenset({"1", "x", "true", "yes", "y", "co", "dung", "mien phi", "free"})


def text_of(value: object, notes: Notes, where: str, *, most: int = 4000) -> str:
    """Return a value as composed (NFC), clean text of at most so many characters; notes what had to be changed."""
    raw = _raw(value, notes, where)
    composed = unicodedata.normalize("NFC", raw)
    if composed != raw:
        notes.add(where, "text_decomposed", composed, "composed to NFC")
    clean = _INVISIBLE.sub("", composed).strip()
    if len(clean) < len(composed.strip()):
        notes.add(where, "text_unclean", clean, "the strange characters are left out")
    if len(clean) > most:
        notes.add(where, "text_cut", clean, f"cut to {most} characters")
        clean = f"{clean[: most - 1].rstrip()}…"
    return clean


def line_of(value: object, notes: Notes, where: str, *, most: int = 1000) -> str:
    """Return a value as a text on one line."""
    return re.sub(r"\s+", " ", text_of(value, notes, where, most=most))


def _raw(value: object, notes: Notes, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif not isinstance(value, int | float):
        notes.add(where, "type_unexpected", _shown(value), "taken as text")
    if isinstance(value, Mapping):
        named = next((value[key] for key in ("name", "ten", "TEN", "title", "value") if value.get(key)), None)
        return named if isinstance(named, str) else _shown(value)
    if isinstance(value, Sequence):
        return "; ".join(str(part) for part in value if part is not None)
    return str(value)


def _shown(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def number_of(value: object) -> float | None:
    """Return the number that a value is, or that a text begins with (15, "15,5", "15 ngày"); None without one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < NUMBER_MAX and math.isfinite(value) else None
    found = _NUMBER.search(value) if isinstance(value, str) else None
    if found is None:
        return None
    digits = re.sub(r"\s", "", found.group()).replace(",", ".")
    number = float(digits) if digits.count(".") <= 1 else float(digits.replace(".", ""))
    return number if abs(number) < NUMBER_MAX else None


def amount_of(value: object) -> int | None:
    """Return an amount in whole đồng, written as a number or as "150.000 đồng", "1,5 triệu", "30 nghìn"; None for none.

    A point or comma before three digits parts thousands.
    """
    if not isinstance(value, str):
        number = number_of(value)
        return round(number) if number is not None and number >= 0 else None
    words = plain(value)
    found = _NUMBER.search(words)
    if found is None:
        return 0 if re.search(r"mien|khong thu|free", words) else None
    digits = re.sub(r"\s", "", found.group())
    parted = re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?", digits)
    number = float(re.sub(r"[.,](?=\d{3})", "", digits).replace(",", ".")) if parted else number_of(digits)
    rest = words[found.end() :].lstrip()
    unit = 1_000_000 if rest.startswith("trieu") else 1_000 if re.match(r"(nghin|ngan)\b", rest) else 1
    return round(number * unit) if number is not None and 0 <= number * unit < NUMBER_MAX else None


def flag_of(value: object) -> bool:
    """Return whether a value says yes."""
    if isinstance(value, bool | int | float):
        return bool(value)
    return isinstance(value, str) and plain(value).strip() in _YES


def list_of(value: object, notes: Notes, where: str) -> list[object]:
    """Return a value as a list: itself, the lines or parts of a text, or the one thing that it is."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return _parts(value)
    if isinstance(value, Sequence):
        return list(value)
    notes.add(where, "type_unexpected", _shown(value), "taken as a list of one")
    return [value]


def _parts(text: str) -> list[object]:
    stripped = text.strip()
    if stripped[:1] in "[{":
        try:
            content = json.loads(stripped)
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, list):
            return content
        if isinstance(content, dict):
            return [content]
    return [part.strip(" -•*+") for part in re.split(r"[\n\r;|]+", stripped) if part.strip(" -•*+")]
