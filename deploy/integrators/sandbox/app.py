"""The sandbox's process: the robot at work, its health, and a page that lists the identities."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
from fastapi import FastAPI, Request
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.demo.client import ApiClient, Tally
from deploy.integrators.sandbox.identities import AGENCY, IDENTITIES
from deploy.integrators.sandbox.robot import Robot
from deploy.local.papers import Seal

TIMEOUT_S = 60


class SandboxSettings(BaseSettings):
    """Whose officials it plays, and where; from the environment, prefix MOTCUA_."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_", extra="ignore", frozen=True)

    sandbox_folder: Path = Path(".run/sandbox")
    sandbox_client: str
    sandbox_secret: SecretStr
    sandbox_seal_file: Path
    sandbox_seal_password: SecretStr
    gateway_url: str = "http://127.0.0.1:8000"


def create_app(settings: SandboxSettings) -> FastAPI:
    """Return the app; the robot works while it runs."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.sandbox_folder.mkdir(parents=True, exist_ok=True)
        seal = Seal.from_file(settings.sandbox_seal_file, settings.sandbox_seal_password.get_secret_value())
        credentials = {
            "client_id": settings.sandbox_client,
            "client_secret": settings.sandbox_secret.get_secret_value(),
        }
        async with httpx.AsyncClient(base_url=settings.gateway_url, timeout=TIMEOUT_S) as http:
            robot = Robot(ApiClient(http, credentials, Tally()), seal, settings.sandbox_folder)
            app.state.work = asyncio.create_task(robot.run())
            try:
                yield
            finally:
                app.state.work.cancel()
                with suppress(asyncio.CancelledError):
                    await app.state.work

    app = FastAPI(title="Một Cửa: môi trường thử nghiệm", lifespan=lifespan)

    @app.get("/health/live")
    @app.get("/health/ready")
    async def ready(request: Request) -> dict[str, str]:
        return {"status": "not_ready" if request.app.state.work.done() else "ready"}

    @app.get("/")
    async def identities() -> dict[str, object]:
        """List the test identities and what becomes of their dossiers."""
        people = [
            {"id_number": one.number, "course": one.course, "what_happens": one.told, "portal_statuses": one.statuses}
            for one in IDENTITIES.values()
        ]
        return {"agency_code": AGENCY, "identities": people}

    return app
