"""Rules of submission on the wire."""

from datetime import datetime
from uuid import UUID

from services.intake.models import RuleEntry, SubmissionRule
from services.intake.schemas.answers import Answer


class RuleView(Answer):
    """A rule of submission: it warns, and refuses nobody."""

    id: UUID
    rule: RuleEntry
    revision: int
    """Goes into If-Match of a change, in quotes."""
    set_at: datetime


class RulePage(Answer):
    """All rules."""

    items: list[RuleView]


def rule_view(rule: SubmissionRule) -> RuleView:
    """Return a rule as people read it."""
    entry = RuleEntry.model_validate(rule.entry)
    return RuleView(id=rule.id, rule=entry, revision=rule.revision, set_at=rule.set_at)
