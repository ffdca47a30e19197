"""The gateway, workflow and the mocked portal as real processes on real servers; the other services are away."""

import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey

from deploy.local import ports
from deploy.local.program import HttpProgram
from shared.broker import Broker
from shared.events.envelope import RawEvent
from shared.ids import new_id
from shared.migrations import upgrade
from tests.portal.process import PASSWORD, USERNAME, PortalProcess

CLIENTS = {
    "ops": "ops:read ops:act services:read services:write webhooks:read webhooks:write",
    "ops-second": "ops:read ops:act",
    "watcher": "ops:read services:read webhooks:read",
    "looker": "ops:read",
    "one-stop": "dossiers:read tasks:read",
}
SECRET = "a secret of the tests"
AGENCY = "H32"
EVERYTHING = [{"service": "*"}]
KEY = base64.b64encode(bytes(range(32))).decode()
ATTEMPTS_MAX = 2


class House:
    """Starts everything in a folder; `url` is the gateway's."""

    def __init__(self, folder: Path, *, database_urls: Mapping[str, str], amqp_url: str, management_url: str) -> None:
        self.folder = folder
        self.amqp_url = amqp_url
        self._management_url = management_url
        self.database_urls = database_urls
        self._ports = ports.choose(folder / "ports.json", ["gateway", "workflow"])
        self.url = f"http://127.0.0.1:{self._ports['gateway']}"
        (folder / "portal").mkdir()
        self.portal = PortalProcess(folder / "portal", gateway_url=self.url)
        self.workflow = self._program("workflow", {})
        self.gateway = self._program("gateway", self._gateway_settings())

    def migrate(self) -> None:
        """Bring both databases to their newest version; runs an event loop of its own."""
        for name, package in (("gateway", "gateway"), ("workflow", "services.workflow")):
            upgrade(package, self.database_urls[name])

    def start(self) -> None:
        """Start the portal, the gateway and workflow; they live as long as the calling thread."""
        self.portal.start()
        self.gateway.spawn()
        self.workflow.start()
        self.gateway.start()

    def stop(self) -> None:
        """Stop all."""
        self.gateway.stop()
        self.workflow.stop()
        self.portal.kill()

    def _program(self, name: str, settings: Mapping[str, str]) -> HttpProgram:
        port = self._ports[name]
        return HttpProgram(
            name,
            log=self.folder / f"{name}.log",
            pid_file=self.folder / f"{name}.json",
            command=[sys.executable, "-m", "deploy.cli", "serve", name, "--host", "127.0.0.1", "--port", str(port)],
            environment={
                "MOTCUA_DATABASE_URL": self.database_urls[name],
                "MOTCUA_AMQP_URL": self.amqp_url,
                "MOTCUA_ISSUER": self.url,
                "MOTCUA_JWKS_URL": f"{self.url}/.well-known/jwks.json",
                "MOTCUA_ATTEMPTS_MAX": str(ATTEMPTS_MAX),
                "MOTCUA_RETRY_FIRST_S": "0.05",
                **settings,
            },
            url=f"http://127.0.0.1:{port}",
        )

    def _gateway_settings(self) -> Mapping[str, str]:
        key_file, clients_file = self.folder / "key.json", self.folder / "clients.json"
        key_file.write_text(json.dumps(ECKey.generate_key("P-256", private=True).as_dict(private=True)))
        clients_file.write_text(json.dumps([_client(name, scopes) for name, scopes in CLIENTS.items()]))
        return {
            "MOTCUA_SIGNING_KEY_FILE": str(key_file),
            "MOTCUA_CLIENTS_FILE": str(clients_file),
            "MOTCUA_WORKFLOW_URL": f"http://127.0.0.1:{self._ports['workflow']}",
            **{f"MOTCUA_{name}_URL": "http://127.0.0.1:9" for name in ("INTAKE", "PAYMENT", "RESULTS")},
            "MOTCUA_PORTAL_URL": self.portal.url,
            "MOTCUA_PORTAL_USERNAME": USERNAME,
            "MOTCUA_PORTAL_PASSWORD": PASSWORD,
            "MOTCUA_PORTAL_RETRY_LAST_S": "2",
            "MOTCUA_RABBITMQ_API_URL": self._management_url,
            "MOTCUA_DATA_SERVICE_HOSTS": ports.LOOPBACK,
            "MOTCUA_SEALING_KEYS": KEY,
            "MOTCUA_OUTGOING_ALLOWED": "127.0.0.1/32",
            "MOTCUA_OUTGOING_PORTS": "1-65535",
            "MOTCUA_OUTGOING_HTTP": "true",
            # A message is given up after its second attempt.
            "MOTCUA_WEBHOOK_SCHEDULE_S": "0.2",
        }

    async def let_intake_listen(self) -> None:
        """Make the queues of a service that is not here: what only it hears would keep workflow waiting."""
        broker = Broker(self.amqp_url, service="intake")
        async with broker.channel("declare") as channel:
            await broker.declare(channel, ["workflow.calendar.published.v1"])

    async def tell(self, events: Iterable[RawEvent]) -> None:
        """Publish events as the services whose facts they are."""
        async with Broker(self.amqp_url, service="tests").channel("tell") as channel:
            await channel.publish(list(events))

    async def token(self, client_id: str) -> str:
        """Return an access token with all of a client's rights."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": SECRET}
        async with httpx.AsyncClient(base_url=self.url) as client:
            return (await client.post("/oauth/token", data=form)).raise_for_status().json()["access_token"]

    async def ask(self, client_id: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Make one call through the door as a client."""
        headers = {
            "Authorization": f"Bearer {await self.token(client_id)}",
            "Idempotency-Key": str(new_id()),
            **options.pop("headers", {}),
        }
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            return await client.request(method, path, headers=headers, **options)

    async def overview(self) -> dict[str, Any]:
        """Return what the console shows, as JSON."""
        return (await self.ask("ops", "GET", "/api/v1/ops/overview")).raise_for_status().json()

    def misbehave(self, **fault: Any) -> None:
        """Let the portal do as a fault says (its control room knows which there are)."""
        httpx.post(f"{self.portal.url}/_control/faults", json=fault).raise_for_status()

    def behave(self) -> None:
        """End the portal's faults."""
        httpx.delete(f"{self.portal.url}/_control/faults").raise_for_status()


def _client(client_id: str, scopes: str) -> dict[str, object]:
    return {
        "client_id": client_id,
        "name": client_id,
        "agency": AGENCY,
        "scopes": scopes.split(),
        "secret_sha256": hashlib.sha256(SECRET.encode()).hexdigest(),
        "grants": EVERYTHING,
    }
