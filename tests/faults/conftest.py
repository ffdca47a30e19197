"""The toy's two sides, as the mechanics' tests use them; and a whole stack for the faults of the whole."""

from collections.abc import Iterator

import pytest

from tests.shared.conftest import _listening, _speaking, amqp_url, ear, toy, toy_template
from tests.support.stack import Stack, running_stack

__all__ = ["_listening", "_speaking", "amqp_url", "ear", "toy", "toy_template"]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Lend a whole stack."""
    with running_stack(tmp_path_factory.mktemp("stack") / "run") as running:
        yield running
