"""How deep and how large JSON is, seen from its bytes before anybody reads it."""

import re

from shared.guard.refusals import BodyTooComplex

# Possessive: every byte is looked at once, whatever is sent; a string that never ends reaches to the end.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")


def check_shape(body: bytes, *, depth_max: int, items_max: int) -> None:
    """Refuse JSON that is nested deeper, or has more members and items, than allowed. Raises BodyTooComplex.

    Bytes that are no JSON are left to whoever reads them. What has few brackets and commas, as nearly everything has,
    costs three counts; only the rest is looked at more closely.
    """
    brackets, commas = body.count(b"[") + body.count(b"{"), body.count(b",")
    if brackets <= depth_max and brackets + commas <= items_max:
        return
    bare = _STRING.sub(b"", body)
    brackets, commas = bare.count(b"[") + bare.count(b"{"), bare.count(b",")
    if brackets + commas > items_max:
        raise BodyTooComplex(f"At most {items_max} members and items.", limit="json_items_max", most=items_max)
    if brackets > depth_max and _depth(bare) > depth_max:
        raise BodyTooComplex(f"At most {depth_max} levels.", limit="json_depth_max", most=depth_max)


def _depth(bare: bytes) -> int:
    deepest = depth = 0
    for bracket in bare.translate(None, _BUT_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        deepest = max(deepest, depth)
    return deepest
