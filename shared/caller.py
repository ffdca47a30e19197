"""Who acts, and what they may do and see."""

from dataclasses import dataclass

from shared.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """A client system with its agency and scopes, or a service acting on an event."""

    client_id: str
    agency: str | None = None
    scopes: frozenset[str] = frozenset()
    inherited: tuple[str, ...] = ()
    """Closed agencies whose successor is the caller's agency, or lies below it: their dossiers are its own now."""
    certificate: str | None = None
    """Thumbprint of the certificate that the token is bound to (RFC 8705); the door asks for it at every call."""

    @property
    def agencies(self) -> tuple[str, ...]:
        """The caller's agency and those it inherited from; whatever lies below them is the caller's to see too."""
        return (self.agency, *self.inherited) if self.agency else ()

    def may_see(self, *agencies: str | None) -> bool:
        """Tell whether one of these agencies is one of the caller's or lies below it."""
        return any(a is not None and (a == own or a.startswith(f"{own}.")) for own in self.agencies for a in agencies)

    def require(self, *scopes: str) -> None:
        """Raise Forbidden unless the caller has at least one of the scopes."""
        if self.scopes.isdisjoint(scopes):
            raise Forbidden(f"This needs the scope {' or '.join(scopes)}.", needed=list(scopes))


def service_caller(service: str) -> Caller:
    """Return the caller that stands for a service reacting to an event."""
    return Caller(client_id=f"service:{service}")
