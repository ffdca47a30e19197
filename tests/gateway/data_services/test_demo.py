"""The demo's part at the data services, against a real gateway and the mocked offices."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.demo import data_services
from deploy.ministries.app import create_app
from deploy.ministries.definitions import FOLDER, read
from deploy.ministries.registering import register_all
from gateway.operations.rights import Grant
from tests.gateway.conftest import SECRET
from tests.gateway.data_services.desk import ADMIN, Desk
from tests.support.assertions import eventually
from tests.support.serving import serving


@pytest.fixture
async def stack(desk: Desk, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """Describe a gateway and the offices as stack.json does."""
    async with serving(create_app(tmp_path, "u" * 20), lifespan=True) as url:
        values = {"ministries": url, "secret": "u" * 20}
        await register_all(str(desk.visitor.http.base_url), (ADMIN, SECRET), values=values)
        told = {(one.code, name) for one in read(FOLDER, values) for name in one.versions}

        async def all_known() -> bool:
            # The gateway's own services stand in the registry as well.
            return told <= {(code, name) for code, one in desk.parts.registry.services.items() for name in one.versions}

        await eventually(all_known, what=lambda: sorted(desk.parts.registry.services))
        names = ("statistics", "one-stop", ADMIN)
        clients = {name: {"client_id": name, "client_secret": SECRET} for name in names}
        yield {"clients": clients, "ministries": {"url": url}}


class TestDataServices:
    async def test_are_polled_break_and_are_mended(self, desk: Desk, stack: dict[str, Any]) -> None:
        desk.granted["statistics"] = (Grant("*", frozenset({"GET"})),)
        found = await data_services.use(stack, desk.visitor.http)
        assert found.shortcomings() == []
        assert found.calls > 300

    async def test_are_left_out_where_nothing_is_granted(self, desk: Desk, stack: dict[str, Any]) -> None:
        desk.granted.clear()
        found = await data_services.use(stack, desk.visitor.http)
        assert (found.calls, found.shortcomings()) == (0, [])
