"""Every service has its own database and its own names at the broker, and no other's."""

from collections.abc import AsyncIterator
from uuid import uuid4

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import Arguments
from aiormq.exceptions import ChannelAccessRefused

from deploy.local.accounts import EXCHANGE, ensure_broker_users, ensure_databases, login_url
from deploy.local.rabbitmq import VHOST
from tests.support.servers import Broker, Databases

FIRST, SECOND = (f"toy{uuid4().hex}" for _ in range(2))
PASSWORDS = {FIRST: "first-secret", SECOND: "second secret/with:signs'@"}


@pytest.fixture
async def owned(databases: Databases) -> AsyncIterator[dict[str, str]]:
    await ensure_databases(databases.admin_url, PASSWORDS)
    yield {name: login_url(databases.admin_url, name, password, name) for name, password in PASSWORDS.items()}
    for name in PASSWORDS:
        await databases.drop_database(name)


class TestEnsureDatabases:
    """A role owns its database and may enter no other."""

    async def test_gives_each_role_its_own(self, owned: dict[str, str]) -> None:
        for url in owned.values():
            connection = await asyncpg.connect(url)
            await connection.execute("CREATE EXTENSION unaccent; CREATE TABLE mine (n int)")
            await connection.close()

    async def test_keeps_strangers_out(self, owned: dict[str, str]) -> None:
        elsewhere = owned[FIRST].rpartition("/")[0] + f"/{SECOND}"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(elsewhere)

    async def test_sets_a_new_password_and_keeps_the_data(self, owned: dict[str, str], databases: Databases) -> None:
        connection = await asyncpg.connect(owned[FIRST])
        await connection.execute("CREATE TABLE mine (n int)")
        await connection.close()
        await ensure_databases(databases.admin_url, {FIRST: "another"})
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(owned[FIRST])
        connection = await asyncpg.connect(login_url(databases.admin_url, FIRST, "another", FIRST))
        assert await connection.fetchval("SELECT count(*) FROM mine") == 0
        await connection.close()


class TestEnsureBrokerUsers:
    """A user works with its own names, reads the common exchange, and publishes its own events only."""

    @pytest.fixture
    def users(self, broker: Broker) -> dict[str, str]:
        ensure_broker_users(broker.management_url, PASSWORDS, watchers=frozenset({SECOND}))
        return {name: login_url(broker.amqp_url, name, password, VHOST) for name, password in PASSWORDS.items()}

    async def test_lets_it_build_what_the_bus_needs(self, users: dict[str, str]) -> None:
        async with await aio_pika.connect(users[FIRST]) as connection:
            channel = await connection.channel(on_return_raises=True)
            topic = await channel.declare_exchange(EXCHANGE, "topic", durable=True)
            spread = await channel.declare_exchange(f"{FIRST}.events", "x-consistent-hash")
            dead: Arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{FIRST}.unreadable"}
            queue = await channel.declare_queue(f"{FIRST}.events.0", arguments=dead)
            await queue.bind(spread, routing_key="1")
            await spread.bind(topic, routing_key=f"{FIRST}.thing.done.v1")
            await topic.publish(aio_pika.Message(b"fact"), routing_key=f"{FIRST}.thing.done.v1")
            received = await queue.get(timeout=5)
            assert received
            await received.ack()

    @pytest.mark.parametrize("name", ["{other}.events.0", "{own}", "{own}too.events", "else"])
    async def test_refuses_names_of_others(self, users: dict[str, str], name: str) -> None:
        async with await aio_pika.connect(users[FIRST]) as connection:
            channel = await connection.channel()
            with pytest.raises(ChannelAccessRefused):
                await channel.declare_queue(name.format(own=FIRST, other=SECOND))

    async def test_refuses_events_of_others(self, users: dict[str, str]) -> None:
        async with await aio_pika.connect(users[FIRST]) as connection:
            channel = await connection.channel()
            topic = await channel.declare_exchange(EXCHANGE, "topic", durable=True)
            with pytest.raises(ChannelAccessRefused):
                await topic.publish(aio_pika.Message(b"forged"), routing_key=f"{SECOND}.thing.done.v1", timeout=5)

    def test_only_watchers_see_the_management_api(self, users: dict[str, str], broker: Broker) -> None:
        assert set(users) == set(PASSWORDS)
        tags = {user["name"]: user["tags"] for user in broker.call("GET", "/api/users")}
        assert (tags[FIRST], tags[SECOND]) == ([], ["monitoring"])
