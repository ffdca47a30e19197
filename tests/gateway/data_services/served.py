"""A gateway with data services as a process of its own; whoever calls may call every service."""

import json
from pathlib import Path

from deploy.local import ports
from tests.gateway.conftest import settings_of
from tests.gateway.data_services.conftest import KEY
from tests.gateway.process import GatewayProcess

EVERYTHING = [{"service": "*"}]
NOWHERE = "http://127.0.0.1:9"


def open_to_all(folder: Path, database_url: str, files: dict[str, str]) -> GatewayProcess:
    """Return a gateway that takes bodies of any size from everybody for every service."""
    clients = json.loads(Path(files["clients_file"]).read_text())
    clients_file = folder / "clients.json"
    clients_file.write_text(json.dumps([{**one, "grants": EVERYTHING} for one in clients]))
    settings = settings_of(
        database_url,
        NOWHERE,
        {**files, "clients_file": str(clients_file)},
        body_bytes_max=1024 * 1024 * 1024,
        data_service_hosts=ports.LOOPBACK,
        sealing_keys=KEY,
    )
    return GatewayProcess(folder, settings)
