"""Workflow's settings beyond those of every service: the office's rules, its directory of officials, its rounds."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class WorkflowSettings(ServiceSettings):
    """Read from the environment, prefix MOTCUA_."""

    rules_file: Path | None = None
    """Extension and escalation rules (JSON); empty takes those that ship with the service."""
    escalation_pause_s: float = 60.0
    """Between two rounds that look for nearing and missed dates; 0 makes none."""
    calendars_pause_s: float = Field(default=5.0, gt=0)
    """Between two rounds that bring cases to the calendars in force."""
    directory_url: str = ""
    """SCIM 2.0 service whose /Users are the officials, such as https://id.example.gov.vn/scim/v2; empty pulls none."""
    directory_token: SecretStr = SecretStr("")
    """Bearer token for the directory."""
    directory_pause_s: float = 900.0
    """Between two pulls from the directory."""
    directory_leavers_max: float = 0.2
    """The share of an agency's accounts that one pull may deactivate; beyond it, it changes nothing and says so."""
