"""The fault menu: how a mocked provider can be made to misbehave while it runs."""

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from deploy.mocks.memory import Memory

Kind = Literal[
    "late",
    "duplicate",
    "reversed",
    "wrong_amount",
    "bad_signature",
    "never",
    "down",
    "garbage",
    "delay",
    "timeout_after_effect",
    "refund_rejected",
    "refund_pending",
    "mangled",
]
OF_NOTICES: frozenset[Kind] = frozenset(
    {"late", "duplicate", "reversed", "wrong_amount", "bad_signature", "never", "mangled"}
)
OF_CALLS: frozenset[Kind] = frozenset(
    {"down", "garbage", "delay", "timeout_after_effect", "refund_rejected", "refund_pending"}
)


class Fault(BaseModel):
    """One order from the menu."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    count: int | None = Field(None, ge=1, description="How often at most; null: until it is deleted.")
    delay_s: float = Field(1.0, ge=0, le=86_400, description="late, reversed, delay, timeout_after_effect: how long.")
    difference_vnd: int = Field(-1_000, description="wrong_amount: what is added to what was asked.")
    reference: str | None = Field(None, description="Befalls only this order or transfer.")


class Menu:
    """The orders that stand; they survive a restart."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def order(self, fault: Fault) -> dict[str, object]:
        """Let a fault happen from now on."""
        with self._memory.transaction() as db:
            number = db.execute("INSERT INTO fault (spec) VALUES (?)", (fault.model_dump_json(),)).lastrowid
        return {"id": number, **fault.model_dump(), "fired": 0}

    def standing(self) -> list[dict[str, object]]:
        """Return every order with how often it fired."""
        with self._memory.transaction() as db:
            rows = db.execute("SELECT id, spec, fired FROM fault ORDER BY id").fetchall()
        return [
            {"id": row["id"], **Fault.model_validate_json(row["spec"]).model_dump(), "fired": row["fired"]}
            for row in rows
        ]

    def cancel(self, number: int | None = None) -> int:
        """End one fault, or all; return how many there were."""
        with self._memory.transaction() as db:
            return db.execute("DELETE FROM fault WHERE ? IS NULL OR id = ?", (number, number)).rowcount

    def draw(self, reference: str, kinds: Collection[Kind]) -> dict[Kind, Fault]:
        """Return the faults of some kinds that befall an order now; every firing counts."""
        fired: dict[Kind, Fault] = {}
        with self._memory.transaction() as db:
            for row in db.execute("SELECT id, spec, fired FROM fault ORDER BY id").fetchall():
                fault = Fault.model_validate_json(row["spec"])
                spent = fault.count is not None and row["fired"] >= fault.count
                if spent or fault.kind not in kinds or fault.reference not in {None, reference}:
                    continue
                fired.setdefault(fault.kind, fault)
                db.execute("UPDATE fault SET fired = fired + 1 WHERE id = ?", (row["id"],))
        return fired
