"""The gateway as a process of its own, to be killed."""

from pathlib import Path

from gateway.settings import GatewaySettings
from tests.support.served import Served


class GatewayProcess(Served):
    """Runs `motcua serve gateway` with settings; it is ready when it lives (a test may have no broker)."""

    def __init__(self, folder: Path, settings: GatewaySettings) -> None:
        said = {name: getattr(settings, name) for name in settings.model_fields_set}
        super().__init__(folder, "deploy.cli", "serve", "gateway", settings=said, ready_path="/health/live")
