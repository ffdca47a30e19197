"""Webhooks: what is wanted, what there is, and what was delivered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from gateway.schemas.root import Answer
from shared.bodies import Body

OVERLAP_MAX_S = 7 * 86_400

Url = Annotated[str, StringConstraints(min_length=8, max_length=2000, pattern=r"^[^\x00]*$")]
Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.*]{1,80}$")]
AgencyCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.]{1,40}$")]
ProcedureCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.\-]{1,40}$")]
Description = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=50)]


class SubscribeBody(Body):
    """A new subscription."""

    url: Url
    """Where messages go: https, a public address."""
    event_types: Patterns = Field(["*"])
    """Names of events, or patterns: `intake.dossier.*`, `*`."""
    agency: AgencyCode | None = None
    """Only of this agency and those below it."""
    procedure: ProcedureCode | None = None
    """Only of this procedure."""
    description: Description = ""
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = None
    """Begin after this place in the feed, as the snapshot or `/sync/changes` gave it; without it, from now on."""


class ChangeSubscriptionBody(Body):
    """What is to be other than it is; what is left out stays."""

    url: Url | None = None
    event_types: Patterns | None = None
    agency: AgencyCode | None = None
    procedure: ProcedureCode | None = None
    description: Description | None = None


class EnableBody(Body):
    """Where to go on."""

    resume: Literal["where_it_stopped", "from_now"] = "where_it_stopped"


class RotateBody(Body):
    """How long the secret before signs too."""

    overlap_s: Annotated[int, Field(ge=0, le=OVERLAP_MAX_S)] = 86_400


class ResendBody(Body):
    """Which of the kept messages go out again; all conditions together."""

    outcome: Literal["delivered", "failed", "skipped"] | None = None
    dossier_code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.\-]{1,60}$")] | None = None
    since: AwareDatetime | None = None
    """Made at this moment or later."""
    until: AwareDatetime | None = None
    """Made before this moment."""


class ResendAnswer(Answer):
    """How many messages go out again."""

    messages: int
    """At most 10,000 a call: call again while it is that many."""


class SubscriptionOut(Answer):
    """A subscription."""

    id: UUID
    client_id: str
    agency: str
    """Whose dossiers it is told of, with those below it."""
    url: str
    event_types: list[str]
    only_agency: str | None
    only_procedure: str | None
    description: str
    enabled: bool
    disabled_because: str | None
    """`asked`; `gone`: the receiver answered 410; `failing`: nothing but failures for days."""
    disabled_at: datetime | None
    failing_since: datetime | None
    """First failure since the last success: time to look at the receiver."""
    last_success_at: datetime | None
    owed_messages: int
    old_secret_until: datetime | None
    """Until then messages carry the signature of the secret before, too."""
    cursor: str
    """How far the feed was handed on to it."""
    created_at: datetime
    changed_at: datetime


class SubscriptionMade(SubscriptionOut):
    """A subscription with its secret."""

    secret: str | None
    """`whsec_…`, told this once; null when the call is repeated under its key."""


class SubscriptionPage(Answer):
    """Subscriptions, the oldest first."""

    items: list[SubscriptionOut]
    next_cursor: str | None


class AttemptOut(Answer):
    """One call to the receiver."""

    number: int
    at: datetime
    http_status: int | None
    reason: str | None
    """Why there was no answer: `timeout`, `tls`, `name_unknown`, `no_connection`, `broken_answer`, `address_refused`;
    `secret_unreadable` when the key that sealed the secret is missing here."""
    duration_ms: int


class DeliveryOut(Answer):
    """A message and what became of it."""

    id: UUID
    """The message's `webhook-id`."""
    event_type: str
    dossier_code: str
    outcome: str | None
    """`delivered`, `failed`, `skipped`; null while it is owed."""
    created_at: datetime
    finished_at: datetime | None
    next_attempt_at: datetime | None
    attempts: list[AttemptOut]


class DeliveryPage(Answer):
    """Messages, the latest first."""

    items: list[DeliveryOut]
    next_cursor: str | None
