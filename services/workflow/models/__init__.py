"""Workflow's tables: processes, cases with tasks and clocks, consultations, delegations, accounts, notices, slips."""

from services.workflow.models.accounts import Account, Assignment, StaffedAgency, Unit
from services.workflow.models.calendars import CalendarVersion, DueDateChange
from services.workflow.models.cases import (
    AT_WORK,
    IN_HAND,
    UNDER_WAY,
    Case,
    ClockEntry,
    ProcessVersion,
    Task,
    WorkflowBase,
    branch,
)
from services.workflow.models.consultations import Consultation, Delegation
from services.workflow.models.notices import EarlyResult, Notice, Slip
from services.workflow.models.processes import DrawnProcess

__all__ = [
    "AT_WORK",
    "IN_HAND",
    "UNDER_WAY",
    "Account",
    "Assignment",
    "CalendarVersion",
    "Case",
    "ClockEntry",
    "Consultation",
    "Delegation",
    "DrawnProcess",
    "DueDateChange",
    "EarlyResult",
    "Notice",
    "ProcessVersion",
    "Slip",
    "StaffedAgency",
    "Task",
    "Unit",
    "WorkflowBase",
    "branch",
]
