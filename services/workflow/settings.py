"""Workflow needs no settings beyond those of every service."""

from shared.settings import ServiceSettings


class WorkflowSettings(ServiceSettings):
    """Read from the environment, prefix MOTCUA_."""
