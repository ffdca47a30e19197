"""The private RabbitMQ: a real one, beside the one that the test run shares."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest

from deploy.local import ports
from deploy.local.rabbitmq import RabbitMQServer
from tests.deploy.census import processes_of
from tests.support.servers import Broker

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQServer]:
    server = RabbitMQServer(tmp_path_factory.mktemp("own") / "rabbitmq")
    server.start()
    yield server
    server.stop()
    assert processes_of(server.folder) == []


async def test_two_run_side_by_side(server: RabbitMQServer, broker: Broker) -> None:
    """Each knows its own password only."""
    for url in (server.url, broker.amqp_url):
        connection = await aio_pika.connect(url)
        await connection.close()
    with pytest.raises(aio_pika.exceptions.AMQPConnectionError):
        await aio_pika.connect(broker.amqp_url.replace(broker.amqp_url.split("@")[0], server.url.split("@")[0]))


def test_listens_on_loopback_alone_and_makes_no_daemon(server: RabbitMQServer) -> None:
    """Erlang's port mapper would stay behind as a daemon that every node of the machine shares."""
    chosen = set(ports.remembered(server.folder / "ports.json").values())
    assert chosen <= _listening("tcp", "0100007F")
    assert not chosen & _listening("tcp", "00000000")
    assert not chosen & _listening("tcp6", "0" * 32)
    commands = [Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in processes_of(server.folder)]
    assert any("epmd" in words[0] for words in commands)
    assert not any("-daemon" in words for words in commands)


def _listening(family: str, address: str) -> set[int]:
    """Return the ports on which anything listens at an address, written as /proc/net/tcp does."""
    rows = [line.split() for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]]
    places = [row[1].partition(":") for row in rows if row[3] == "0A"]
    return {int(port, 16) for place, _, port in places if place == address}


async def test_confirmed_messages_outlive_a_kill(server: RabbitMQServer) -> None:
    """What was confirmed is there after kill -9 and a start."""
    async with await aio_pika.connect(server.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"still here", delivery_mode=2)
        await channel.default_exchange.publish(message, routing_key=queue.name)
    # RabbitMQ 3.10 saves which queues it leads every half second: killed sooner, a new queue never finds its leader.
    await asyncio.sleep(1.5)
    server.kill()
    assert server.pid is None
    server.start()
    async with await aio_pika.connect(server.url) as connection:
        channel = await connection.channel()
        received = await (await channel.get_queue("kept")).get(timeout=20)
        assert received
        assert received.body == b"still here"
        await received.ack()
