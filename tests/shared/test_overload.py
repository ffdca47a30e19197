"""More than a process can do: what it takes in hand it finishes, the rest is refused at once and clearly."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from shared.guard.admission import Admission, Kind
from shared.guard.refusals import Overloaded
from shared.settings import Limits
from tests.support.bus import Side
from tests.support.toyserver import ToyServer, toy_server

PLACES, LINE, WRITE_S = 8, 8, 0.02
CONNECTIONS = 10 * (PLACES + LINE)
CALLS_EACH = 2
MEMORY_GROWTH_MAX = 64 * 1024 * 1024
FEW = Limits(calls_max=2, calls_waiting_max=4, call_wait_s=0.2, call_wait_busy_s=0.05, calls_vital_max=8)


@pytest.fixture
def server(toy: Side) -> Iterator[ToyServer]:
    limits = {"calls_max": PLACES, "calls_waiting_max": LINE, "call_wait_s": 0.5, "database_connections_max": PLACES}
    with toy_server(toy.database.dsn, write_s=WRITE_S, **limits) as running:
        yield running


class Crowd:
    """Callers who all come at once, again and again."""

    def __init__(self, server: ToyServer, http: aiohttp.ClientSession) -> None:
        self.server, self.http = server, http
        self.token = server.issuer.token(["counters:write"])
        self.ended: dict[str, int] = {}
        self.health: list[int] = []

    async def grow(self, key: str) -> int:
        """Let a counter grow under a key; a refusal has to be a clear one."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        async with self.http.post(f"{self.server.url}/counters/{key}/grow", headers=headers) as answer:
            said = await answer.json(content_type=None)
            if answer.status != 201:
                assert (answer.status, said["code"]) == (503, Overloaded.code)
                assert answer.content_type == "application/problem+json"
                assert int(answer.headers["retry-after"]) > 0
            return answer.status

    async def press(self) -> None:
        """Come all at once, while somebody asks for the process's health."""
        asking = asyncio.create_task(self._ask())
        await asyncio.gather(*(self._caller(n) for n in range(CONNECTIONS)))
        asking.cancel()

    async def _caller(self, number: int) -> None:
        for n in range(CALLS_EACH):
            key = f"c{number}-{n}"
            self.ended[key] = await self.grow(key)

    async def _ask(self) -> None:
        while True:
            async with self.http.get(f"{self.server.url}/health/ready") as answer:
                self.health.append(answer.status)
            await asyncio.sleep(0.05)


@pytest.fixture
async def crowd(server: ToyServer) -> AsyncIterator[Crowd]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield Crowd(server, http)


class TestTenTimesTooMuch:
    async def test_harms_nothing_that_was_taken_in_hand(self, crowd: Crowd, toy: Side) -> None:
        await crowd.press()
        before = crowd.server.memory_bytes("VmRSS")
        await crowd.press()
        outcomes = Counter(crowd.ended.values())
        assert outcomes.keys() == {201, 503}
        assert set(crowd.health) == {200}
        done = {key for key, status in crowd.ended.items() if status == 201}
        assert {row["code"] for row in await toy.rows("SELECT code FROM counter WHERE value = 1")} >= done
        assert await toy.count("counter") == await toy.count("idempotency_key") == await toy.count("outbox")
        assert crowd.server.memory_bytes("VmRSS") - before < MEMORY_GROWTH_MAX
        assert await self._all_at_leisure(crowd) == {201}
        assert await toy.count("counter") == len(crowd.ended)
        assert await toy.rows("SELECT code FROM counter WHERE value <> 1") == []

    async def _all_at_leisure(self, crowd: Crowd) -> set[int]:
        """Send everything again, under its keys, as fast as it is done: the process is well at once."""
        left, statuses = list(crowd.ended), set()

        async def work_off() -> None:
            while left:
                statuses.add(await crowd.grow(left.pop()))

        await asyncio.gather(*(work_off() for _ in range(PLACES)))
        return statuses


