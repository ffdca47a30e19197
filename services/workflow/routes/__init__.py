"""HTTP in: worklists and what officials do with tasks and cases."""

from services.workflow.routes.cases import cases, tasks

ROUTERS = (tasks, cases)

__all__ = ["ROUTERS"]
