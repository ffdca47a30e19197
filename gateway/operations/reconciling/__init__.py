"""Comparing what the portal holds with what we told it, every day, both ways; telling anew what it lost."""

from gateway.operations.reconciling.acts import explain, redrive_difference, redrive_dossier, request_run
from gateway.operations.reconciling.daily import Reconciler
from gateway.operations.reconciling.judging import HOSO_ALONE, Finding, Kind, Told, judge, remedy_of
from gateway.operations.reconciling.redriving import redrive
from gateway.operations.reconciling.run import PortalAway, Run, RunPlan, period_of, statuses_of

__all__ = [
    "HOSO_ALONE",
    "Finding",
    "Kind",
    "PortalAway",
    "Reconciler",
    "Run",
    "RunPlan",
    "Told",
    "explain",
    "judge",
    "period_of",
    "redrive",
    "redrive_difference",
    "redrive_dossier",
    "remedy_of",
    "request_run",
    "statuses_of",
]
