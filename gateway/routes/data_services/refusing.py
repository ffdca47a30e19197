"""What a client is told when its call failed or may not be made."""

import math
from typing import Any

from starlette.responses import Response

from gateway.data_services.trouble import Kind, Trouble
from gateway.errors import ServiceResting, UpstreamAway, UpstreamInvalid, UpstreamTimeout, UpstreamTooLarge
from shared import problems
from shared.errors import DomainError

RETRY_AFTER_S = 2


def problem_of(trouble: Trouble, name: str, total_timeout_s: float) -> DomainError:
    """Return the refusal that a trouble stands for; it names the service, nothing behind it."""
    facts: dict[str, Any] = {"service": name, "reason": trouble.kind.value}
    if trouble.kind is Kind.RESTING:
        return ServiceResting(f"{name} is given a rest.", retry_after_s=trouble.retry_after_s or 1, **facts)
    if trouble.kind is Kind.TIMEOUT:
        return UpstreamTimeout(
            f"{name} did not answer within {total_timeout_s:g} s.", retry_after_s=RETRY_AFTER_S, **facts
        )
    if trouble.kind is Kind.TOO_LARGE:
        return UpstreamTooLarge(f"{name}: {trouble.complaint}.", **facts)
    if trouble.kind in {Kind.INVALID, Kind.TRUNCATED}:
        return UpstreamInvalid(f"{name}: {trouble.complaint}.", **facts)
    return UpstreamAway(f"{name}: {trouble.complaint}.", **facts)


def refusal(error: DomainError) -> Response:
    """Return a refusal with what its facts say in headers."""
    response = problems.render(error)
    wait = error.facts.get("retry_after_s")
    if isinstance(wait, int | float):
        response.headers["Retry-After"] = str(max(1, math.ceil(wait)))
    allowed = error.facts.get("allow")
    if isinstance(allowed, list):
        response.headers["Allow"] = ", ".join(allowed)
    return response
