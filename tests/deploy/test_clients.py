"""The demo's clients and the signing key."""

import hashlib
import json
from pathlib import Path

from joserfc.jwk import ECKey

from deploy.local.clients import CLIENTS, describe_clients, ensure_signing_key, write_clients
from deploy.local.folder import Secrets


class TestClients:
    """The gateway gets hashes; whoever plays a client gets the secret."""

    def test_hashes_fit_the_secrets(self, tmp_path: Path) -> None:
        secrets = Secrets(tmp_path / "secrets.json")
        write_clients(tmp_path / "clients.json", secrets)
        told = describe_clients(Secrets(tmp_path / "secrets.json"))
        rows = json.loads((tmp_path / "clients.json").read_text())
        assert {row["client_id"] for row in rows} == set(told) == {client.client_id for client in CLIENTS}
        for row in rows:
            secret = str(told[row["client_id"]]["client_secret"])
            assert len(secret) >= 32
            assert row["secret_sha256"] == hashlib.sha256(secret.encode()).hexdigest()
            assert secret not in json.dumps(rows)

    def test_files_with_secrets_are_private(self, tmp_path: Path) -> None:
        write_clients(tmp_path / "clients.json", Secrets(tmp_path / "secrets.json"))
        ensure_signing_key(tmp_path / "key.json")
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


class TestSigningKey:
    """One ES256 key for the life of the run folder."""

    def test_is_made_once(self, tmp_path: Path) -> None:
        ensure_signing_key(tmp_path / "key.json")
        first = json.loads((tmp_path / "key.json").read_text())
        ensure_signing_key(tmp_path / "key.json")
        assert json.loads((tmp_path / "key.json").read_text()) == first
        assert first["crv"] == "P-256"
        assert ECKey.import_key(first).is_private
