"""Who acts, and what they may do and see."""

from dataclasses import dataclass

from shared.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """A client system with its agency and scopes, or a service acting on an event."""

    client_id: str
    agency: str | None = None
    scopes: frozenset[str] = frozenset()

    def may_see(self, *agencies: str | None) -> bool:
        """Tell whether one of these agencies is the caller's own or lies below it."""
        own = self.agency
        return own is not None and any(a is not None and (a == own or a.startswith(f"{own}.")) for a in agencies)

    def require(self, *scopes: str) -> None:
        """Raise Forbidden unless the caller has at least one of the scopes."""
        if self.scopes.isdisjoint(scopes):
            raise Forbidden(f"This needs the scope {' or '.join(scopes)}.", needed=list(scopes))


def service_caller(service: str) -> Caller:
    """Return the caller that stands for a service reacting to an event."""
    return Caller(client_id=f"service:{service}")
