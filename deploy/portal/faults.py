"""The fault menu: how the portal can be made to misbehave while it runs."""

import random
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deploy.portal.ledger import Ledger

Kind = Literal[
    "delay",
    "timeout_after_effect",
    "error_500",
    "error_code",
    "quirky_codes",
    "already_exists",
    "expired_session",
    "garbage_200",
    "refuse",
    "duplicate_callback",
    "late_callback",
    "down",
    "half_list",
]

PUSHES = frozenset({"DongBoHoSoMC", "CapNhatTienDoHoSoMC"})
PAYMENT_CALLS = frozenset({"INIT", "QUERY", "GET_BILL"})
CALLBACK = "CONFIRM"
SUBMISSION = "submit"
LOGIN = "login"

OF_CALLS = frozenset({"delay", "timeout_after_effect", "error_500", "error_code", "garbage_200", "down"})
OF_CALLBACKS = frozenset({"delay", "late_callback", "duplicate_callback", "down"})
OF_ENVELOPES = OF_CALLS | {"quirky_codes"}
LISTS = frozenset({"LayDanhSachTTHC", "LayDanhMucLinhVuc", "LayDanhMucCoQuan"})
OF_ROWS = frozenset({"refuse", "already_exists"})
OF_SERVICES = {
    LOGIN: OF_ENVELOPES,
    "DongBoHoSoMC": OF_ENVELOPES | OF_ROWS | {"expired_session"},
    "CapNhatTienDoHoSoMC": OF_ENVELOPES | {"refuse", "expired_session"},
    **dict.fromkeys(PAYMENT_CALLS, OF_CALLS | {"refuse"}),
    **dict.fromkeys(LISTS, OF_ENVELOPES | {"expired_session", "half_list"}),
    CALLBACK: OF_CALLBACKS,
    SUBMISSION: frozenset({"delay"}),
}
"""Any other service of the adapter takes those of envelopes and an expired session."""

DEFAULT_DELAY_S = {"delay": 5.0, "late_callback": 5.0, "timeout_after_effect": 30.0}


def kinds_of(service: str) -> frozenset[str]:
    """Return the kinds of fault that can befall a service."""
    return OF_SERVICES.get(service, OF_ENVELOPES | {"expired_session"})


