"""ETags of things with a revision, and the If-Match that names them (RFC 9110 §13.1.1)."""

import re

_TAG = re.compile(r'"(\d{1,18})"')


def tag_of(revision: int) -> str:
    """Return the ETag of a revision."""
    return f'"{revision}"'


def revisions_of(tags: str | None) -> frozenset[int] | None:
    """Return the revisions that an If-Match names; None when any will do."""
    if tags is None or tags.strip() == "*":
        return None
    return frozenset(int(tag) for tag in _TAG.findall(tags))
