"""Workflow's tables: versions of processes, cases, their tasks, and the ledger of each case's clock."""

from services.workflow.models.cases import AT_WORK, UNDER_WAY, Case, ClockEntry, ProcessVersion, Task, WorkflowBase

__all__ = ["AT_WORK", "UNDER_WAY", "Case", "ClockEntry", "ProcessVersion", "Task", "WorkflowBase"]
