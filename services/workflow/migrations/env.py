"""Migrates workflow's database."""

from services.workflow.models import WorkflowBase
from shared.migrations import run_env

run_env(WorkflowBase.metadata)
