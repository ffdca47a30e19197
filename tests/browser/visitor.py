"""A person before the console: what they do and what they see."""

from playwright.async_api import ConsoleMessage, Locator, Page, Response, expect

from tests.browser.house import SECRET, House

PATIENCE_MS = 20_000
REFUSED = 400
expect.set_options(timeout=PATIENCE_MS)


class Visitor:
    """One browser tab; `complaints` gathers what its developer console would show as wrong."""

    def __init__(self, page: Page, house: House) -> None:
        self.page = page
        self.house = house
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on("response", self._received)

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser itself reports refused and failed calls, which some tests provoke; files are checked below.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _received(self, response: Response) -> None:
        if "/console" in response.url and response.status >= REFUSED:
            self.complaints.append(f"{response.status} {response.url}")

    async def sign_in(self, client_id: str = "ops", secret: str = SECRET) -> "Visitor":
        """Fill in the form and send it."""
        await self.page.fill("#client-id", client_id)
        await self.page.fill("#client-secret", secret)
        await self.page.click("#login-form button")
        return self

    def find(self, selector: str, *, text: str = "") -> Locator:
        """Return what a selector finds, of that only what holds a text."""
        found = self.page.locator(selector)
        return found.filter(has_text=text) if text else found

    def waiting(self, code: str, service: str) -> Locator:
        """Return the row of what waits of a dossier in a service, named in Vietnamese."""
        return self.find("#waiting tbody tr", text=code).filter(has_text=f"tại {service}")

    async def sees(self, selector: str, text: str) -> None:
        """Wait until something visible holds a text."""
        await expect(self.find(selector, text=text).first).to_be_visible()

    async def act(self, row: Locator, act: str, reason: str = "") -> None:
        """Press a row's button and confirm."""
        await row.locator(f".acts [data-offer^={act}]").click()
        if reason:
            await self.page.fill("#ask-reason", reason)
        await self.page.click("#ask-go")
        await expect(self.find("#ask")).not_to_be_visible()
