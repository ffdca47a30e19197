"""Which ways of paying an agency offers, and to which account a transfer for it goes: data, not code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.payment.errors import ProviderNotOffered
from services.payment.states import Provider

BIN = r"^\d{6}$"
ACCOUNT = r"^[0-9A-Za-z]{1,19}$"


class Account(BaseModel):
    """A bank account in the words of NAPAS."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    bank_bin: Annotated[str, Field(pattern=BIN, examples=["970415"])]
    """The bank's six digits."""
    number: Annotated[str, Field(pattern=ACCOUNT, examples=["0011001932418"])]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Its holder."""


class Route(BaseModel):
    """What one agency, and all below it that have no route of their own, offers."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    agency: str
    providers: tuple[Provider, ...]
    account: Account | None = None
    """Where transfers go to; without one none is offered."""


@dataclass(frozen=True, slots=True)
class Routing:
    """The routes; the longest agency code that fits decides. Without a route every way that is set up is offered."""

    set_up: frozenset[Provider]
    """What this installation has credentials for."""
    routes: Sequence[Route] = ()

    def route(self, agency_code: str) -> Route | None:
        """Return the route of an agency, None when nobody decided."""
        fitting = [
            route for route in self.routes if agency_code == route.agency or agency_code.startswith(f"{route.agency}.")
        ]
        return max(fitting, key=lambda route: len(route.agency), default=None)

    def offered(self, agency_code: str) -> list[Provider]:
        """Return the ways of paying an agency offers, in the order of its route."""
        route = self.route(agency_code)
        wanted = list(Provider) if route is None else route.providers
        return [provider for provider in wanted if self._can(provider, route)]

    def require(self, agency_code: str, provider: Provider) -> None:
        """Raise ProviderNotOffered, which names what is, unless an agency offers this way of paying."""
        offered = self.offered(agency_code)
        if provider not in offered:
            ways = ", ".join(offered) or "none"
            raise ProviderNotOffered(
                f"{agency_code} does not offer {provider}; it offers: {ways}.", provider=provider, offered=offered
            )

    def account(self, agency_code: str) -> Account | None:
        """Return where transfers for an agency go to."""
        route = self.route(agency_code)
        return route.account if route else None

    def agency_of(self, account_number: str) -> str | None:
        """Return whose account this is; of one that no route names, the agency above all; None without routes."""
        owner = next((r.agency for r in self.routes if r.account and r.account.number == account_number), None)
        return owner or min((route.agency for route in self.routes), key=len, default=None)

    def _can(self, provider: Provider, route: Route | None) -> bool:
        if provider == Provider.VIETQR and (route is None or route.account is None):
            return False
        return provider in self.set_up
