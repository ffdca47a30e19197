"""Rules of submission over HTTP: public to read, set by those who keep the catalogue."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response

from services.intake import operations, queries
from services.intake.errors import RuleNotFound
from services.intake.models import RuleEntry
from services.intake.routes.tags import revisions_of, tag_of
from services.intake.schemas.rules import RulePage, RuleView, rule_view
from shared.bodies import Day, EntityTag
from shared.caller import Caller
from shared.http import SessionDep, WorkDep, needs, problem_responses, router
from shared.identifiers import AgencyCode, is_within

KEEP = "catalogue:write"


async def _in_force(request: Request) -> Sequence[RuleEntry]:
    return request.app.state.rules


RulesDep = Annotated[Sequence[RuleEntry], Depends(_in_force)]
"""The rules of submission as this process knows them."""

rules = router("submission rules", prefix="/submission-rules")


@rules.get("", summary="Read the rules of submission")
async def list_rules(
    session: SessionDep,
    agency: Annotated[AgencyCode | None, Query(description="Rules that hold at this agency")] = None,
    on: Annotated[Day | None, Query(description="Rules that are in force on this day")] = None,
) -> RulePage:
    """List paperless days and who is asked to submit online; a submission against one is taken with a warning."""
    found = [rule_view(rule) for rule in await queries.list_rules(session)]
    return RulePage(items=[one for one in found if _holds(one.rule, agency, on)])


def _holds(rule: RuleEntry, agency: str | None, on: date | None) -> bool:
    there = agency is None or is_within(agency, rule.agency)
    then = on is None or (rule.valid_from <= on and (rule.valid_to is None or on <= rule.valid_to))
    return there and then


@rules.post("", status_code=201, dependencies=[needs(KEEP)])
async def set_rule(work: WorkDep, body: RuleEntry, response: Response) -> RuleView:
    """Set a rule for an agency of yours and those below it."""
    _check_own(work.caller, body)
    rule = await operations.set_rule(work, entry=body)
    response.headers["ETag"] = tag_of(rule.revision)
    return rule_view(rule)


@rules.put("/{rule_id}", dependencies=[needs(KEEP)], responses=problem_responses(412))
async def change_rule(
    work: WorkDep,
    rule_id: UUID,
    body: RuleEntry,
    response: Response,
    if_match: Annotated[EntityTag | None, Header()] = None,
) -> RuleView:
    """Change a rule; `valid_to` ends it."""
    _check_own(work.caller, body)
    rule = await operations.change_rule(work, rule_id=rule_id, entry=body, revisions=revisions_of(if_match))
    response.headers["ETag"] = tag_of(rule.revision)
    return rule_view(rule)


def _check_own(caller: Caller, rule: RuleEntry) -> None:
    if not caller.may_see(rule.agency):
        raise RuleNotFound("Rules are set for agencies of yours.")
