"""Bodies of the registry of data services."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from gateway.data_services.policy import Credentials, Policy
from gateway.operations.data_services.obstacles import Obstacle
from gateway.schemas.root import Answer
from shared.bodies import Body, Trimmed

Words = Annotated[str, Trimmed(300, 2)]
AgencyCode = Annotated[str, StringConstraints(pattern=r"^[HG][0-9]{2}(\.[0-9]{1,3}){0,3}$")]
VersionName = Annotated[str, StringConstraints(pattern=r"^v[1-9][0-9]{0,2}$")]
Stage = Literal["draft", "active", "retired"]


class Asked(Body):
    """Root of what the registry is asked."""

    model_config = ConfigDict(frozen=True)


class DataServiceIn(Asked):
    """A service as it is registered."""

    agency: AgencyCode
    """Who answers for the connection: your agency or one below it."""
    provider: Words
    """Who offers the service."""
    name_vi: Words
    name_en: Words


class DataServiceVersionIn(Asked):
    """One version of a service."""

    stage: Stage
    """Only an active version is called; the newest active one is the default; a retired one answers 410."""
    base_url: Annotated[str, StringConstraints(min_length=8, max_length=500)]
    contract: dict[str, Any]
    """An OpenAPI 3 document; what it does not have is not called. `x-safe-to-repeat: true` marks an operation whose
    service takes the same Idempotency-Key as one and the same call."""
    policy: Policy = Policy()
    credentials: Credentials | None = None
    """How we identify ourselves; left out: as before; null: not at all. Never answered."""


class WindowIn(Asked):
    """A time in which a service is not called."""

    version: VersionName | None = None
    """None: all versions."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason_vi: Words
    reason_en: Words


class WindowOut(Answer):
    """A maintenance window."""

    id: UUID
    version: str | None
    starts_at: datetime
    ends_at: datetime
    reason_vi: str
    reason_en: str


class VersionLine(Answer):
    """A version in a list."""

    version: str
    stage: Stage
    revision: int
    default: bool = False
    """It is called where the address names no version."""
    breaker: Literal["closed", "open", "half_open"] | None = None
    """In the process that answers; null where nothing was called yet."""
    calls_in_progress: int = 0


class DataServiceOut(Answer):
    """A registered service."""

    code: str
    agency: str
    provider: str
    name_vi: str
    name_en: str
    revision: int
    """Goes into If-Match of a change, in quotes."""
    created_at: datetime
    changed_at: datetime
    versions: list[VersionLine] = Field(default_factory=list)
    windows: list[WindowOut] = Field(default_factory=list)
    """Maintenance windows that are not over."""


class DataServiceVersionOut(Answer):
    """A version as it is registered."""

    service: str
    version: str
    stage: Stage
    base_url: str
    contract: dict[str, Any]
    policy: dict[str, Any]
    has_credentials: bool
    revision: int
    created_at: datetime
    changed_at: datetime


class DataServiceChangeOut(Answer):
    """What somebody did to an entry."""

    id: int
    version: str | None
    action: str
    actor: str
    at: datetime
    detail: dict[str, Any]


class Endpoint(Answer):
    """One operation, as X-Road's metaservices tell it."""

    method: str
    path: str


class ServiceMethods(Answer):
    """A service with its operations (X-Road PR-MREST, annex B)."""

    object_type: Literal["SERVICE"] = "SERVICE"
    service_code: str
    service_version: str
    service_type: Literal["OPENAPI"] = "OPENAPI"
    xroad_instance: str
    member_class: str
    member_code: str
    """The agency that answers for the connection."""
    endpoint_list: list[Endpoint]


class MethodList(Answer):
    """What can be called."""

    service: list[ServiceMethods]


class FailureOut(Answer):
    """Failed calls with the same cause."""

    fingerprint: str
    service: str
    version: str
    operation: str
    kind: str
    upstream_status: int | None
    complaint: str
    calls: int
    first_at: datetime
    last_at: datetime
    samples: list[str]
    """Correlation ids of the latest."""
    kept: int
    """So many of the calls can be sent again."""
    sent_again: int
    """So many were sent again and succeeded; what was in them is erased."""


class FailureList(Answer):
    """Failures by cause, the latest first."""

    keeping: bool
    """Whether failed calls are kept at all: only with a key to seal them."""
    failures: list[FailureOut]


class KeptCallOut(Answer):
    """A failed call that can be sent again; what is in it is not shown."""

    id: UUID
    fingerprint: str
    service: str
    version: str
    operation: str
    client_id: str
    correlation_id: str
    sealed_bytes: int
    failed_at: datetime
    obstacle: Obstacle | None = None
    """What stands in its way, were it sent now: it would fail again, and stay kept."""


class RerunIn(Asked):
    """Which calls to send again: those of one cause, those with these ids, or those a filter names."""

    service: Annotated[str, StringConstraints(min_length=3, max_length=64)]
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)] | None = None
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    calls_per_second: Annotated[float, Field(gt=0, le=100, strict=True)] = 5
    reason: Words
    dry_run: bool = False
    """Only show what would be sent."""


class RerunOut(Answer):
    """A re-run and how far it is."""

    id: UUID | None
    """Null of a dry run."""
    service: str
    asked_by: str
    asked_at: datetime
    reason: str
    stage: Literal["dry_run", "running", "paused", "stopped", "done"]
    calls_per_second: float
    ended_at: datetime | None = None
    total: int
    outcomes: dict[str, int]
    """succeeded, refused (4xx), failed (again), gone (no longer kept), open (not sent yet)."""
    calls: list[KeptCallOut] = Field(default_factory=list)
    """Of a dry run: what would be sent."""
    obstacles: dict[Obstacle, int] = Field(default_factory=dict)
    """Of a dry run: so many of all these calls would not get through now, and why."""


class RerunCallOut(Answer):
    """What came of one call of a re-run."""

    nth: int
    call_id: UUID
    correlation_id: str | None
    outcome: Literal["succeeded", "refused", "failed", "gone"] | None
    upstream_status: int | None
    at: datetime | None


class AllowedClient(Answer):
    """A client that may call a service, and what of it."""

    client_id: str
    name: str
    agency: str | None
    methods: list[str]
    """None: all that the contract has."""
    paths: list[str]
    """None: all."""
