"""Who issues receipts for whom: every agency issues, the branches through the registry's own office."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from deploy.province.plan import PROVINCE_NAME, Place

SINCE = date(2026, 1, 1)
LEGAL_BASIS = "Quyết định ủy nhiệm thu phí, lệ phí của UBND tỉnh"


def issuers(found: Sequence[Place]) -> list[dict[str, Any]]:
    """Return an issuer for each agency, with one form for phí and lệ phí."""
    return [
        {
            "code": place.code,
            "valid_from": SINCE,
            "name": place.name,
            "tax_code": None,
            "address": None,
            "parent_name": PROVINCE_NAME,
            "place": "Khánh Hòa",
            "forms": [{"covers": "both", "form_number": "01BLP0-001", "letters": f"B{nth % 26 + 65:c}"}],
        }
        for nth, place in enumerate(found)
    ]


def delegations(found: Sequence[Place]) -> list[dict[str, Any]]:
    """Return who issues for whom: what lies below a department is issued by the department."""
    return [
        {"agency_code": place.code, "valid_from": SINCE, "issuer_code": place.parent, "legal_basis": LEGAL_BASIS}
        for place in found
        if place.parent and place.parent.count(".") == 1
    ]