class TestEnd:
    async def test_lets_what_is_in_hand_finish_and_takes_nothing_new(self, toy: Side) -> None:
        with toy_server(toy.database.dsn, write_s=1) as server:
            async with aiohttp.ClientSession() as http:
                crowd = Crowd(server, http)
                working = [asyncio.create_task(crowd.grow(f"k{n}")) for n in range(5)]
                while not await toy.rows("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"):
                    await asyncio.sleep(0.02)
                server.ask_to_end()
                assert set(await asyncio.gather(*working)) == {201}
                with pytest.raises(aiohttp.ClientConnectionError):
                    await crowd.grow("late")
            # uvicorn raises the signal again when all is done, as its parent expects.
            async with asyncio.timeout(20):
                while server.exit_code is None:
                    await asyncio.sleep(0.02)
            assert server.exit_code in {0, -15}
        assert await toy.count("counter") == 5


class Line:
    """Calls before the places of a process; each stays until it is let go."""

    def __init__(self, limits: Limits = FEW) -> None:
        self.admission = Admission(limits)
        self.inside: list[str] = []
        self.refused: list[str] = []
        self._go: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, kind: Kind = Kind.READ, group: str = "") -> None:
        self._go[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._visit(name, kind, group))
        await asyncio.sleep(0)

    async def _visit(self, name: str, kind: Kind, group: str) -> None:
        try:
            async with self.admission.place(kind, group):
                self.inside.append(name)
                await self._go[name].wait()
        except Overloaded:
            self.refused.append(name)

    async def let_go(self, name: str) -> None:
        self._go[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])

    async def all_refused(self) -> None:
        await asyncio.wait([task for name, task in self._tasks.items() if name not in self.inside])


class TestPlaces:
    async def test_are_so_many_and_then_a_line_and_then_no_more(self) -> None:
        line = Line()
        for name in "abcdefg":
            await line.come(name)
        assert (line.inside, line.refused) == (["a", "b"], ["g"])
        await line.let_go("a")
        assert line.inside == ["a", "b", "c"]

    async def test_in_the_line_are_given_up_in_time(self) -> None:
        line = Line()
        for name in "abcd":
            await line.come(name)
        await line.all_refused()
        assert line.refused == ["c", "d"]
        await line.let_go("b")
        await line.come("e")
        assert line.inside == ["a", "b", "e"]

    async def test_go_to_changes_before_reads_but_not_for_ever(self) -> None:
        line = Line(FEW.model_copy(update={"calls_max": 1, "calls_waiting_max": 20}))
        await line.come("first")
        for n in range(2):
            await line.come(f"read {n}")
        for n in range(5):
            await line.come(f"change {n}", Kind.CHANGE)
        for n in range(7):
            await line.let_go(line.inside[n])
        assert [name.split()[0] for name in line.inside[1:]] == ["change"] * 3 + ["read"] + ["change"] * 2 + ["read"]

    async def test_are_not_all_for_one_part_behind(self) -> None:
        """One service that hangs leaves half of all places to the others."""
        line = Line()
        for name in "abc":
            await line.come(name, group="hanging")
        await line.come("other", group="well")
        assert line.inside == ["a", "other"]
        await line.let_go("other")
        await line.come("another", group="well")
        assert line.inside == ["a", "other", "another"]

    async def test_are_kept_apart_for_health_files_and_those_who_wait_for_news(self) -> None:
        line = Line()
        for name in "abcdef":
            await line.come(name)
        for kind in (Kind.VITAL, Kind.FILE, Kind.PATIENT):
            await line.come(kind.value, kind)
        assert line.inside == ["a", "b", "vital", "file", "patient"]

    async def test_are_free_again_when_somebody_leaves_the_line(self) -> None:
        line = Line()
        for name in "abcd":
            await line.come(name)
        await line.give_up("c")
        await line.let_go("a")
        await line.let_go("b")
        assert line.inside == ["a", "b", "d"]
        await line.come("e")
        assert line.inside == ["a", "b", "d", "e"]

    async def test_are_waited_for_only_a_moment_while_the_line_never_empties(self) -> None:
        line = Line(FEW.model_copy(update={"calls_max": 1, "call_wait_s": 0.1, "call_wait_busy_s": 0.01}))
        await line.come("a")
        for name in "bc":
            await line.come(name)
            await asyncio.sleep(0.06)
        await line.come("d")
        await line.all_refused()
        assert line.refused.index("d") < line.refused.index("c")
