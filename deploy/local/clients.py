"""The demo's clients of the gateway, and the key that signs their tokens."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import ECKey, OKPKey

from deploy.local.folder import write_json

_OFFICIALS = (
    "dossiers:submit dossiers:read dossiers:decide tasks:read tasks:work fees:read payments:write refunds:write "
    "results:read results:write results:reuse catalogue:write"
)


_PARTNER = "dossiers:submit dossiers:read fees:read payments:write results:read sync:read webhooks:read webhooks:write"
_ACCOUNTING = "fees:read refunds:write ledger:read ledger:write"
"""Two of them, since a difference with a provider is explained by one person and resolved by another."""

_OFFICE = ({"service": "*", "methods": ["GET"]}, *({"service": code} for code in ("CSDL_DanCu", "VNPOST", "EVN")))
"""What every office may read, and what it sends on."""
_ADMIN = "clients:read clients:write clients:grant services:read services:write ops:read"
_OPS = "ops:read ops:act services:read services:write webhooks:read webhooks:write"
_READ_ALL = ({"service": "*", "methods": ["GET"]},)


@dataclass(frozen=True)
class DemoClient:
    """A system that may call the gateway of the local stack."""

    client_id: str
    name: str
    agency: str
    scopes: str
    grants: tuple[Mapping[str, object], ...] = ()
    """At data services, as docs/clients.md says."""

    @property
    def secret_name(self) -> str:
        """Under which its secret is kept."""
        return f"client-{self.client_id}"


CLIENTS: Sequence[DemoClient] = (
    DemoClient(
        "citizen-portal",
        "Cổng dịch vụ công của tỉnh",
        "H32",
        "dossiers:submit dossiers:read payments:write results:read",
    ),
    DemoClient("one-stop", "Phần mềm một cửa của tỉnh", "H32", _OFFICIALS, _OFFICE),
    DemoClient("one-stop-h32.14", "Phần mềm một cửa của đơn vị H32.14", "H32.14", _OFFICIALS),
    DemoClient("accounting", "Kế toán thứ nhất", "H32", _ACCOUNTING),
    DemoClient("accounting-second", "Kế toán thứ hai", "H32", _ACCOUNTING),
    DemoClient("national-portal", "Cổng Dịch vụ công quốc gia", "H32", "portal"),
    DemoClient("statistics", "Hệ thống báo cáo, thống kê", "H32", "sync:read webhooks:read webhooks:write", _READ_ALL),
    DemoClient("lgsp-admin", "Quản trị kết nối của tỉnh", "H32", _ADMIN),
    DemoClient("sandbox", "Hệ thống đối tác thử nghiệm kết nối", "H32.14.61", _PARTNER, _READ_ALL),
    DemoClient("sandbox-office", "Cán bộ giả lập của môi trường thử nghiệm", "H32.14.61", f"{_OFFICIALS} sync:read"),
    DemoClient("ops", "Cán bộ vận hành thứ nhất", "H32", _OPS),
    DemoClient("ops-second", "Cán bộ vận hành thứ hai", "H32", _OPS),
)


def write_clients(path: Path, secrets: Callable[[str], str]) -> None:
    """Write the file from which the gateway knows its clients: a hash of each secret, never the secret."""
    rows = []
    for client in CLIENTS:
        digest = hashlib.sha256(secrets(client.secret_name).encode()).hexdigest()
        grants = {"grants": list(client.grants)} if client.grants else {}
        rows.append({**_row(client), "name": client.name, "secret_sha256": digest, **grants})
    write_json(path, rows)


def describe_clients(secrets: Callable[[str], str]) -> Mapping[str, Mapping[str, object]]:
    """Return the clients with their secrets, for whoever plays them."""
    return {client.client_id: {**_row(client), "client_secret": secrets(client.secret_name)} for client in CLIENTS}


def _row(client: DemoClient) -> dict[str, object]:
    return {"client_id": client.client_id, "agency": client.agency, "scopes": client.scopes.split()}


def sealing_key(secret: str) -> str:
    """Return the key (32 bytes in base64) that follows from a secret; it seals what the gateway keeps."""
    return base64.b64encode(hashlib.sha256(f"seal {secret}".encode()).digest()).decode()


def ensure_signing_key(path: Path) -> None:
    """Make the gateway's ES256 key (a private JWK) at the first start; later starts keep it, and with it all tokens."""
    if not path.exists():
        key = ECKey.generate_key("P-256", private=True)
        write_json(path, key.as_dict(private=True))


def ensure_evidence_key(path: Path) -> None:
    """Make the key (Ed25519, a private JWK) that signs the transaction log, at the first start."""
    if not path.exists():
        write_json(path, OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))
