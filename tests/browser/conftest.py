"""A house with its gateway, one browser for all tests, and a page of its own for each visitor."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, async_playwright

from deploy.local.packages import chromium
from shared.db import Database
from tests.browser.house import House
from tests.browser.others import Office, Subscriber
from tests.browser.story import procedure
from tests.browser.visitor import Visitor
from tests.gateway.data_services.ministry import Ministry
from tests.gateway.hall import Hall
from tests.gateway.receiver import receiving
from tests.support.servers import Broker, Databases
from tests.support.serving import serving

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]

Visits = Callable[..., Awaitable[Visitor]]


@pytest.fixture(scope="package")
async def house(databases: Databases, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    urls = {name: await databases.create_database() for name in ("gateway", "workflow")}
    house = House(
        tmp_path_factory.mktemp("house"),
        database_urls=urls,
        amqp_url=broker.create_vhost(),
        management_url=broker.management_url,
    )
    await asyncio.to_thread(house.migrate)
    await house.let_intake_listen()
    try:
        house.start()
        await house.tell([procedure()])
        yield house
    finally:
        house.stop()
        broker.drop_vhost(house.amqp_url.rpartition("/")[2])
        for url in urls.values():
            await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="package")
async def hall(house: House) -> AsyncIterator[Hall]:
    """Lend the gateway's database."""
    database = Database(house.database_urls["gateway"], service="gateway")
    yield Hall(database)
    await database.close()


@pytest.fixture
async def office(house: House, hall: Hall) -> AsyncIterator[Office]:
    """Lend an office behind a data service of its own."""
    ministry = Ministry()
    async with serving(ministry) as url:
        office = Office(house, hall, ministry)
        await office.open(url)
        yield office
        await office.close()


@pytest.fixture
async def subscriber(house: House, hall: Hall) -> AsyncIterator[Subscriber]:
    """Lend a receiver of webhooks; its subscriptions end with the test."""
    async with receiving() as receiver:
        subscriber = Subscriber(house, hall, receiver)
        yield subscriber
        await subscriber.leave()


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no browser: install Debian's package chromium-headless-shell")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(house: House, browser: Browser) -> AsyncIterator[Visits]:
    """Open pages of the console; at the end none of them may have complained."""
    visitors: list[Visitor] = []

    async def open_page(
        path: str = "/console", *, width: int = 1440, scheme: str = "light", before: str = "0"
    ) -> Visitor:
        context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # pyrefly: ignore[bad-argument-type]
        context.set_default_timeout(20_000)
        await context.add_init_script(before)
        visitors.append(Visitor(await context.new_page(), house))
        await visitors[-1].page.goto(house.url + path)
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        await visitor.page.context.close()
        assert visitor.complaints == []
