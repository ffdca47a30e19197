"""The portal as a process of its own, started and ended by tests."""

from pathlib import Path

from tests.support.served import Served

USERNAME, PASSWORD = "tinh", "mat-khau-thu"
PARTNER, SECRET = "PARTNER01", "SECRET"
SETTINGS = {
    "portal_username": USERNAME,
    "portal_password": PASSWORD,
    "platform_partner": PARTNER,
    "platform_secret": SECRET,
    "portal_client_id": "national-portal",
    "portal_client_secret": "client-secret",
    "portal_retry_first_s": "0.02",
    "portal_retry_last_s": "0.1",
    "portal_attempts_max": "5",
    "portal_gateway_timeout_s": "2",
}


class PortalProcess(Served):
    """Runs `python -m deploy.portal` in a folder."""

    def __init__(self, folder: Path, *, gateway_url: str, **settings: str) -> None:
        own = {**SETTINGS, "gateway_url": gateway_url, **settings}
        super().__init__(folder, "deploy.portal", "--folder", str(folder), settings=own)
