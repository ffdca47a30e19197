"""Cursors: where the next page of a list begins, opaque to callers."""

import base64
import binascii

import orjson

from shared.errors import FieldError, InvalidRequest


def cursor_of(*parts: str) -> str:
    """Return the cursor that stands for the sort key of a page's last row."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def cursor_parts(cursor: str | None, count: int) -> tuple[str, ...] | None:
    """Return the sort key in a cursor, None without one; raises InvalidRequest for a cursor that is not ours."""
    if cursor is None:
        return None
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as problem:
        raise unknown_cursor() from problem
    if not isinstance(parts, list) or len(parts) != count or not all(_sound(part) for part in parts):
        raise unknown_cursor()
    return tuple(parts)


def _sound(part: object) -> bool:
    return isinstance(part, str) and part.isprintable()


def unknown_cursor() -> InvalidRequest:
    """Return the refusal of a cursor that is not ours."""
    message = "Take next_cursor of the page before as it is."
    return InvalidRequest(errors=[FieldError("query.cursor", message, "Con trỏ trang chưa hợp lệ.")])
