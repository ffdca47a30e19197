"""The portal's own catalogue: its lists, what a row is called, when a list is whole, and its codes in messages."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.portal.port import Words

PROCEDURES, FIELDS, AGENCIES = "LayDanhSachTTHC", "LayDanhMucLinhVuc", "LayDanhMucCoQuan"
KEYS = {PROCEDURES: "MATTHC", FIELDS: "MALINHVUC", AGENCIES: "MADONVI"}
_OWN_PARTS = 2
"""1.004222 of 1.004222.000.00.00.H56: the rest is a province's suffix."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as it came: its rows by code, and what speaks against its being whole."""

    name: str
    rows: Mapping[str, Words]
    doubt: str | None


def listed(name: str, rows: Sequence[Words], *, before: int, shrink_max: float) -> Listed:
    """Return a list by code; `before` is how many rows the last whole one had.

    One with rows that have no code, or far fewer rows than before, is not whole: what it lacks says nothing.
    """
    found = {code: row for row in rows if (code := code_of(name, row))}
    doubt = None
    if len(found) < len(rows):
        doubt = f"{name}: {len(rows) - len(found)} rows have no code of their own"
    elif not found:
        doubt = f"{name}: the list is empty"
    elif len(found) < before * (1 - shrink_max):
        doubt = f"{name}: {len(found)} rows, {before} before"
    return Listed(name, found, doubt)


def code_of(name: str, row: Words) -> str:
    """Return a row's code; in a list that is not known by name, the first word that begins with MA."""
    key = KEYS.get(name) or next((word for word in row if word.upper().startswith("MA")), "")
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def digest(row: Words) -> bytes:
    """Return the SHA-256 of a row, whatever the order of its words."""
    return hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).digest()


def own_code(code: str) -> str:
    """Return a procedure's code without a province's suffix."""
    return ".".join(code.split(".")[:_OWN_PARTS])


@dataclass(frozen=True, slots=True)
class PortalCodes:
    """What the portal calls a procedure and its field."""

    procedure: str
    field: str
    field_name: str


def codes_of(entry: Words) -> PortalCodes:
    """Return the codes of a row of LayDanhSachTTHC."""
    fields = entry.get("LINHVUCTHUCHIEN")
    first: Any = fields[0] if isinstance(fields, list) and fields and isinstance(fields[0], dict) else {}
    return PortalCodes(str(entry["MATTHC"]), str(first.get("MALINHVUC") or ""), str(first.get("TENLINHVUC") or ""))


def in_portal_codes(hoso: Mapping[str, Any], known: Mapping[str, PortalCodes]) -> Words:
    """Return a HoSo with the portal's own codes of procedure and field, where its catalogue has them."""
    code = str(hoso.get("MaTTHC") or "")
    found = known.get(code) or known.get(own_code(code))
    if found is None:
        return dict(hoso)
    field = {"MaLinhVuc": found.field, "TenLinhVuc": found.field_name} if found.field and found.field_name else {}
    return {**hoso, "MaTTHC": found.procedure, **field}
