"""Migrates the database of results."""

from services.results.models import ResultsBase
from shared.migrations import run_env

run_env(ResultsBase.metadata)
