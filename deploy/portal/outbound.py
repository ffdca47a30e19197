"""The portal's calls to the province's gateway: payment callbacks and submitted dossiers."""

import asyncio
from dataclasses import dataclass

import httpx

from deploy.portal.settings import PortalSettings
from shared import clock

CALLBACK_PATH = "/api/v1/payments/callbacks/national"
DEBT_PATH = "/api/v1/payments/lookups/national"
SUBMISSION_PATH = "/api/v1/portal/dossiers"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
TOKEN_MARGIN_S = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP; without a status nothing came, and body tells why."""

    status: int | None
    body: str


class Province:
    """The gateway, as the portal knows it."""

    def __init__(self, settings: PortalSettings, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._client = client
        self._token = ""
        self._token_until = 0.0
        self._renewing = asyncio.Lock()

    async def confirm(self, body: bytes) -> Reply:
        """Send a CONFIRM once; its hash is its only credential."""
        return await self._post(CALLBACK_PATH, body, {})

    async def submit(self, number: str, body: bytes) -> Reply:
        """Hand over a submitted dossier once, with a token; a token that is refused is renewed once."""
        reply = await self._submit(number, body)
        if reply.status == httpx.codes.UNAUTHORIZED:
            self._token_until = 0.0
            reply = await self._submit(number, body)
        return reply

    async def ask_debt(self, body: bytes) -> Reply:
        """Ask what a dossier has to pay (dptracuuthanhtoanhs), with a token."""
        refusal = await self._renew()
        return refusal or await self._post(DEBT_PATH, body, {"Authorization": f"Bearer {self._token}"})

    async def _submit(self, number: str, body: bytes) -> Reply:
        refusal = await self._renew()
        if refusal:
            return refusal
        return await self._post(
            SUBMISSION_PATH, body, {"Authorization": f"Bearer {self._token}", "Idempotency-Key": number}
        )

    async def _renew(self) -> Reply | None:
        async with self._renewing:
            if clock.monotonic() < self._token_until:
                return None
            asked = {
                "grant_type": "client_credentials",
                "client_id": self._settings.portal_client_id,
                "client_secret": self._settings.portal_client_secret.get_secret_value(),
            }
            try:
                answer = await self._client.post(TOKEN_PATH, data=asked)
                given = answer.json() if answer.is_success else {}
            except (httpx.HTTPError, ValueError) as error:
                return Reply(None, f"{type(error).__name__}: {error}")
            if "access_token" not in given:
                return Reply(answer.status_code, answer.text)
            self._token = given["access_token"]
            self._token_until = clock.monotonic() + float(given.get("expires_in", 300)) - TOKEN_MARGIN_S
            return None

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        try:
            answer = await self._client.post(
                path, content=body, headers={"Content-Type": "application/json", **headers}
            )
        except httpx.HTTPError as error:
            return Reply(None, f"{type(error).__name__}: {error}")
        return Reply(answer.status_code, answer.text)
