"""Random legal lives: every turn a dossier may take, as often as it likes, over days."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.gateway.lives import CITIZEN, COMPANY, Life, document

TURNS_MAX = 3
METHODS = ("national_platform", "vnpay", "vietqr", "cash")


class Wanderer:
    """Leads a life by chance; the same seed leads the same one."""

    def __init__(self, code: str, chance: random.Random, *, began: datetime, hours: float) -> None:
        self.chance = chance
        start = began + timedelta(hours=chance.uniform(0, hours * 0.6))
        self.life = Life(code=code, now=start, due=start + timedelta(days=5))
        self._pause_h = hours * 0.05
        self._assessed = False

    def wander(self) -> Life:
        """Live to one of the ends, or stop on the way."""
        life = self.life
        owner = self.chance.choice((CITIZEN, COMPANY))
        papers = tuple(document(f"Giấy tờ {n}", digitised=n % 2 == 0) for n in range(self.chance.randrange(4)))
        life.submit(owner, documents=papers)
        for _ in range(self.chance.randrange(TURNS_MAX)):
            self._wait()
            life.ask()
            self._wait()
            life.answer(document("Bổ sung"))
        self._wait()
        end = self.chance.random()
        if end < 0.1:
            life.reject()
        elif end < 0.15:
            life.withdraw()
        elif end < 0.9:
            self._process()
        return life

    def _process(self) -> None:
        life = self.life
        accepted = life.accept()
        if self.chance.random() < 0.6:
            life.assess(accepted)
            self._assessed = True
        life.start(accepted)
        turns: list[Callable[[], None]] = [self._papers, self._stop, self._work]
        for _ in range(self.chance.randrange(TURNS_MAX + 1)):
            self._wait()
            self.chance.choice(turns)()
        if self._assessed:
            self._pay()
        self._wait()
        end = self.chance.random()
        if end < 0.08:
            life.withdraw(life.end_case(life.want_back()))
        elif end < 0.9:
            life.issue()
            completed = life.complete()
            self._wait()
            if self.chance.random() < 0.9:
                life.hand_over(completed)

    def _papers(self) -> None:
        asked = self.life.pause_for_papers()
        self._wait()
        self.life.resume("supplement", self.life.provide(asked))

    def _stop(self) -> None:
        self.life.stop()
        self._wait()
        self.life.resume("stop")

    def _work(self) -> None:
        self.life.work()

    def _pay(self) -> None:
        if self.chance.random() < 0.5:
            self.life.pause_for_payment()
            self._wait()
            self.life.resume("payment", self.life.pay(self.chance.choice(METHODS)))
        else:
            self.life.pay(self.chance.choice(METHODS))

    def _wait(self) -> None:
        self.life.now += timedelta(hours=self.chance.uniform(0, self._pause_h))


def wander(count: int, *, began: datetime, hours: float, seed: int) -> list[Life]:
    """Return so many lives that begin within hours of a moment."""
    chance = random.Random(seed)
    day = f"{began:%y%m%d}"
    return [
        Wanderer(f"H32.{number % 40:02}-{day}-{number:05}", chance, began=began, hours=hours).wander()
        for number in range(count)
    ]
