"""The province's identity platform: its directory of officials, pulled as SCIM 2.0 (RFC 7643, RFC 7644).

An OIDC provider says who logs in to the officials' systems; its directory says who there is. We read GET /Users page by
page (startIndex, count) and take the whole of it or nothing: a directory of which a page is missing would make people
leave who have not. Where an account works stands in our extension `urn:motcua:scim:schemas:1.0:Assignments`
({agency, unit, role, from, to} each), or else in the enterprise extension (organization: the agency's code, department:
the unit) with its `roles`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import httpx

from services.workflow.operations.roster import AssignmentGiven, OfficialGiven, Roster
from shared.errors import TransientError

PAGE = 500
PAGES_MAX = 1_000
TIMEOUT_S = 60
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ASSIGNMENTS = "urn:motcua:scim:schemas:1.0:Assignments"


class DirectoryIncomplete(TransientError):
    """The directory did not give all of its users, or not as SCIM says; nothing is taken from it."""


async def pull_roster(http: httpx.AsyncClient, *, url: str, token: str) -> tuple[Roster, int]:
    """Return all officials of a directory, and how many of its users have no agency and were left out.

    Raises DirectoryIncomplete; httpx.HTTPError when it cannot be reached.
    """
    users = await _all_users(http, url, token)
    roster, without = Roster(), 0
    for user in users:
        assignments = _assignments(user)
        agency = _agency(user, assignments)
        if agency is None:
            without += 1
            continue
        roster.officials.append(_official(user, agency))
        roster.assignments += assignments
    return roster, without


async def _all_users(http: httpx.AsyncClient, url: str, token: str) -> Sequence[Mapping[str, Any]]:
    headers = {"Accept": "application/scim+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    found: dict[str, Mapping[str, Any]] = {}
    total = None
    for _ in range(PAGES_MAX):
        query = {"startIndex": str(len(found) + 1), "count": str(PAGE)}
        answer = await http.get(f"{url.rstrip('/')}/Users", params=query, headers=headers, timeout=TIMEOUT_S)
        if answer.status_code != httpx.codes.OK:
            raise DirectoryIncomplete(f"The directory answered {answer.status_code}.")
        body = answer.json()
        before, total = len(found), body.get("totalResults")
        found |= {user["id"]: user for user in body.get("Resources", ()) if user.get("id") and user.get("userName")}
        if total is None or len(found) >= total:
            break
        if len(found) == before:
            break
    if total != len(found):
        raise DirectoryIncomplete(f"The directory says it has {total} users but gave {len(found)}.")
    return list(found.values())


def _official(user: Mapping[str, Any], agency: str) -> OfficialGiven:
    emails = [email.get("value") for email in user.get("emails", ()) if email.get("value")]
    return OfficialGiven(
        username=user["userName"],
        agency=agency,
        name=user.get("displayName") or (user.get("name") or {}).get("formatted") or user["userName"],
        email=emails[0] if emails else None,
        active=bool(user.get("active", True)),
        directory_id=user["id"],
    )


def _agency(user: Mapping[str, Any], assignments: Sequence[AssignmentGiven]) -> str | None:
    organisation = (user.get(ENTERPRISE) or {}).get("organization")
    return organisation or (assignments[0].agency if assignments else None)


def _assignments(user: Mapping[str, Any]) -> list[AssignmentGiven]:
    try:
        held = (user.get(ASSIGNMENTS) or {}).get("assignments")
        if held is not None:
            return [_assignment(user["userName"], one) for one in held]
    except (KeyError, TypeError, ValueError) as problem:
        raise DirectoryIncomplete("An assignment of the directory is malformed.") from problem
    enterprise = user.get(ENTERPRISE) or {}
    agency, unit = enterprise.get("organization"), enterprise.get("department")
    roles = [role.get("value") for role in user.get("roles", ()) if role.get("value")]
    if not agency or not unit:
        return []
    return [AssignmentGiven(username=user["userName"], agency=agency, unit=unit, role=role) for role in roles]


def _assignment(username: str, given: Mapping[str, Any]) -> AssignmentGiven:
    return AssignmentGiven(
        username=username,
        agency=given["agency"],
        unit=given["unit"],
        role=given["role"],
        valid_from=date.fromisoformat(given["from"]) if given.get("from") else None,
        valid_to=date.fromisoformat(given["to"]) if given.get("to") else None,
    )
