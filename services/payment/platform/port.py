"""What every provider can be asked and can tell, whatever its words are.

A provider is reached outside any transaction. `start`, `ask` and `refund` raise `Unclear` when there is no answer in
time, or none that can be relied on: what was asked may or may not have taken effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.payment.models import Fee, Payment, Refund
from services.payment.operations.attempts import Link
from services.payment.operations.bank import Line
from services.payment.operations.money import Money, Notice
from services.payment.states import Outcome, Provider
from shared.errors import TransientError


class Unclear(TransientError):
    """The provider gave no answer that can be relied on."""


class State(StrEnum):
    """How an attempt stands with its provider."""

    PAID = "paid"
    PENDING = "pending"
    FAILED = "failed"


class RefundState(StrEnum):
    """How a refund stands that a provider carries out."""

    DONE = "done"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a provider says of an attempt."""

    state: State
    money: Money | None = None
    """With PAID: what came, unless it came as lines of an account."""
    lines: tuple[Line, ...] = ()
    reason: str = "declined"
    """With FAILED: why, in a few letters."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider understood and said no."""

    code: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A notice as it was understood: what it says, or why it cannot be taken."""

    notice: Notice
    standing: Standing | None = None
    refusal: Outcome | None = None


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """What became of a refund."""

    state: RefundState
    reason: str = ""


class Gateway(Protocol):
    """One provider."""

    @property
    def provider(self) -> Provider:
        """Return which one it is."""
        ...

    async def start(self, fee: Fee, payment: Payment) -> Link | Refused:
        """Make an attempt payable and return how; the same attempt can be started again."""
        ...

    async def ask(self, payment: Payment) -> Standing | Refused:
        """Ask how an attempt stands."""
        ...

    def read(self, words: Mapping[str, object]) -> Reading:
        """Understand a notice and check that the provider itself sent it."""
        ...

    async def refund(self, refund: Refund, payment: Payment) -> RefundAnswer:
        """Let the provider carry a refund, or ask again what became of it: its reference makes it one refund."""
        ...

    async def bill(self, payment: Payment) -> bytes | Refused:
        """Return the provider's own receipt as PDF."""
        ...
