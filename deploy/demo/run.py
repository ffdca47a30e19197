"""One run of the demo: lives side by side, the portal ill for a part of it, catching up, the proof."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import httpx

from deploy.demo.actors import Cast, live
from deploy.demo.client import ApiClient, Tally
from deploy.demo.data_services import Figures, use
from deploy.demo.feed import Feed
from deploy.demo.plan import Ending, Life, plan_lives
from deploy.demo.portal import MISBEHAVIOUR, OUTAGE, ControlRoom
from deploy.demo.proof import Proof, prove, prove_evidence, prove_reconciliation
from deploy.local.papers import Seal
from shared import clock

AT_ONCE = 40
OUTAGE_S = 4
CATCH_UP_S = 180
ILL_FROM, DOWN_AT, WELL_AT = 0.3, 0.45, 0.6
"""Shares of the lives ended at which the portal falls ill, goes down for a while, and is well again."""


class Progress(Protocol):
    """Shows a person how far it is."""

    def step(self, done: int, total: int, words: str) -> None:
        """Show that `done` of `total` are through."""
        ...


@dataclass(slots=True)
class Outcome:
    """What a run gave."""

    proof: Proof
    failures: list[str]
    ended: dict[Ending, int]
    planned: dict[Ending, int]
    tally: Tally
    faults_fired: int
    portal: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)
    data_services: Figures = field(default_factory=Figures)


async def run(stack: Mapping[str, Any], dossiers: int, progress: Progress) -> Outcome:
    """Lead `dossiers` lives against a running stack and compare what everybody knows afterwards."""
    limits = httpx.Limits(max_connections=AT_ONCE * 2 + 8)
    async with (
        httpx.AsyncClient(base_url=stack["gateway_url"], timeout=60, limits=limits) as gateway,
        httpx.AsyncClient(base_url=stack["portal"]["url"], timeout=60) as portal,
    ):
        tally = Tally()
        clients = {name: ApiClient(gateway, one, tally) for name, one in stack["clients"].items()}
        overview = await clients["ops"].get("/ops/overview")
        feed = Feed(clients["statistics"], overview["changes"]["last_cursor"])
        seal = Seal.from_file(Path(stack["seal"]["file"]), stack["seal"]["password"])
        cast = Cast(clients["citizen-portal"], clients["one-stop"], feed, ControlRoom(portal), seal)
        lives = plan_lives(dossiers, await _procedures(clients["citizen-portal"]), _gated())
        outcome = await _Run(cast, lives, clients["ops"], stack, progress).whole(tally)
        # After the proof: these calls have no part in any dossier.
        outcome.data_services = await use(stack, gateway)
        outcome.failures += outcome.data_services.shortcomings()
        return outcome


async def _procedures(client: ApiClient) -> list[dict[str, Any]]:
    codes, cursor = [], None
    while True:
        page = await client.get("/procedures", limit=100, **({"cursor": cursor} if cursor else {}))
        codes += [item["code"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return [await client.get(f"/procedures/{code}") for code in codes]


def _gated() -> frozenset[str]:
    """Return the sample catalogue's procedures in which a step waits for the fee (the public API need not tell)."""
    catalogue = json.loads(resources.files("services.intake").joinpath("data/catalogue.json").read_text())
    return frozenset(
        procedure["code"]
        for procedure in catalogue["procedures"]
        if any(step["awaits_payment"] for step in procedure["process"]["steps"])
    )


class _Run:
    def __init__(
        self, cast: Cast, lives: Sequence[Life], ops: ApiClient, stack: Mapping[str, Any], progress: Progress
    ) -> None:
        self.cast, self.lives, self.ops, self.stack, self.progress = cast, lives, ops, stack, progress
        self.failures: list[str] = []
        self.ended: dict[Ending, int] = {}
        self.done = 0
        self.ill_from: datetime | None = None
        self.faults_fired = 0

    async def whole(self, tally: Tally) -> Outcome:
        started = clock.monotonic()
        reading = asyncio.create_task(self.cast.feed.run())
        illness = asyncio.create_task(self._illness())
        slots = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._one(life, slots) for life in self.lives))
        lived = clock.monotonic()
        await illness
        await self._catch_up()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        while await self.cast.feed.read(wait_s=0):
            pass
        caught_up = clock.monotonic()
        told = await self.cast.portal.statuses()
        ill_from = self.ill_from or clock.now()
        urls, evidence = self.stack["postgres"]["urls"], self.stack["evidence"]
        proof = await prove(self.cast.codes, urls, told, self.cast.feed, ill_from)
        await prove_evidence(proof, urls["gateway"], **{name: Path(path) for name, path in evidence.items()})
        await prove_reconciliation(proof, urls["gateway"], CATCH_UP_S)
        planned: dict[Ending, int] = {}
        for life in self.lives:
            planned[life.ending] = planned.get(life.ending, 0) + 1
        return Outcome(
            proof,
            self.failures,
            self.ended,
            planned,
            tally,
            self.faults_fired,
            await self.cast.portal.summary(),
            {"lives": lived - started, "catch_up": caught_up - lived, "proof": clock.monotonic() - caught_up},
        )

    async def _one(self, life: Life, slots: asyncio.Semaphore) -> None:
        async with slots:
            try:
                await live(self.cast, life)
            except Exception as problem:  # every life is told apart: one that fails is reported, the others go on
                self.failures.append(f"life {life.number} ({life.ending}, {life.procedure['code']}): {problem}")
            else:
                self.ended[life.ending] = self.ended.get(life.ending, 0) + 1
            self.done += 1
            self.progress.step(self.done, len(self.lives), "hồ sơ / dossiers")

    async def _illness(self) -> None:
        await self._until(ILL_FROM)
        self.ill_from = clock.now()
        await self.cast.portal.misbehave(MISBEHAVIOUR)
        await self._until(DOWN_AT)
        outage = await self.cast.portal.misbehave(OUTAGE)
        await asyncio.sleep(OUTAGE_S)
        for fault_id in outage:
            await self.cast.portal.http.delete(f"/_control/faults/{fault_id}")
        await self._until(WELL_AT)
        self.faults_fired = await self.cast.portal.behave()

    async def _until(self, share: float) -> None:
        while self.done < share * len(self.lives):
            await asyncio.sleep(0.05)

    async def _catch_up(self) -> None:
        """Wait until the portal owes no answer any more, and nothing waits anywhere."""
        deadline = clock.monotonic() + CATCH_UP_S
        worst = 0
        while clock.monotonic() < deadline:
            overview = await self.ops.get("/ops/overview")
            open_debts = overview["portal"]["open"]
            behind = sum(
                one.get("outbox_rows", 1) + one.get("waiting_events", 0) for one in overview["services"].values()
            )
            if not open_debts and not behind:
                return
            worst = max(worst, open_debts)
            self.progress.step(worst - open_debts, worst, "Cổng DVCQG bắt kịp / portal catching up")
            await asyncio.sleep(0.3)
        self.failures.append(f"after {CATCH_UP_S} s the portal is still owed {open_debts} statuses")
