"""HTTP in: worklists and what officials do with tasks and cases."""

from services.workflow.routes.calendars import calendars, clocks
from services.workflow.routes.cases import cases
from services.workflow.routes.offices import consultations, delegations, notices, officials
from services.workflow.routes.processes import processes
from services.workflow.routes.slips import printed
from services.workflow.routes.statistics import statistics, unentered
from services.workflow.routes.tasks import tasks

ROUTERS = (
    tasks,
    consultations,
    statistics,
    unentered,
    cases,
    printed,
    delegations,
    officials,
    notices,
    calendars,
    clocks,
    processes,
)

__all__ = ["ROUTERS"]
