"""The test identities: numbers that can belong to nobody alive, each with one foreseeable course.

A CCCD tells the century and year of birth (digits 4 to 6); these say 1900.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

AGENCY = "H32.14.61"
"""Whose officials the sandbox plays."""


class Course(StrEnum):
    """How the officials treat a dossier."""

    GRANTED = "granted"
    REFUSED = "refused"
    ASKED_AT_THE_COUNTER = "asked_at_the_counter"
    ASKED_AT_WORK = "asked_at_work"
    UNPAID = "unpaid"
    STOPPED = "stopped"
    UNTOUCHED = "untouched"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Identity:
    """One invented citizen."""

    number: str
    course: Course
    told: str
    """What happens, for people."""
    statuses: tuple[int, ...]
    """The portal statuses that a dossier reaches, as the feed tells them."""


_ALL = (
    Identity("056000000001", Course.GRANTED, "accepted, paid at the counter, done, result returned", (1, 2, 4, 9, 10)),
    Identity("056000000002", Course.REFUSED, "refused at the counter", (1, 3)),
    Identity(
        "056000000003",
        Course.ASKED_AT_THE_COUNTER,
        "papers are asked for before acceptance; you answer; then as the first",
        (1, 5, 1, 2, 4, 9, 10),
    ),
    Identity(
        "056000000004",
        Course.ASKED_AT_WORK,
        "papers are asked for after acceptance; you answer; then as the first",
        (1, 2, 4, 5, 4, 9, 10),
    ),
    Identity("056000000005", Course.UNPAID, "accepted and worked on; the fee is yours to pay", (1, 2, 4)),
    Identity("056000000006", Course.STOPPED, "stopped, resumed, then as the first", (1, 2, 4, 8, 4, 9, 10)),
    Identity("056000000007", Course.UNTOUCHED, "nothing; withdraw it yourself", (1,)),
    Identity("056000000008", Course.REVOKED, "as the first, then the result is revoked", (1, 2, 4, 9, 10)),
)
IDENTITIES: Mapping[str, Identity] = {one.number: one for one in _ALL}
