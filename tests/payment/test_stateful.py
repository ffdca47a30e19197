"""Payments, callbacks, refunds, crashes and reorderings, in whatever order Hypothesis can think of."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared import migrations
from shared.events.values import CollectedAt, FeeKind
from tests.payment.audit import audit
from tests.payment.till import item
from tests.payment.world import MortalDatabase, World
from tests.support.servers import Databases

AGENCIES = st.sampled_from(["H32.14", "H32.14.2", "H32.15"])
AMOUNTS = st.sampled_from([1, 20_000, 50_000, 99_999])
PICK = st.integers(0, 9)
DIES = st.sampled_from([None, None, "before", "after"])
Found = TypeVar("Found")


class MoneyMachine(RuleBasedStateMachine):
    """One world; each rule is something that anybody may do at any moment."""

    world: ClassVar[World]
    runner: ClassVar[asyncio.Runner]

    def run(self, work: Awaitable[Found]) -> Found:
        """Run something on the world's loop."""

        async def wait() -> Found:
            return await work

        return self.runner.run(wait())

    def on_one(self, table: str, pick: int, act: Callable[[Any], Awaitable[object]]) -> None:
        """Act on one of a table's rows, if it has any; the lower the pick, the newer the row."""
        found = self.run(self.world.ids(table))
        if found:
            self.run(act(found[-1 - pick % len(found)]))

    @initialize()
    def begin(self) -> None:
        self.run(self.world.clear())
        for agency in ("H32.14", "H32.15"):
            self.run(self.world.accept([item(20_000, kind=FeeKind.PHI), item(30_000)], agency))

    @rule(agency=AGENCIES, phi=AMOUNTS, le_phi=AMOUNTS, at=st.sampled_from(CollectedAt))
    def accept(self, agency: str, phi: int, le_phi: int, at: CollectedAt) -> None:
        self.run(self.world.accept([item(phi, at, FeeKind.PHI), item(le_phi, at)], agency))

    @rule(pick=PICK)
    def open(self, pick: int) -> None:
        self.on_one("fee", pick, self.world.open)

    @rule(pick=PICK, dies=DIES)
    def pay_cash(self, pick: int, dies: str | None) -> None:
        self.on_one("fee", pick, lambda fee_id: self.world.pay_cash(fee_id, dies=dies))

    @rule(pick=PICK)
    def waive(self, pick: int) -> None:
        self.on_one("fee", pick, self.world.waive)

    @rule(pick=PICK)
    def withdraw(self, pick: int) -> None:
        self.on_one("fee", pick, self.world.withdraw)

    @rule(pick=PICK, amount=st.one_of(st.none(), st.none(), AMOUNTS), is_told=st.sampled_from([True, True, False]))
    def pay_online(self, pick: int, amount: int | None, is_told: bool) -> None:
        self.on_one("fee", pick, lambda fee_id: self.world.pay_online(fee_id, amount, is_told=is_told))

    @rule(pick=PICK, amount=st.one_of(st.none(), AMOUNTS), is_told=st.booleans())
    def payer_pays(self, pick: int, amount: int | None, is_told: bool) -> None:
        self.on_one("payment", pick, lambda payment_id: self.world.payer_pays(payment_id, amount, is_told=is_told))

    @rule(pick=PICK)
    def payer_fails(self, pick: int) -> None:
        self.on_one("payment", pick, self.world.payer_fails)

    @precondition(lambda self: self.world.bag)
    @rule(pick=PICK, copies=st.sampled_from([1, 1, 4]), keep=st.booleans(), dies=DIES)
    def deliver(self, pick: int, copies: int, keep: bool, dies: str | None) -> None:
        self.run(self.world.deliver(pick, copies=copies, keep=keep, dies=dies))

    @rule(pick=PICK)
    def reverse(self, pick: int) -> None:
        self.world.reverse(pick)

    @rule(pick=PICK, amounts=st.lists(AMOUNTS, min_size=1, max_size=3))
    def ask_refunds(self, pick: int, amounts: list[int]) -> None:
        self.on_one("payment", pick, lambda payment_id: self.world.refund(payment_id, amounts))

    @rule(pick=PICK, step=st.sampled_from(["send", "send", "done", "fail"]), dies=DIES)
    def move_refund(self, pick: int, step: str, dies: str | None) -> None:
        self.on_one("refund", pick, lambda refund_id: self.world.move_refund(refund_id, step, dies=dies))

    @rule(pick=PICK, dies=DIES)
    def cancel_receipt(self, pick: int, dies: str | None) -> None:
        self.on_one("receipt", pick, lambda receipt_id: self.world.counter(receipt_id, dies=dies))

    @rule(pick=PICK)
    def take_back_adjustment(self, pick: int) -> None:
        self.run(self.world.take_back(pick))

    @rule(record=st.booleans())
    def reconcile(self, record: bool) -> None:
        self.run(self.world.reconcile(record=record))
        assert self.run(self.world.booked_vnd()) == self.world.held_vnd()

    @invariant()
    def everything_holds(self) -> None:
        self.run(audit(self.world.database))

    def teardown(self) -> None:
        while self.world.bag:
            self.run(self.world.deliver(0))
        self.run(self.world.reconcile())
        assert self.run(self.world.booked_vnd()) == self.world.held_vnd()
        self.run(audit(self.world.database))


@pytest.fixture
def machine(databases: Databases) -> Iterator[type[MoneyMachine]]:
    """Give the machine a world on a database of its own."""
    with asyncio.Runner() as runner:
        url = runner.run(databases.create_database())
        migrations.upgrade("services.payment", url)
        MoneyMachine.runner, MoneyMachine.world = runner, World(MortalDatabase(url, service="payment"))
        yield MoneyMachine
        runner.run(MoneyMachine.world.database.close())
        runner.run(databases.drop_database(url.rpartition("/")[2]))


def explore(machine: type[MoneyMachine], *, examples: int, steps: int, phases: Sequence[Phase]) -> None:
    """Let Hypothesis look for an order of things that breaks what must hold; without shrinking, the same each time."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=Phase.shrink not in phases,
            phases=phases,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class TestMoney:
    """Everything holds whatever happens."""

    def test_in_a_few_worlds(self, machine: type[MoneyMachine]) -> None:
        explore(machine, examples=12, steps=40, phases=[Phase.generate])

    @pytest.mark.large
    @pytest.mark.timeout(1800)
    def test_in_many_worlds(self, machine: type[MoneyMachine]) -> None:
        explore(machine, examples=200, steps=60, phases=[Phase.generate, Phase.shrink])
