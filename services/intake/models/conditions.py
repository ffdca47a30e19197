"""When a component is required: in which case of the procedure, for whom, through which channel."""

from collections.abc import Mapping

from pydantic import ConfigDict, Field

from shared.bodies import Body
from shared.events.values import Channel, PartyKind


class Condition(Body):
    """Everything that is given must hold; what is left empty holds always."""

    model_config = ConfigDict(frozen=True)

    cases: tuple[str, ...] = ()
    """Codes of the procedure's cases (trường hợp)."""
    applicants: tuple[PartyKind, ...] = ()
    """Kinds of who asks: the owner's, or the applicant's when he asks for himself."""
    channels: tuple[Channel, ...] = ()
    represented: bool | None = None
    """True: only when somebody hands it in for the owner; False: only when the owner does himself."""
    answers: dict[str, tuple[str | bool | int, ...]] = Field(default={})
    """Fields of the e-form, each with the answers that make the component necessary."""

    def holds(
        self,
        *,
        case: str | None,
        applicant: PartyKind,
        channel: Channel,
        represented: bool,
        answers: Mapping[str, object],
    ) -> bool:
        """Tell whether the component is needed for such a submission."""
        return (
            (not self.cases or case in self.cases)
            and (not self.applicants or applicant in self.applicants)
            and (not self.channels or channel in self.channels)
            and (self.represented is None or represented is self.represented)
            and all(answers.get(name) in wanted for name, wanted in self.answers.items())
        )
