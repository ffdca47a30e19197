"""What people ask of a province's dossiers, tasks and results, each as the service's own query asks it."""

import hashlib
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks import province
from benchmarks.province import Table
from services.intake import queries as intake
from services.intake.states import DossierStatus
from services.results import queries as results
from services.results.states import ResultStatus
from services.workflow import queries as workflow
from services.workflow.states import CaseStatus, TaskStatus
from shared import clock
from shared.caller import Caller
from shared.ids import first_id_at

PAGE = 50
LATER = "twenty days back"
CALLERS = {
    "the province": Caller("bench", "H32"),
    "a busy agency": Caller("bench", "H32.01"),
    "a quiet commune": Caller("bench", "H32.56.001"),
}
Ask = Callable[[AsyncSession, random.Random], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Question:
    """Something people ask: in words, and as the service's own query asks it."""

    words: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Service:
    """A service with the tables that are filled and the questions that are asked."""

    name: str
    tables: tuple[Table, ...]
    questions: tuple[Question, ...]


def services() -> tuple[Service, ...]:
    """Return what is asked of whom."""
    return (
        Service("intake", (province.DOSSIER, province.SUPPLEMENT), _of_intake()),
        Service("workflow", (province.CASE, province.TASK), _of_workflow()),
        Service("results", (province.SLICE, province.RESULT, province.SCAN), _of_results()),
    )


def _of_intake() -> tuple[Question, ...]:
    wanted = intake.DossierFilter
    asked: dict[str, Callable[[random.Random], intake.DossierFilter]] = {
        "newest dossiers": lambda _: wanted(),
        "waiting for acceptance": lambda _: wanted(status=DossierStatus.SUBMITTED),
        "waiting for a supplement": lambda _: wanted(status=DossierStatus.SUPPLEMENT_REQUESTED),
        "rejected": lambda _: wanted(status=DossierStatus.REJECTED),
        "of one procedure": lambda chance: wanted(procedure=_procedure(chance)),
        "supplement overdue": lambda _: wanted(supplement_overdue=True, now=clock.now()),
    }

    def dossiers(caller: Caller, words: str) -> Ask:
        async def ask(session: AsyncSession, chance: random.Random) -> object:
            return await intake.list_dossiers(session, asked[words](chance), caller=caller, limit=PAGE)

        return ask

    def later(caller: Caller, _: str) -> Ask:
        async def ask(session: AsyncSession, chance: random.Random) -> object:
            after = (clock.now() - timedelta(days=20 + chance.random()), "")
            return await intake.list_dossiers(session, wanted(), caller=caller, limit=PAGE, after=after)

        return ask

    async def of_owner(session: AsyncSession, chance: random.Random) -> object:
        owner = hashlib.md5(str(chance.randrange(50_000)).encode(), usedforsecurity=False).hexdigest()
        return await intake.list_open_of_owner(session, procedure=_procedure(chance), owner_key=owner, limit=5)

    return (
        *_by_callers(asked, dossiers),
        *_by_callers([LATER], later),
        Question("an owner's open dossiers of a procedure", of_owner),
    )


def _of_workflow() -> tuple[Question, ...]:
    page, task, case, now = workflow.Page(limit=PAGE), workflow.TaskFilter, workflow.CaseFilter, clock.now()
    of_tasks: dict[str, Callable[[list[str]], workflow.TaskFilter]] = {
        "open tasks": lambda _: task(),
        "open tasks of a unit": lambda _: task(unit="expert"),
        "an official's tasks": lambda who: task(officials=who),
        "overdue tasks": lambda _: task(overdue_at=now),
        "tasks of a role": lambda _: task(role="officer"),
        "tasks of a role that nobody has": lambda _: task(role="nobody"),
        "tasks a unit has done": lambda _: task(unit="reception", status=TaskStatus.DONE),
        "tasks an official has done": lambda who: task(officials=who, status=TaskStatus.DONE),
    }
    of_cases = {
        "running cases": case(),
        "overdue cases": case(overdue_at=now),
        "completed cases": case(status=CaseStatus.COMPLETED),
        "completed late": case(status=CaseStatus.COMPLETED, overdue_at=now),
        "stopped cases": case(status=CaseStatus.STOPPED),
    }

    def tasks(caller: Caller, words: str) -> Ask:
        async def ask(session: AsyncSession, chance: random.Random) -> object:
            wanted = of_tasks[words]([f"{caller.agency}/{chance.randrange(10)}"])
            return await workflow.list_tasks(session, caller=caller, wanted=wanted, page=page)

        return ask

    def cases(caller: Caller, words: str) -> Ask:
        async def ask(session: AsyncSession, _: random.Random) -> object:
            return await workflow.list_cases(session, caller=caller, wanted=of_cases[words], page=page)

        return ask

    return (*_by_callers(of_tasks, tasks), *_by_callers(of_cases, cases))


def _of_results() -> tuple[Question, ...]:
    statuses = {
        "newest results": None,
        "drafts": ResultStatus.DRAFT,
        "issued, not returned": ResultStatus.ISSUED,
        "revoked": ResultStatus.REVOKED,
    }

    def listed(caller: Caller, words: str) -> Ask:
        async def ask(session: AsyncSession, chance: random.Random) -> object:
            before = first_id_at(clock.now() - timedelta(days=20 + chance.random())) if words == LATER else None
            status = statuses.get(words)
            return await results.list_results(
                session, caller, dossier_code=None, status=status, before=before, limit=PAGE
            )

        return ask

    def scans(caller: Caller, words: str) -> Ask:
        async def ask(session: AsyncSession, _: random.Random) -> object:
            kind_code = "KQ.7" if words == "scans of a kind" else None
            return await results.list_digitised(session, caller, kind_code=kind_code, limit=PAGE)

        return ask

    async def named(session: AsyncSession, chance: random.Random) -> object:
        return await results.list_issued(session, reference=f"{chance.randrange(5_000, 50_000)}/GP-UBND")

    async def scanned(session: AsyncSession, chance: random.Random) -> object:
        return await results.list_digitised_named(session, reference=f"{chance.randrange(50_000)}/CU-UBND")

    async def held(session: AsyncSession, chance: random.Random) -> object:
        owner = f"056090{chance.randrange(50_000):06d}"
        return await results.list_digitised_of(session, identity_number=owner, on=clock.now().date())

    async def plans(session: AsyncSession, chance: random.Random) -> object:
        del chance
        return await results.get_done(session, as_of=clock.now().date())

    return (
        *_by_callers([*statuses, LATER], listed),
        *_by_callers(["newest scans", "scans of a kind"], scans),
        Question("public check by number", named),
        Question("a scan by number", scanned),
        Question("what an owner holds", held),
        Question("where the plans stand", plans),
    )


def _by_callers(asked: Iterable[str], ask: Callable[[Caller, str], Ask]) -> list[Question]:
    return [Question(f"{words}, {who}", ask(caller, words)) for words in asked for who, caller in CALLERS.items()]


def _procedure(chance: random.Random) -> str:
    return f"1.{chance.randrange(400):06d}"
