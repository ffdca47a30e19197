"""The workflow service, with what it does by itself: rounds for calendars, dates and accounts."""

import asyncio
from dataclasses import asdict

import httpx
from fastapi import FastAPI

from services.workflow.consumers import HANDLERS, preload
from services.workflow.operations.calendars import apply_round
from services.workflow.operations.escalations import escalate
from services.workflow.operations.roster import apply_roster
from services.workflow.operations.rules import load_rules
from services.workflow.platform import pull_roster
from services.workflow.routes import ROUTERS
from services.workflow.settings import WorkflowSettings
from shared import clock, log
from shared.app import ServiceParts, create_service
from shared.caller import service_caller
from shared.work import open_work

_log = log.get(__name__)


def create_app(settings: WorkflowSettings | None = None) -> FastAPI:
    """Return the app; settings come from the environment unless given."""
    settings = settings or WorkflowSettings()
    parts = ServiceParts(
        name="workflow",
        title="Một Cửa: workflow",
        about="Processes, the cases that run by them, tasks of officials, deadlines in working time.",
        routers=ROUTERS,
        handlers=HANDLERS,
        preload=preload,
        loops=(_escalate, _apply_calendars, _follow_directory),
    )
    app = create_service(settings, parts)
    app.state.rules = load_rules(settings.rules_file)
    return app


async def _apply_calendars(app: FastAPI) -> None:
    """Bring cases to the calendars in force for ever; a round that fails is followed by the next."""
    while True:
        try:
            done = await apply_round(app.state.database)
        except Exception as problem:
            _log.warning("calendars.round_failed", reason=type(problem).__name__)
        else:
            if done:
                _log.info("calendars.round", cases=done)
        await asyncio.sleep(app.state.settings.calendars_pause_s)


async def _escalate(app: FastAPI) -> None:
    """Go rounds for ever, with a pause between two; a round that fails is followed by the next."""
    settings: WorkflowSettings = app.state.settings
    while settings.escalation_pause_s > 0:
        await asyncio.sleep(settings.escalation_pause_s)
        try:
            done = await escalate(app.state.database, app.state.rules, now=clock.now())
        except Exception as problem:
            _log.warning("escalation.round_failed", reason=type(problem).__name__)
        else:
            if any(done.told.values()) or done.failed:
                _log.info("escalation.round", told=done.told, failed=len(done.failed))


async def _follow_directory(app: FastAPI) -> None:
    """Keep accounts in step with the directory for ever; what cannot be taken is told and tried again."""
    settings: WorkflowSettings = app.state.settings
    async with httpx.AsyncClient() as http:
        while settings.directory_url:
            try:
                await follow_directory(app, http)
            except Exception as problem:
                _log.warning("directory.not_taken", reason=type(problem).__name__, detail=str(problem))
            await asyncio.sleep(settings.directory_pause_s)


async def follow_directory(app: FastAPI, http: httpx.AsyncClient) -> None:
    """Take the directory's roster once. Raises DirectoryIncomplete, RosterRefused, httpx.HTTPError."""
    settings: WorkflowSettings = app.state.settings
    token = settings.directory_token.get_secret_value()
    roster, without = await pull_roster(http, url=settings.directory_url, token=token)
    async with open_work(app.state.database, service_caller("workflow")) as work:
        report = await apply_roster(work, roster, source="directory", leavers_max=settings.directory_leavers_max)
    _log.info("directory.taken", officials=len(roster.officials), without_agency=without, **asdict(report))
