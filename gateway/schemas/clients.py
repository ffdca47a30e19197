"""Clients: what is registered of a system, how it proves who it is, what it may call."""

import ipaddress
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema

from gateway.models import Client, ClientGrant, ClientKey, ClientSecret
from gateway.operations.credentials import OVERLAP_DAYS, OVERLAP_DAYS_MAX
from gateway.operations.rights import Grant
from gateway.schemas.root import Answer
from shared.bodies import BLANK, Body, Trimmed
from shared.identifiers import AgencyCode

TAKEN = "expiring"
"""An address below /clients, and so no client's id."""


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as problem:
        raise ValueError("a network in CIDR notation, such as 10.1.2.0/24 or 2001:db8::/32") from problem


def _free_id(text: str) -> str:
    if text == TAKEN:
        raise ValueError("this id is taken by an address of the API")
    return text


ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,99}$"), AfterValidator(_free_id)]
Name = Annotated[str, Trimmed(200, 2)]
ScopeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}(:[a-z][a-z0-9-]{0,29})?$")]
Scopes = Annotated[list[ScopeName], Field(max_length=60)]
Networks = Annotated[
    list[Annotated[str, StringConstraints(max_length=60), AfterValidator(_network)]], Field(max_length=50)
]
Thumbprints = Annotated[list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]], Field(max_length=20)]
Moment = AwareDatetime
PerMinute = Annotated[int, Field(ge=1, le=1_000_000)]
PerDay = Annotated[int, Field(ge=1, le=10_000_000_000)]
AtOnce = Annotated[int, Field(ge=1, le=10_000)]
OverlapDays = Annotated[int, Field(ge=0, le=OVERLAP_DAYS_MAX)]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
ServiceCode = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,59})$")]
PathPattern = Annotated[str, StringConstraints(pattern=rf"^/[^{BLANK}?#]{{0,299}}$")]


class GrantIn(Body):
    """A right at one data service."""

    service: ServiceCode
    """The service's code; `*` stands for every service."""
    methods: Annotated[list[Method], Field(default_factory=list, max_length=7)]
    """None stands for all that the service has."""
    paths: Annotated[list[PathPattern], Field(default_factory=list, max_length=50)]
    """`*` is one part of a path, `**` any number of parts; none stands for every path."""

    def grant(self) -> Grant:
        """Return it as the door uses it."""
        return Grant(self.service, frozenset(self.methods), tuple(self.paths))


Grants = Annotated[list[GrantIn], Field(max_length=200)]


class RegisterClient(Body):
    """A system that is to call."""

    client_id: ClientId
    name: Name
    agency: AgencyCode
    """Whose system it is: the caller's own agency, or one below it."""
    scopes: Scopes
    active: bool = True
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    """The first moment at which it may call no more."""
    networks: Networks = Field(default_factory=list)
    """From where it may call; none stands for everywhere."""
    calls_per_minute: PerMinute | None = None
    calls_per_day: PerDay | None = None
    concurrency_max: AtOnce | None = None
    """Calls under way at a time."""
    certificates: Thumbprints = Field(default_factory=list)
    """SHA-256 thumbprints, base64url (`x5t#S256`, RFC 8705)."""
    certificate_bound: bool = False
    """Its tokens hold only together with the certificate with which they were asked for."""
    grants: Grants = Field(default_factory=list)


class ChangeClient(Body):
    """What is to change; what is not named stays. Quotas and validity are taken away with null."""

    name: Name | SkipJsonSchema[None] = None
    agency: AgencyCode | SkipJsonSchema[None] = None
    scopes: Scopes | SkipJsonSchema[None] = None
    active: bool | SkipJsonSchema[None] = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    networks: Networks | SkipJsonSchema[None] = None
    calls_per_minute: PerMinute | None = None
    calls_per_day: PerDay | None = None
    concurrency_max: AtOnce | None = None
    certificates: Thumbprints | SkipJsonSchema[None] = None
    certificate_bound: bool | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _no_null(self) -> Self:
        needed = {"name", "agency", "scopes", "active", "networks", "certificates", "certificate_bound"}
        missing = sorted(name for name in needed & self.model_fields_set if getattr(self, name) is None)
        if missing:
            raise ValueError(f"these cannot be null: {', '.join(missing)}")
        return self


