"""How a version of a data service is called: time-outs, repeats, breaker, limits, cache, small transformations."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, StringConstraints, model_validator

from shared.bodies import Body

MIB = 1024 * 1024
Seconds = Annotated[float, Field(gt=0, le=3600)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$", to_lower=True)]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{0,1000}$")]
Member = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,100}$")]
GUARDED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "traceparent",
        "tracestate",
        "transfer-encoding",
        "x-correlation-id",
    }
)
"""What no transformation may touch: framing, and what ties a call to its trace and its repeats."""


class Part(Body):
    """Root of a policy's parts."""

    model_config = ConfigDict(frozen=True)


class Retries(Part):
    """Repeats of a call that got no answer or a passing one; only of calls that are safe to repeat."""

    attempts_max: Annotated[int, Field(ge=1, le=5)] = 2
    """With the first one; 1 means none."""
    first_pause_s: Annotated[float, Field(ge=0, le=60)] = 0.1
    last_pause_s: Annotated[float, Field(ge=0, le=60)] = 2
    budget_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Of the calls of late, so many may be repeats: an ailing service is not called twice as often."""


class Breaking(Part):
    """When a service that fails is given a rest."""

    window_s: Seconds = 30
    calls_min: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Fewer calls in the window say nothing."""
    failure_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    open_s: Seconds = 10
    probes: Annotated[int, Field(ge=1, le=100)] = 3
    """Calls let through after the rest; all must succeed."""


class Limits(Part):
    """How much may go on at once, and how often."""

    calls_at_once_max: Annotated[int, Field(ge=1, le=10_000)] = 100
    client_calls_at_once_max: Annotated[int, Field(ge=1, le=10_000)] = 20
    client_calls_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    request_bytes_max: Annotated[int, Field(ge=0, le=4096 * MIB)] = 10 * MIB
    response_bytes_max: Annotated[int, Field(ge=0, le=4096 * MIB)] = 50 * MIB


class Caching(Part):
    """What of the answers is kept for others who ask the same (RFC 9111)."""

    enabled: StrictBool = True
    shared: StrictBool = False
    """One client's answers may serve all clients even where the service does not say `public`."""
    default_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    """How long an answer that says nothing of its age is good."""
    entry_bytes_max: Annotated[int, Field(ge=0, le=16 * MIB)] = MIB
    stale_if_error_s: Annotated[int, Field(ge=0, le=604_800)] = 0
    """While the service fails, an older answer serves so much longer."""


class HeaderRules(Part):
    """Small changes to headers, in this order: removed, renamed, set."""

    remove: Annotated[tuple[HeaderName, ...], Field(max_length=20)] = ()
    rename: Annotated[dict[HeaderName, HeaderName], Field(max_length=20)] = Field(default_factory=dict)
    set: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _leave_the_guarded(self) -> Self:
        touched = {*self.remove, *self.rename, *self.rename.values(), *self.set}
        if guarded := sorted(touched & GUARDED_HEADERS):
            raise ValueError(f"These headers cannot be changed: {', '.join(guarded)}.")
        return self


class BodyRules(Part):
    """Small changes to a body of at most 1 MiB: another format first, then members picked, then renamed."""

    format: Literal["xml_to_json", "json_to_xml"] | None = None
    pick: Annotated[tuple[Member, ...], Field(max_length=100)] | None = None
    """Only these members of the object (or of each object of the array) stay; none: all."""
    rename: Annotated[dict[Member, Member], Field(max_length=100)] = Field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is changed."""
        return self.format is None and self.pick is None and not self.rename


class Policy(Part):
    """All of a version's policy; what is left out has its default."""

    connect_timeout_s: Seconds = 3
    total_timeout_s: Seconds = 30
    retries: Retries = Retries()
    breaker: Breaking = Breaking()
    limits: Limits = Limits()
    cache: Caching = Caching()
    request_headers: HeaderRules = HeaderRules()
    response_headers: HeaderRules = HeaderRules()
    request_body: BodyRules = BodyRules()
    response_body: BodyRules = BodyRules()


class StaticHeader(Part):
    """A header that the service wants to see: an API key, a partner code."""

    kind: Literal["header"]
    name: HeaderName
    value: HeaderValue


class ClientCredentials(Part):
    """A token that the service wants to see, fetched with client credentials (RFC 6749 §4.4)."""

    kind: Literal["client_credentials"]
    token_url: Annotated[str, StringConstraints(max_length=500)]
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    client_secret: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    scope: Annotated[str, StringConstraints(max_length=500)] = ""


Credentials = Annotated[StaticHeader | ClientCredentials, Field(discriminator="kind")]
