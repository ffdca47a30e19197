"""Processes: taking the definitions that intake publishes."""

from graphlib import CycleError, TopologicalSorter

from services.workflow import queries
from services.workflow.errors import ProcessInvalid, ProcessVersionTaken
from services.workflow.models import ProcessVersion
from shared.events.values import Process
from shared.work import Work


async def keep_process(work: Work, *, procedure_code: str, version: int, process: Process) -> None:
    """Keep a version of a procedure's process; the same one again changes nothing.

    Raises ProcessInvalid when its steps cannot be run, ProcessVersionTaken when the version has other steps already.
    """
    known = await queries.find_process(work.session, procedure_code, version)
    if known == process:
        return
    if known is not None:
        raise ProcessVersionTaken(f"{procedure_code} has a version {version} with other steps: publish a new version.")
    check(process)
    queries.desk(work.session).processes[procedure_code, version] = process
    definition = process.model_dump(mode="json")
    work.session.add(ProcessVersion(procedure_code=procedure_code, version=version, definition=definition))


def check(process: Process) -> None:
    """Check that every case of a process comes to its end; raises ProcessInvalid naming the step that is wrong."""
    keys = [step.key for step in process.steps]
    if not keys:
        raise ProcessInvalid(f"Process {process.code} has no steps.")
    if len(set(keys)) < len(keys):
        raise ProcessInvalid(f"Process {process.code} has two steps of one key.")
    for step in process.steps:
        if strangers := set(step.after) - set(keys):
            raise ProcessInvalid(f"Step {step.key} of {process.code} comes after unknown steps {sorted(strangers)}.")
        if not step.unit or not step.role:
            raise ProcessInvalid(f"Step {step.key} of {process.code} has no unit or no role.")
        if step.minutes < 0:
            raise ProcessInvalid(f"Step {step.key} of {process.code} takes less than no time.")
    try:
        TopologicalSorter({step.key: step.after for step in process.steps}).prepare()
    except CycleError as problem:
        raise ProcessInvalid(f"Steps of {process.code} wait for each other: {problem.args[1]}.") from problem