class SetGrants(Body):
    """A client's rights at data services, all of them."""

    grants: Grants


class Deactivate(Body):
    """Why a client is shut out; kept."""

    reason: Annotated[str, Trimmed(500, 3)]


class AddSecret(Body):
    """A secret beside those that there are."""

    expires_at: Moment | None = None


class RotateSecret(AddSecret):
    """A secret instead of those that there are."""

    overlap_days: OverlapDays = OVERLAP_DAYS
    """So long the earlier ones still hold; 0 ends them at once."""


class AddKey(Body):
    """A public key beside those that there are."""

    jwk: Annotated[dict[str, Any], Field(max_length=20)]
    """Public JSON Web Key: EC P-256 or P-384, Ed25519, or RSA of 2048 bits or more."""
    expires_at: Moment | None = None


class RotateKey(AddKey):
    """A public key instead of those that there are."""

    overlap_days: OverlapDays = OVERLAP_DAYS
    """So long the earlier ones still hold; 0 ends them at once."""


class GrantOut(Answer):
    """A right at one data service."""

    service: str
    methods: list[str]
    paths: list[str]


class ClientOut(Answer):
    """A registered client."""

    client_id: str
    name: str
    agency: str | None
    scopes: list[str]
    active: bool
    valid_from: datetime | None
    valid_until: datetime | None
    networks: list[str]
    calls_per_minute: int | None
    calls_per_day: int | None
    concurrency_max: int | None
    certificates: list[str]
    certificate_bound: bool
    grants: list[GrantOut]
    version: int
    """Goes into If-Match of a change, in quotes; grows with every change, of secrets, keys and grants too."""
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, client: Client, grants: list[ClientGrant]) -> Self:
        """Return a client with its grants."""
        shown = {name: getattr(client, name) for name in cls.model_fields if name != "grants"}
        return cls(**shown, grants=[GrantOut.model_validate(grant) for grant in grants])


class ClientPage(Answer):
    """Some clients, in order of id."""

    items: list[ClientOut]
    next_cursor: str | None


class CredentialOut(Answer):
    """A secret or key."""

    id: UUID
    holds: bool
    """Neither revoked nor at its end."""
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""


class SecretOut(CredentialOut):
    """A secret, but for the secret itself."""

    @classmethod
    def of(cls, row: ClientSecret, now: datetime) -> Self:
        """Return a secret as it stands at a moment."""
        return cls(**_credential(row, now))


class SecretMade(SecretOut):
    """A new secret."""

    secret: str | None
    """Told this once and never again; null when the call is repeated with its Idempotency-Key: then make another."""


class KeyOut(CredentialOut):
    """A public key."""

    thumbprint: str
    """RFC 7638."""
    jwk: dict[str, Any]

    @classmethod
    def of(cls, row: ClientKey, now: datetime) -> Self:
        """Return a key as it stands at a moment."""
        return cls(**_credential(row, now), thumbprint=row.thumbprint, jwk=row.jwk)


def _credential(row: ClientSecret | ClientKey, now: datetime) -> dict[str, Any]:
    holds = row.revoked_at is None and (row.expires_at is None or row.expires_at > now)
    shown = {name: getattr(row, name) for name in CredentialOut.model_fields if name != "holds"}
    return {**shown, "holds": holds}


class SecretList(Answer):
    """A client's newest secrets."""

    items: list[SecretOut]


class KeyList(Answer):
    """A client's newest keys."""

    items: list[KeyOut]


class EndingOut(Answer):
    """Something that ends by itself."""

    client_id: str
    name: str
    agency: str | None
    kind: Literal["secret", "key", "client"]
    id: str
    ends_at: datetime
    last: bool
    """Nothing replaces it: from then on the client cannot call."""


class EndingList(Answer):
    """What ends soon, the soonest first."""

    until: datetime
    items: list[EndingOut]


class ClientChangeOut(Answer):
    """Who changed what about a client."""

    id: int
    at: datetime
    actor: str
    action: str
    detail: dict[str, Any]


class ClientChangePage(Answer):
    """Some changes, the newest first."""

    items: list[ClientChangeOut]
    next_cursor: str | None
