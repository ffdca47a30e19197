"""What a client may call at the data services, and how much of it."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

EVERY_SERVICE = "*"
ANY = "\0"
"""Stands in no path, and so is matched by wildcards alone."""


@lru_cache(maxsize=4096)
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", path)
    return re.compile("".join({"*": "[^/]+", "**": ".+"}.get(part, re.escape(part)) for part in parts))


@dataclass(frozen=True, slots=True)
class Grant:
    """A right at one data service: which methods, on which paths."""

    service: str
    """The service's code; `*` stands for every service."""
    methods: frozenset[str] = frozenset()
    """In capitals; none stands for all that the service's contract has."""
    paths: tuple[str, ...] = ()
    """As X-Road writes them: `*` is one part of a path, `**` any number of parts; none stands for every path."""

    def covers(self, service: str, method: str, path: str) -> bool:
        """Tell whether a call to a service lies within this right; the path begins with a slash."""
        return (
            self.service in {EVERY_SERVICE, service}
            and (not self.methods or method in self.methods)
            and (not self.paths or any(_pattern(one).fullmatch(path) for one in self.paths))
        )

    def includes(self, other: "Grant") -> bool:
        """Tell whether everything that another right covers lies within this one."""
        return (
            self.service in {EVERY_SERVICE, other.service}
            and (not self.methods or (bool(other.methods) and other.methods <= self.methods))
            and (not self.paths or (bool(other.paths) and all(map(self._includes_path, other.paths))))
        )

    def _includes_path(self, path: str) -> bool:
        """Tell whether one of the paths holds all that a pattern stands for: no literal part matches the examples."""
        examples = [path.replace("**", some).replace("*", ANY) for some in (ANY, f"{ANY}/{ANY}")]
        return any(path == own or all(_pattern(own).fullmatch(one) for one in examples) for own in self.paths)


@dataclass(frozen=True, slots=True)
class Rights:
    """What is registered of a client beyond its scopes."""

    client_id: str
    grants: tuple[Grant, ...] = ()
    calls_per_minute: int | None = None
    calls_per_day: int | None = None
    concurrency_max: int | None = None
    addresses: tuple[str, ...] = field(default=())
    """Networks (CIDR) from which it may call; none stands for everywhere."""

    def may_call(self, service: str, method: str, path: str) -> bool:
        """Tell whether some grant covers a call to a data service."""
        return any(grant.covers(service, method, path) for grant in self.grants)

    def knows(self, service: str) -> bool:
        """Tell whether some grant names a service at all; of others the client may not even know."""
        return any(grant.service in {EVERY_SERVICE, service} for grant in self.grants)

    def may_give(self, grant: Grant) -> bool:
        """Tell whether a right lies within some grant of its own."""
        return any(own.includes(grant) for own in self.grants)
