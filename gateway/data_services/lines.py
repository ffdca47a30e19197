"""What all calls to one version share: its breaker, who is calling, what they may, how many repeats are left."""

from prometheus_client import Gauge

from gateway.data_services.breaker import Breaker, BreakerState
from gateway.data_services.limits import Allowance, Crowd, RetryBudget
from gateway.data_services.policy import Policy
from gateway.data_services.snapshot import Version
from shared import clock

BREAKER = Gauge("motcua_data_service_breaker_open", "1 while a data service is given a rest.", ["service"])
UNDER_WAY = Gauge("motcua_data_service_calls_in_progress", "Calls under way.", ["service"])


class Line:
    """The shared state of one version's calls."""

    def __init__(self, version: Version) -> None:
        self.name = version.full_name
        self.crowd = Crowd()
        self.allowance: Allowance | None = None
        self.take(version.policy)
        self.policy = version.policy
        UNDER_WAY.labels(self.name).set_function(lambda: self.crowd.everybody)
        BREAKER.labels(self.name).set_function(
            lambda: float(self.breaker.state(clock.monotonic()) is not BreakerState.CLOSED)
        )

    def take(self, policy: Policy) -> None:
        """Begin anew with a policy; who is calling stays counted."""
        self.policy = policy
        self.breaker = Breaker(policy.breaker)
        self.budget = RetryBudget(policy.retries.budget_share)
        per_minute = policy.limits.client_calls_per_minute
        if per_minute is None:
            self.allowance = None
        elif self.allowance is None or self.allowance.per_minute != per_minute:
            self.allowance = Allowance(per_minute)


class Lines:
    """A line for each version that was called."""

    def __init__(self) -> None:
        self._known: dict[str, Line] = {}

    def of(self, version: Version) -> Line:
        """Return a version's line; a changed policy takes effect with the next call."""
        line = self._known.get(version.full_name)
        if line is None:
            line = self._known[version.full_name] = Line(version)
        elif line.policy is not version.policy and line.policy != version.policy:
            line.take(version.policy)
        return line

    def find(self, full_name: str) -> Line | None:
        """Return the line of a version by its full name; None when it was not called yet."""
        return self._known.get(full_name)
