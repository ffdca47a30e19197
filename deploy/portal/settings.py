"""Settings of the portal's process, from the environment (prefix MOTCUA_)."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

CATALOGUE = Path(__file__).parents[2] / "services" / "intake" / "data" / "catalogue.json"
"""The national catalogue and the province's sample are one file: the province imports what the portal publishes."""


class PortalSettings(BaseSettings):
    """Who may log in, how the portal behaves, and where the province's gateway is."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", frozen=True)

    portal_folder: Path = Path(".run/portal")
    portal_username: str
    portal_password: SecretStr
    portal_session_s: float = 600
    """Life of a session from its login."""
    portal_success_codes: Literal["int", "string", "double", "mixed"] = "int"
    """Success as 0, "0" or "00", or each in turn: the real portal's quirk."""
    portal_batch_max: int = 1000
    """Rows that one call may carry."""
    catalogue_file: Path = CATALOGUE

    portal_public_url: str = ""
    """Where the province fetches files from; empty: as the control room was addressed."""
    gateway_url: str = "http://127.0.0.1:8000"
    portal_client_id: str = "national-portal"
    portal_client_secret: SecretStr = SecretStr("")
    portal_attempts_max: int = 8
    """Attempts at handing a submitted dossier or a payment callback to the gateway."""
    portal_retry_first_s: float = 0.25
    portal_retry_last_s: float = 8.0
    portal_gateway_timeout_s: float = 15.0

    platform_partner: str
    """MaDoiTac: the province's partner code at the payment platform."""
    platform_secret: SecretStr
    log_level: str = "INFO"
