"""Our secrets with a provider: while one replaces another, both are valid."""

from collections.abc import Callable
from dataclasses import dataclass

CURRENT, PREVIOUS = "current", "previous"


@dataclass(frozen=True, slots=True)
class Keys:
    """The secret we sign with, and the one before it, which the provider may still sign with."""

    current: str
    previous: str = ""

    def match(self, fits: Callable[[str], bool]) -> str | None:
        """Return `current` or `previous`, whichever fits; None when neither does. An empty secret fits nothing."""
        if self.current and fits(self.current):
            return CURRENT
        return PREVIOUS if self.previous and fits(self.previous) else None

    def named(self, name: str | None) -> str:
        """Return the secret of a name that `match` gave; the current one without a name."""
        return self.previous if name == PREVIOUS else self.current
