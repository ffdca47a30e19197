"""Rules of submission: set and changed by those who keep the catalogue."""

from collections.abc import Collection
from uuid import UUID

from services.intake.errors import ChangedMeanwhile, RuleNotFound
from services.intake.models import RuleEntry, SubmissionRule
from shared.ids import new_id
from shared.work import Work


async def set_rule(work: Work, *, entry: RuleEntry) -> SubmissionRule:
    """Set a new rule."""
    rule = SubmissionRule(
        id=new_id(),
        entry=entry.model_dump(mode="json"),
        revision=1,
        set_at=work.now,
        set_by=work.caller.client_id,
    )
    work.session.add(rule)
    return rule


async def change_rule(
    work: Work, *, rule_id: UUID, entry: RuleEntry, revisions: Collection[int] | None = None
) -> SubmissionRule:
    """Change a rule; a last day ends it. Raises RuleNotFound, ChangedMeanwhile."""
    rule = await work.session.get(SubmissionRule, rule_id, with_for_update=True)
    if rule is None or not work.caller.may_see(rule.entry["agency"]):
        raise RuleNotFound
    if revisions is not None and rule.revision not in revisions:
        raise ChangedMeanwhile("Read it again and decide anew.", revision=rule.revision)
    rule.entry = entry.model_dump(mode="json")
    rule.set_at, rule.set_by = work.now, work.caller.client_id
    rule.revision += 1
    return rule