class FaultSpec(BaseModel):
    """One order from the menu."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str = Field("*", description='Name of a service, "login", "INIT", "QUERY", "GET_BILL", "CONFIRM" or "*".')
    kind: Kind
    rate: float = Field(1.0, ge=0, le=1, description="Share of the calls (or rows) that it befalls.")
    count: int | None = Field(None, ge=1, description="How often at most; null: until it is deleted.")
    delay_s: float | None = Field(None, ge=0, le=3600)
    dossier: str | None = Field(None, description="Befalls only calls (or rows) about this dossier.")
    seed: int | None = Field(None, description="Makes the choice of a rate repeatable.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.service != "*" and self.kind not in kinds_of(self.service):
            raise ValueError(f"{self.kind} cannot befall {self.service}; it takes {sorted(kinds_of(self.service))}")
        return self


@dataclass(slots=True)
class Fault:
    """An order that stands, and how often it was carried out."""

    id: int
    spec: FaultSpec
    fired: int = 0
    chance: random.Random = field(default_factory=random.Random)

    @property
    def kind(self) -> Kind:
        """Return what goes wrong."""
        return self.spec.kind

    @property
    def delay_s(self) -> float:
        """Return for how long it holds something up."""
        return DEFAULT_DELAY_S.get(self.kind, 0.0) if self.spec.delay_s is None else self.spec.delay_s

    @property
    def spent(self) -> bool:
        """Tell whether its count is used up."""
        return self.spec.count is not None and self.fired >= self.spec.count

    def befalls(self, service: str, dossiers: Sequence[str]) -> bool:
        """Decide whether it fires on a call or row; every firing counts."""
        if self.spent or self.spec.service not in {"*", service} or self.kind not in kinds_of(service):
            return False
        if self.spec.dossier is not None and self.spec.dossier not in dossiers:
            return False
        if self.spec.rate < 1 and self.chance.random() >= self.spec.rate:
            return False
        self.fired += 1
        return True

    def shown(self) -> dict[str, object]:
        """Return the order with how often it fired."""
        return {"id": self.id, **self.spec.model_dump(), "fired": self.fired}


class Menu:
    """The orders that stand; they survive a restart of the portal."""

    def __init__(self, ledger: Ledger, faults: Iterable[Fault]) -> None:
        self._ledger = ledger
        self._faults = {fault.id: fault for fault in faults}

    @classmethod
    async def load(cls, ledger: Ledger) -> Self:
        """Take up the orders that stood before a restart."""
        rows = await ledger.run(lambda db: db.execute("select id, spec, fired from fault order by id").fetchall())
        return cls(
            ledger, [_armed(row["id"], FaultSpec.model_validate_json(row["spec"]), row["fired"]) for row in rows]
        )

    async def order(self, spec: FaultSpec) -> Fault:
        """Let a fault happen from now on."""
        fault_id = await self._ledger.run(lambda db: _insert(db, spec))
        self._faults[fault_id] = _armed(fault_id, spec, 0)
        return self._faults[fault_id]

    async def cancel(self, fault_id: int | None) -> int:
        """End one fault, or all; return how many there were."""
        ended = [one for one in self._faults if fault_id is None or one == fault_id]
        for one in ended:
            del self._faults[one]
        await self._ledger.run(
            lambda db: db.executemany("delete from fault where id = ?", [(one,) for one in ended]).rowcount
        )
        return len(ended)

    def standing(self) -> list[Fault]:
        """Return every order, also those whose count is used up."""
        return list(self._faults.values())

    async def draw(self, service: str, dossiers: Sequence[str]) -> list[Fault]:
        """Return the faults that befall a call, in the order in which they were ordered."""
        fired = [
            fault
            for fault in self._faults.values()
            if not _is_of_rows(fault, service) and fault.befalls(service, dossiers)
        ]
        await self._keep(fired)
        return fired

    async def draw_rows(self, service: str, dossiers: Sequence[str], *, creating: bool) -> dict[int, Fault]:
        """Return by index the fault that befalls a row of a push; only a creation can be told that it exists."""
        fired: dict[int, Fault] = {}
        faults = [
            fault
            for fault in self._faults.values()
            if _is_of_rows(fault, service) and (creating or fault.kind != "already_exists")
        ]
        for index, dossier in enumerate(dossiers) if faults else ():
            for fault in faults:
                if fault.befalls(service, (dossier,)):
                    fired[index] = fault
                    break
        await self._keep(fired.values())
        return fired

    async def _keep(self, fired: Iterable[Fault]) -> None:
        counts = {fault.id: fault.fired for fault in fired}
        if counts:
            await self._ledger.run(
                lambda db: (
                    db.executemany(
                        "update fault set fired = ? where id = ?",
                        [(count, fault_id) for fault_id, count in counts.items()],
                    ).rowcount
                )
            )


def _is_of_rows(fault: Fault, service: str) -> bool:
    return fault.kind in OF_ROWS and service in PUSHES


def _armed(fault_id: int, spec: FaultSpec, fired: int) -> Fault:
    seed = fault_id if spec.seed is None else spec.seed
    # Not cryptography: a repeatable choice is wanted.
    return Fault(fault_id, spec, fired, random.Random(f"{seed}/{fired}"))  # noqa: S311


def _insert(db: sqlite3.Connection, spec: FaultSpec) -> int:
    inserted = db.execute("insert into fault (spec, fired) values (?, 0) returning id", (spec.model_dump_json(),))
    return inserted.fetchone()["id"]
