"""The private PostgreSQL: a real one, in a folder that only its owner may enter."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.folder import write_private
from deploy.local.postgres import PostgresServer
from deploy.local.program import NotStarted
from tests.deploy.census import processes_of
from tests.deploy.test_ports import listening


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    # As mktemp -d makes them: as root, PostgreSQL's own user could not pass without help.
    tmp_path.chmod(0o700)
    server = PostgresServer(tmp_path / "postgres", durable=False)
    yield server
    server.stop()
    assert processes_of(tmp_path) == []


async def ask(server: PostgresServer, question: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


class TestStart:
    """Starts once, in its own folder, and refuses strangers."""

    async def test_answers_and_starts_only_once(self, server: PostgresServer) -> None:
        server.start()
        pid = server.pid
        server.start()
        assert server.pid == pid
        assert await ask(server, "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(server, "SHOW data_checksums") == "on"
        assert PostgresServer(server.folder).pid == pid

    async def test_wants_the_password(self, server: PostgresServer) -> None:
        server.start()
        wrong = server.url_of("postgres", "wrong", "postgres")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)

    async def test_takes_another_port_when_its_own_is_taken(self, server: PostgresServer) -> None:
        server.start()
        port = server.port
        server.stop()
        with listening(port):
            server.start()
            assert server.port != port
            assert await ask(server, "SELECT 1") == 1

    def test_shows_the_log_when_it_cannot_start(self, server: PostgresServer) -> None:
        server.start()
        server.stop()
        (server.data / "postgresql.conf").write_text("no_such_setting = 1\n")
        with pytest.raises(NotStarted, match="no_such_setting"):
            server.start(timeout_s=10)


class TestCrash:
    """Data outlives a kill; what a crash leaves behind does not stop the next start."""

    async def test_keeps_what_was_committed_through_a_kill(self, server: PostgresServer) -> None:
        server.start()
        await ask(server, "CREATE TABLE kept (n int)")
        await ask(server, "INSERT INTO kept VALUES (42)")
        server.kill()
        assert server.pid is None
        server.start()
        assert await ask(server, "SELECT n FROM kept") == 42

    async def test_starts_although_its_old_pid_is_anothers(self, server: PostgresServer, tmp_path: Path) -> None:
        server.start()
        server.kill()
        server.stop()
        # PostgreSQL itself takes any living process of its own user for the server that left the file.
        somebody = PostgresServer(tmp_path / "somebody", durable=False)
        somebody.start()
        lock = f"{somebody.pid}\n{server.data}\n0\n{server.port}\n\n127.0.0.1\n0 0\n"
        write_private(server.data / "postmaster.pid", lock)
        server.start(timeout_s=10)
        assert await ask(server, "SELECT 1") == 1
        somebody.stop()

    async def test_begins_anew_after_a_half_made_database(self, server: PostgresServer) -> None:
        (server.folder / "data.new" / "base").mkdir(parents=True)
        server.start()
        assert await ask(server, "SELECT 1") == 1
