"""The file of clients: it begins the register, and overwrites no later change unless it was changed itself."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from gateway.errors import InvalidClient
from gateway.operations.book import Book
from gateway.operations.client_files import register_clients
from gateway.operations.logins import authenticate_by_secret
from shared import clock
from shared.ids import new_id
from tests.gateway.hall import Hall

GRANT = {"service": "BHXH", "methods": ["get"], "paths": ["/a/**"]}


def entry(client_id: str, said: str = "first", **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(said.encode()).hexdigest()
    usual = {"client_id": client_id, "name": "Một cửa", "agency": "H32", "scopes": ["a:read"], "secret_sha256": digest}
    return usual | more


@pytest.fixture
def client_id() -> str:
    return f"f-{new_id().hex}"


class Start:
    """Starts gateways with files."""

    def __init__(self, hall: Hall, folder: Path) -> None:
        self.hall = hall
        self._path = folder / "clients.json"

    async def __call__(self, *entries: dict[str, Any]) -> int:
        """Start with a file; return how many entries were taken over."""
        self._path.write_text(json.dumps(entries))
        return await register_clients(self.hall.database, str(self._path))

    async def knows(self, client_id: str, secret: str) -> bool:
        async with self.hall.database.session() as session:
            try:
                await authenticate_by_secret(session, client_id=client_id, secret=secret, now=clock.now())
            except InvalidClient:
                return False
            return True


@pytest.fixture
def start(hall: Hall, tmp_path: Path) -> Start:
    return Start(hall, tmp_path)


class TestFile:
    async def test_says_all_that_can_be_registered(self, start: Start, hall: Hall, client_id: str) -> None:
        key = ECKey.generate_key("P-256").as_dict(private=False)
        more = {"networks": ["10.0.0.0/8"], "calls_per_day": 5, "grants": [GRANT], "keys": [key]}
        assert await start(entry(client_id, **more, valid_until="2099-01-01T00:00:00+07:00")) == 1
        book = Book(hall.database)
        await book.refresh()
        found = book.find(client_id)
        assert found is not None
        assert found.rights.calls_per_day == 5
        assert found.rights.may_call("BHXH", "GET", "/a/b/c")
        assert not found.may_come_from("11.0.0.1")
        assert len(await hall.rows("SELECT * FROM client_key WHERE client_id = :id", id=client_id)) == 1

    async def test_as_it_was_overwrites_no_later_change(self, start: Start, hall: Hall, client_id: str) -> None:
        listed = entry(client_id)
        await start(listed)
        await hall.rows("UPDATE client SET scopes = '{b:read}', active = false WHERE client_id = :id", id=client_id)
        await hall.rows(
            "UPDATE client_secret SET revoked_at = now(), revoked_by = 'x' WHERE client_id = :id", id=client_id
        )
        assert await start(listed, entry(f"{client_id}-2")) == 1
        (row,) = await hall.rows("SELECT scopes, active FROM client WHERE client_id = :id", id=client_id)
        assert (row["scopes"], row["active"]) == (["b:read"], False)
        assert not await start.knows(client_id, "first")

    async def test_changed_is_the_whole_truth_again(self, start: Start, hall: Hall, client_id: str) -> None:
        await start(entry(client_id, calls_per_minute=5))
        await hall.rows("UPDATE client SET active = false WHERE client_id = :id", id=client_id)
        assert await start(entry(client_id, name="Một cửa mới")) == 1
        (row,) = await hall.rows("SELECT * FROM client WHERE client_id = :id", id=client_id)
        assert (row["name"], row["active"], row["calls_per_minute"]) == ("Một cửa mới", True, None)

    async def test_replaces_its_own_secret_and_no_other(self, start: Start, hall: Hall, client_id: str) -> None:
        await start(entry(client_id))
        made = hashlib.sha256(b"made").hexdigest()
        await hall.rows(
            "INSERT INTO client_secret (id, client_id, sha256, created_at, created_by)"
            " VALUES (gen_random_uuid(), :id, :sha, now(), 'admin')",
            id=client_id,
            sha=made,
        )
        await start(entry(client_id, "second"))
        assert [await start.knows(client_id, secret) for secret in ("first", "second", "made")] == [False, True, True]
        await start(entry(client_id))
        assert [await start.knows(client_id, secret) for secret in ("first", "second", "made")] == [True, False, True]

    async def test_revives_no_secret_that_was_revoked(self, start: Start, hall: Hall, client_id: str) -> None:
        await start(entry(client_id))
        await hall.rows(
            "UPDATE client_secret SET revoked_at = now(), revoked_by = 'x' WHERE client_id = :id", id=client_id
        )
        await start(entry(client_id, name="Tên khác"))
        assert not await start.knows(client_id, "first")

    async def test_is_kept_as_a_change(self, start: Start, hall: Hall, client_id: str) -> None:
        await start(entry(client_id))
        rows = await hall.rows("SELECT actor, action FROM client_change WHERE client_id = :id", id=client_id)
        assert [(row["actor"], row["action"]) for row in rows] == [("file", "read_from_file")]
