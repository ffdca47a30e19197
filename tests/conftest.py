"""What every test may ask for: the run's PostgreSQL and RabbitMQ, and a slice of each for the mechanics."""

import ssl
from collections.abc import Iterator
from functools import cache

import pytest
from xdist.remote import Producer

from tests.support.sharing_out import RoomScheduling

pytest_plugins = ["tests.support.servers"]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> RoomScheduling:
    """Share the tests out among the workers, as xdist asks a project to."""
    return RoomScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """Let all of httpx's clients share what it reads for each: the world's authorities, 25 ms, for plain HTTP."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield
