"""What a thing of one agency is, who may know of it, and how one is made."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from shared import clock
from shared.db import Database
from tests.rights.house import OWNER, House

ITS_PARENT, ITS_PROVINCE, ITS_FRIEND = "H32.14", "H32", "H32.14.29"
WHO_MAY = (OWNER, ITS_PARENT, ITS_PROVINCE)
STRANGERS: tuple[str | None, ...] = ("H32.14.22", "H32.14.210", "H32.14.21.1", "H32.15", "H33", None)
"""A sibling, one whose code only begins alike, a child, another branch, another province, and nobody's client."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A thing of the owner: where it is found, and by what words it would be known."""

    service: str
    below: str
    """Beginning of the paths in which it stands, parameters included."""
    values: Mapping[str, str]
    """Of the paths' parameters."""
    marks: tuple[str, ...] = ()
    """Texts that nobody else may read anywhere."""
    who_may: tuple[str, ...] = WHO_MAY


@dataclass(slots=True)
class Seeds:
    """All that was made."""

    nouns: list[Noun] = field(default_factory=list)
    bodies: dict[str, object] = field(default_factory=dict)
    """Of doors for which the smallest body of their schema means nothing; a function makes one for an agency."""
    queries: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(
        self,
        service: str,
        below: str,
        values: Mapping[str, Any],
        *marks: object,
        who_may: tuple[str, ...] = WHO_MAY,
        secret: bool = True,
    ) -> None:
        """Note a thing; what names it in its path is a mark, too, unless other marks are given."""
        named = {name: str(value) for name, value in values.items()}
        found = tuple(map(str, marks)) or tuple(value for value in named.values() if len(value) > 8)
        self.nouns.append(Noun(service, below, named, found if secret else (), who_may))

    def of(self, service: str, path: str) -> Noun | None:
        """Return the thing that a path is about; of several the one whose beginning is longest."""
        fitting = [one for one in self.nouns if one.service == service and path.startswith(one.below)]
        return max(fitting, key=lambda one: len(one.below), default=None)

    def dossier_of(self, service: str) -> str:
        """Return the code of the dossier that a service's things are of."""
        return next(
            mark
            for noun in self.nouns
            if noun.service == service
            for mark in noun.marks
            if mark.startswith(f"{OWNER}-")
        )

    @property
    def marks(self) -> frozenset[str]:
        """Every text that strangers may not read."""
        return frozenset(mark for noun in self.nouns for mark in noun.marks)


def in_days(days: int) -> str:
    """Return the moment so many days from now, as JSON has it."""
    return (clock.now() + timedelta(days=days)).isoformat()


@asynccontextmanager
async def calling(house: House, service: str) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client of a process, without a network between."""
    transport = httpx.ASGITransport(house.apps[service])
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{service}", timeout=60) as found:
        yield found


def made(answer: httpx.Response) -> dict[str, Any]:
    """Return what was made, read as JSON."""
    assert answer.status_code in {200, 201, 202}, answer.text
    return answer.json()


async def put(database: Database, *rows: Any) -> None:
    """Put rows where only files from outside would; what they refer to may be missing."""
    async with database.session() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        session.add_all(rows)
        await session.commit()
