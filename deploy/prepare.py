"""The commands `motcua secrets` and `motcua prepare`: what containers need before the services can start in them."""

import base64
import os
import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from deploy.authority.certificates import ensure_certificates
from deploy.local.clients import CLIENTS, describe_clients, ensure_evidence_key, ensure_signing_key, write_clients
from deploy.local.folder import RunFolder, Secrets, write_json, write_private
from deploy.local.seals import SEAL_NAME, ensure_seals
from deploy.local.servers import Servers
from deploy.packages import PACKAGES

OTHER_SECRETS = (
    "POSTGRES_PASSWORD",
    "RABBITMQ_PASSWORD",
    "PORTAL_PASSWORD",
    "PLATFORM_SECRET",
    "SEALS_PASSWORD",
    "VNPAY_SECRET",
    "BANK_SECRET",
    "MINISTRIES_SECRET",
)
PLAYED = {
    "PORTAL_CLIENT_SECRET": "national-portal",
    "LGSP_CLIENT_SECRET": "lgsp-admin",
    "SANDBOX_CLIENT_SECRET": "sandbox-office",
}
"""Clients that containers of ours call as."""
ENVIRONMENT_FILE = "motcua.env"
PROVINCE = "H32"


def _secret_name(client_id: str) -> str:
    return next(client.secret_name for client in CLIENTS if client.client_id == client_id)


def _variable(secret: str) -> str:
    """Return the variable for a secret of deploy.local.servers: `database-intake` is DATABASE_PASSWORD_INTAKE."""
    kind, _, service = secret.partition("-")
    return f"{kind.upper()}_PASSWORD_{service.upper()}"


def make_secrets(
    folder: Annotated[Path, typer.Argument(help="A folder of its own, kept out of version control.")],
) -> None:
    """Make random passwords, the gateway's signing key and its first clients; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    known = Secrets(folder / "client-secrets.json")
    if not (folder / ENVIRONMENT_FILE).exists():
        names = [_variable(f"{kind}-{service}") for kind in ("database", "broker") for service in PACKAGES]
        lines = [f"{name}={secrets.token_urlsafe(24)}" for name in (*names, *OTHER_SECRETS)]
        lines.append(f"SEALING_KEYS={base64.b64encode(secrets.token_bytes(32)).decode()}")
        lines += [f"{name}={known(_secret_name(client_id))}" for name, client_id in PLAYED.items()]
        write_private(folder / ENVIRONMENT_FILE, "\n".join([*lines, ""]))
    ensure_signing_key(folder / "signing-key.json")
    ensure_evidence_key(folder / "evidence-key.json")
    write_clients(folder / "clients.json", known)
    write_json(folder / "clients-with-secrets.json", describe_clients(known))
    _make_seals(folder)
    _make_authority(folder / "authority")
    for name in ("signing-key.json", "evidence-key.json", "clients.json"):
        # Read in a container, by a user whom this machine does not know; the folder keeps others out.
        (folder / name).chmod(0o644)
    typer.echo(f"Secrets are in {folder}.")


def _make_seals(folder: Path) -> None:
    """Make test seals, to be replaced by the agencies' own; their password is in the environment file."""
    lines = (folder / ENVIRONMENT_FILE).read_text(encoding="utf-8").splitlines()
    password = next((line.partition("=")[2] for line in lines if line.startswith("SEALS_PASSWORD=")), "")
    ensure_seals(folder / "seals", agency=PROVINCE, name=SEAL_NAME, password=password)
    for file in (folder / "seals").iterdir():
        file.chmod(0o644)
    (folder / "seals").chmod(0o755)


def _make_authority(folder: Path) -> None:
    """Make a test authority's certificates, for whoever has no time-stamping authority of theirs."""
    ensure_certificates(folder)
    for file in folder.iterdir():
        file.chmod(0o644)
    folder.chmod(0o755)


def prepare() -> None:
    """Create databases, roles, broker users and rights, and migrate: once before the services start, and on upgrades.

    From the environment: POSTGRES_URL, RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL with an administrator's name and
    password, and DATABASE_PASSWORD_INTAKE, BROKER_PASSWORD_INTAKE and so on for each service. If it is set,
    MOTCUA_TRANSACTION_LOG_MONTHS is what the database itself keeps of the transaction log at least.
    """
    missing = [name for name in ("POSTGRES_URL", "RABBITMQ_URL", "RABBITMQ_MANAGEMENT_URL") if name not in os.environ]
    missing += [
        _variable(f"{kind}-{service}")
        for kind in ("database", "broker")
        for service in PACKAGES
        if _variable(f"{kind}-{service}") not in os.environ
    ]
    if missing:
        raise typer.BadParameter(f"not set: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        folder.create()
        for phase in Servers(folder, lambda name: os.environ[_variable(name)]).phases():
            phase.then()
            typer.echo(f"done: {phase.label}")
