"""The services, the gateway and the mocked outside (portal, VNPAY, bank) of the local stack, with their settings."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.authority.certificates import CA_FILE as AUTHORITY_CA_FILE
from deploy.authority.certificates import ensure_certificates
from deploy.local import ports
from deploy.local.clients import (
    describe_clients,
    ensure_evidence_key,
    ensure_signing_key,
    sealing_key,
    write_clients,
)
from deploy.local.folder import RunFolder, Secrets, write_json
from deploy.local.program import HttpProgram
from deploy.local.seals import CA_FILE, SEAL_NAME, ensure_seals
from deploy.local.servers import Phase, Servers
from deploy.packages import PACKAGES

PREFERRED_PORTS = {
    "gateway": 8000,
    "portal": 8090,
    "vnpay": 8091,
    "bank": 8092,
    "authority": 8093,
    "ministries": 8094,
    "sandbox": 8095,
}
OUTSIDE = ("portal", "vnpay", "bank", "authority", "ministries", "sandbox")
"""What belongs to others and is mocked here."""
PARTNER = "H32"
ACCOUNT = {"bank_bin": "970415", "number": "3712012345678", "name": "KHO BAC NHA NUOC KHU VUC (THU)"}
"""Where demo transfers go to; no real account."""
PORTAL_USER = "motcua-h32"


class Stack:
    """Everything that runs below one run folder."""

    ready_timeout_s: float = 120

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._secrets = Secrets(folder.path / "secrets.json")
        self.servers = Servers(folder, self._secrets)

    def phases(self) -> Sequence[Phase]:
        """Return the servers that must be ready before the programs start."""
        return self.servers.phases()

    @cached_property
    def programs(self) -> Sequence[HttpProgram]:
        """Services, the mocked outside and gateway, in the order in which they start; they stop in the opposite one."""
        ensure_signing_key(self._signing_key_file)
        ensure_evidence_key(self.folder.evidence_key)
        write_clients(self._clients_file, self._secrets)
        services = [self._service(name) for name in PACKAGES if name != "gateway"]
        mocks = [self._mock(name) for name in ("vnpay", "bank", "ministries")]
        outside = [self._portal(), *mocks, self._authority(), self._sandbox()]
        return [*services, *outside, self._service("gateway")]

    @cached_property
    def _ports(self) -> Mapping[str, int]:
        names = [*PACKAGES, *OUTSIDE]
        return ports.choose(self.folder.path / "ports.json", names, preferred=PREFERRED_PORTS)

    def _url(self, name: str) -> str:
        return f"http://{ports.LOOPBACK}:{self._ports[name]}"

    def _service(self, name: str) -> HttpProgram:
        return self._program(name, ["serve", name], {**self._common(name), **dict(self._special(name))})

    def _portal(self) -> HttpProgram:
        settings = {
            "MOTCUA_GATEWAY_URL": self._url("gateway"),
            "MOTCUA_PORTAL_PUBLIC_URL": self._url("portal"),
            "MOTCUA_PORTAL_CLIENT_SECRET": self._secrets("client-national-portal"),
            **self._portal_login(),
            **self._platform_login(),
        }
        return self._program("portal", ["portal", "--folder", str(self.folder.path / "portal")], settings)

    def _mock(self, name: str) -> HttpProgram:
        own = {
            key: value for key, value in self._providers_login().items() if key.startswith(f"MOTCUA_{name.upper()}_")
        }
        if name == "ministries":
            own["MOTCUA_MINISTRIES_SECRET"] = self._secrets("ministries")
        settings = {"MOTCUA_GATEWAY_URL": self._url("gateway"), **own}
        return self._program(name, [name, "--folder", str(self.folder.path / name)], settings)

    def _authority(self) -> HttpProgram:
        return self._program("authority", ["authority", "--folder", str(self.folder.authority)], {})

    def _sandbox(self) -> HttpProgram:
        client = "sandbox-office"
        settings = {
            "MOTCUA_GATEWAY_URL": self._url("gateway"),
            "MOTCUA_SANDBOX_CLIENT": client,
            "MOTCUA_SANDBOX_SECRET": self._secrets(f"client-{client}"),
            "MOTCUA_SANDBOX_SEAL_FILE": str(self._seals() / f"{PARTNER}.p12"),
            "MOTCUA_SANDBOX_SEAL_PASSWORD": self._secrets("seals"),
        }
        return self._program("sandbox", ["sandbox", "--folder", str(self.folder.path / "sandbox")], settings)

    def _program(self, name: str, arguments: list[str], settings: Mapping[str, str]) -> HttpProgram:
        address = ["--host", ports.LOOPBACK, "--port", str(self._ports[name])]
        return HttpProgram(
            name,
            log=self.folder.logs / f"{name}.log",
            pid_file=self.folder.pids / f"{name}.json",
            command=[sys.executable, "-m", "deploy.cli", *arguments, *address],
            environment={"PYTHONUNBUFFERED": "1", **settings},
            url=self._url(name),
        )

    def _common(self, service: str) -> Mapping[str, str]:
        return {
            "MOTCUA_DATABASE_URL": self.servers.database_url(service),
            "MOTCUA_AMQP_URL": self.servers.amqp_url(service),
            "MOTCUA_ISSUER": self._url("gateway"),
            "MOTCUA_JWKS_URL": self._url("gateway") + "/.well-known/jwks.json",
        }

    def _special(self, service: str) -> Iterator[tuple[str, str]]:
        if service in ("intake", "results"):
            folder = self.folder.storage / service
            folder.mkdir(exist_ok=True)
            yield "MOTCUA_STORAGE_URL", folder.as_uri()
        if service == "payment":
            yield "MOTCUA_PLATFORM_URL", self._url("portal")
            # The mocked platform is near: ask sooner about a payment nobody confirmed, and do not wait long.
            yield "MOTCUA_PLATFORM_ASK_AFTER_S", "3"
            yield "MOTCUA_PLATFORM_TIMEOUT_S", "5"
            yield from self._platform_login().items()
            yield from self._providers_login().items()
            yield "MOTCUA_VNPAY_URL", self._url("vnpay")
            yield "MOTCUA_VNPAY_PAY_URL", self._url("vnpay")
            yield "MOTCUA_VNPAY_RETURN_URL", self._url("gateway")
            yield "MOTCUA_BANK_URL", self._url("bank")
            ways = ["national_platform", "vnpay", "vietqr", "cash"]
            yield "MOTCUA_PROVIDER_ROUTES", json.dumps([{"agency": PARTNER, "providers": ways, "account": ACCOUNT}])
            yield "MOTCUA_SEALS_FOLDER", str(self._seals())
            yield "MOTCUA_SEALS_PASSWORD", self._secrets("seals")
        if service == "results":
            yield "MOTCUA_TRUST_FOLDER", str(self._trust())
        if service == "gateway":
            yield from self._gateway_settings().items()

    def _seals(self) -> Path:
        """Return the folder of the stack's own seals, made at the first start."""
        seals = self.folder.path / "seals"
        ensure_seals(seals, agency=PARTNER, name=SEAL_NAME, password=self._secrets("seals"))
        return seals

    def _trust(self) -> Path:
        """Return the folder of trust lists: one, of the authority that certified the stack's own seals."""
        trust = self.folder.path / "trust"
        mine = trust / "stack"
        mine.mkdir(parents=True, exist_ok=True)
        (mine / CA_FILE).write_bytes((self._seals() / CA_FILE).read_bytes())
        return trust

    def _timestamp_trust(self) -> Path:
        """Return the root of the stack's own time-stamping authority, made at the first start."""
        ensure_certificates(self.folder.authority)
        return self.folder.authority / AUTHORITY_CA_FILE

    def _gateway_settings(self) -> Mapping[str, str]:
        upstreams = {f"MOTCUA_{name.upper()}_URL": self._url(name) for name in PACKAGES if name != "gateway"}
        return {
            **upstreams,
            **self._portal_login(),
            "MOTCUA_PORTAL_URL": self._url("portal"),
            "MOTCUA_PORTAL_DIALECT": os.environ.get("MOTCUA_PORTAL_DIALECT", "legacy"),
            # The mocked portal is near and misbehaves only for moments.
            "MOTCUA_PORTAL_TIMEOUT_S": "10",
            "MOTCUA_PORTAL_RETRY_LAST_S": "5",
            "MOTCUA_PORTAL_RECONCILE_PER_S": "500",
            "MOTCUA_SIGNING_KEY_FILE": str(self._signing_key_file),
            "MOTCUA_EVIDENCE_KEY_FILE": str(self.folder.evidence_key),
            "MOTCUA_EVIDENCE_FOLDER": str(self.folder.evidence),
            "MOTCUA_TIMESTAMP_AUTHORITY_URL": self._url("authority"),
            "MOTCUA_TIMESTAMP_AUTHORITY_TRUST": str(self._timestamp_trust()),
            "MOTCUA_CLIENTS_FILE": str(self._clients_file),
            "MOTCUA_DATA_SERVICE_HOSTS": ports.LOOPBACK,
            "MOTCUA_SEALING_KEYS": sealing_key(self._secrets("sealing")),
            # Receivers of webhooks that are tried out here run on this very machine.
            "MOTCUA_OUTGOING_ALLOWED": "127.0.0.0/8,localhost",
            "MOTCUA_OUTGOING_PORTS": "1-65535",
            "MOTCUA_OUTGOING_HTTP": "true",
            "MOTCUA_RABBITMQ_API_URL": self.servers.management_url("gateway"),
        }

    def _portal_login(self) -> Mapping[str, str]:
        return {"MOTCUA_PORTAL_USERNAME": PORTAL_USER, "MOTCUA_PORTAL_PASSWORD": self._secrets("portal")}

    def _platform_login(self) -> Mapping[str, str]:
        return {"MOTCUA_PLATFORM_PARTNER": PARTNER, "MOTCUA_PLATFORM_SECRET": self._secrets("platform")}

    def _providers_login(self) -> Mapping[str, str]:
        return {
            "MOTCUA_VNPAY_TMN_CODE": f"DEMO{PARTNER}",
            "MOTCUA_VNPAY_SECRET": self._secrets("vnpay"),
            "MOTCUA_BANK_CLIENT": PARTNER,
            "MOTCUA_BANK_SECRET": self._secrets("bank"),
        }

    @property
    def _signing_key_file(self) -> Path:
        return self.folder.path / "signing-key.json"

    @property
    def _clients_file(self) -> Path:
        return self.folder.path / "clients.json"

    def write_description(self) -> None:
        """Write stack.json: what tools and people need to use the running stack, secrets included."""
        processes = {program.name: {"url": program.url, "pid": program.pid} for program in self.programs}
        content: dict[str, Any] = {
            "gateway_url": self._url("gateway"),
            "ops_url": self._url("gateway") + "/console",
            **{name: processes.pop(name) for name in OUTSIDE},
            "services": processes,
            "postgres": self._describe_postgres(),
            "rabbitmq": self._describe_rabbitmq(),
            "clients": describe_clients(self._secrets),
            "evidence": {
                "key_file": str(self.folder.evidence_key),
                "witness": str(self.folder.evidence),
                "authority": str(self._timestamp_trust()),
            },
            "ministries_secret": self._secrets("ministries"),
            "seal": {"file": str(self._seals() / f"{PARTNER}.p12"), "password": self._secrets("seals")},
        }
        write_json(self.folder.stack, content)

    def _describe_postgres(self) -> Mapping[str, object]:
        place = urlsplit(self.servers.postgres_admin_url)
        return {
            "host": place.hostname,
            "port": place.port or 5432,
            "admin_url": self.servers.postgres_admin_url,
            "urls": {service: self.servers.database_url(service) for service in PACKAGES},
        }

    def _describe_rabbitmq(self) -> Mapping[str, object]:
        admin = urlsplit(self.servers.management_admin_url)
        bare = admin._replace(netloc=admin.netloc.rpartition("@")[2]).geturl()
        return {
            "amqp_url": self.servers.amqp_admin_url,
            "management_url": bare,
            "username": admin.username,
            "password": admin.password,
        }
