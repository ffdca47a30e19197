"""The registry of data services: entries, versions, maintenance windows, history."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import RegistryChanged
from gateway.models import DataService, DataServiceVersion
from gateway.operations.data_services import registering
from gateway.routes.data_services.parts import Parts
from gateway.schemas import (
    AllowedClient,
    DataServiceChangeOut,
    DataServiceIn,
    DataServiceOut,
    DataServiceVersionIn,
    DataServiceVersionOut,
    VersionLine,
    WindowIn,
    WindowOut,
)
from shared import clock
from shared.bodies import WHOLE_MAX, EntityTag
from shared.errors import NotFound
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses
from shared.http import router as make_router

router = make_router("data services", prefix="/api/v1/data-services")
READ, WRITE = [needs("services:read")], [needs("services:write")]
CodePath = Annotated[str, Path(min_length=1, max_length=64, examples=["csdldc"])]
VersionPath = Annotated[str, Path(min_length=1, max_length=20, examples=["v1"])]
IfMatch = Annotated[
    EntityTag | None, Header(description="The ETag of the entry as you read it, when it exists already.")
]
CHANGING: dict[int | str, dict[str, Any]] = {201: {"description": "New"}, **problem_responses(412, 428)}
_REVISION = re.compile(r'(?:W/)?"([1-9][0-9]{0,8})"')


@router.get("", dependencies=READ)
async def list_services(request: Request, session: SessionDep, caller: CallerDep) -> list[DataServiceOut]:
    """List the data services that your agency, or one below it, answers for."""
    return await _described(request, session, await queries.list_data_services(session, caller))


@router.get("/{code}", dependencies=READ)
async def read_service(
    request: Request, response: Response, session: SessionDep, caller: CallerDep, code: CodePath
) -> DataServiceOut:
    """Show a data service with its versions and the maintenance windows that are not over."""
    row = await queries.get_data_service(session, caller, code)
    response.headers["ETag"] = _etag(row.revision)
    return (await _described(request, session, [row]))[0]


@router.put("/{code}", dependencies=WRITE, responses=CHANGING)
async def register_service(
    request: Request, response: Response, work: WorkDep, code: CodePath, body: DataServiceIn, if_match: IfMatch = None
) -> DataServiceOut:
    """Register a data service under a code, or change the one that If-Match names the state of."""
    built_in = frozenset(one.code for one in _parts(request).registry.services.values() if one.built_in)
    row, new = await registering.put_service(
        work, code=code, **body.model_dump(), if_revision=_revision(if_match), taken=built_in
    )
    response.status_code = 201 if new else 200
    response.headers["ETag"] = _etag(row.revision)
    await work.session.flush()
    return (await _described(request, work.session, [row]))[0]


@router.get("/{code}/-/versions/{version}", dependencies=READ)
async def read_version(
    response: Response, session: SessionDep, caller: CallerDep, code: CodePath, version: VersionPath
) -> DataServiceVersionOut:
    """Show a version with its contract and policy; credentials are never shown."""
    await queries.get_data_service(session, caller, code)
    row = await queries.find_version(session, code, version)
    if row is None:
        raise NotFound("No such version of the service.")
    response.headers["ETag"] = _etag(row.revision)
    return _version(row)


@router.put("/{code}/-/versions/{version}", dependencies=WRITE, responses=CHANGING)
async def register_version(
    request: Request,
    response: Response,
    work: WorkDep,
    code: CodePath,
    version: VersionPath,
    body: DataServiceVersionIn,
    if_match: IfMatch = None,
) -> DataServiceVersionOut:
    """Add a version to a service, or change the one that If-Match names the state of."""
    state = request.app.state
    row, new = await registering.put_version(
        work,
        code=code,
        version=version,
        stage=body.stage,
        base_url=body.base_url,
        contract=body.contract,
        policy=body.policy,
        credentials=body.credentials if "credentials" in body.model_fields_set else registering.UNCHANGED,
        if_revision=_revision(if_match),
        hosts=state.data_service_hosts,
        sealer=state.sealer,
    )
    response.status_code = 201 if new else 200
    response.headers["ETag"] = _etag(row.revision)
    return _version(row)


@router.post("/{code}/-/windows", dependencies=WRITE, status_code=201)
async def announce_window(work: WorkDep, code: CodePath, body: WindowIn) -> WindowOut:
    """Announce a maintenance window: calls within it are answered 503 with its end as Retry-After."""
    return WindowOut.model_validate(await registering.add_window(work, code=code, **body.model_dump()))


@router.delete("/{code}/-/windows/{window_id}", dependencies=WRITE, status_code=204)
async def end_window(work: WorkDep, code: CodePath, window_id: UUID) -> None:
    """Take a maintenance window back, or end it early."""
    await registering.remove_window(work, code=code, window_id=window_id)


@router.get("/{code}/-/clients", dependencies=READ)
async def read_clients(session: SessionDep, caller: CallerDep, code: CodePath) -> list[AllowedClient]:
    """List who may call a service, and what of it; up to 1,000 grants."""
    await queries.get_data_service(session, caller, code)
    return [
        AllowedClient(
            client_id=client.client_id,
            name=client.name,
            agency=client.agency,
            methods=sorted(grant.methods),
            paths=list(grant.paths),
        )
        for client, grant in await queries.list_clients_of(session, code)
    ]


@router.get("/{code}/-/history", dependencies=READ)
async def read_history(
    session: SessionDep,
    caller: CallerDep,
    code: CodePath,
    before: Annotated[int | None, Query(ge=1, le=WHOLE_MAX, description="Only what was done before this one.")] = None,
) -> list[DataServiceChangeOut]:
    """List what was done to a service, by whom, the newest first; up to 1,000 entries."""
    await queries.get_data_service(session, caller, code)
    found = await queries.list_data_service_changes(session, code, before=before)
    return [DataServiceChangeOut.model_validate(one) for one in found]


async def _described(request: Request, session: AsyncSession, rows: list[DataService]) -> list[DataServiceOut]:
    codes, now = [row.code for row in rows], clock.now()
    versions = await queries.list_versions(session, codes)
    windows = await queries.list_windows(session, codes, now)
    return [
        _service(request, row, [one for one in versions if one.service == row.code]).model_copy(
            update={"windows": [WindowOut.model_validate(one) for one in windows if one.service == row.code]}
        )
        for row in rows
    ]


def _service(request: Request, row: DataService, versions: list[DataServiceVersion]) -> DataServiceOut:
    lines = _parts(request).lines
    default = next((one.version for one in versions if one.stage == "active"), None)
    found = []
    for one in versions:
        line = lines.find(f"{one.service}/{one.version}")
        found.append(
            VersionLine(
                version=one.version,
                stage=one.stage,  # type: ignore[arg-type]
                revision=one.revision,
                default=one.version == default,
                breaker=line.breaker.state(clock.monotonic()).value if line else None,
                calls_in_progress=line.crowd.everybody if line else 0,
            )
        )
    out = DataServiceOut(
        **{name: getattr(row, name) for name in DataServiceOut.model_fields if name not in {"versions", "windows"}}
    )
    return out.model_copy(update={"versions": found})


def _version(row: DataServiceVersion) -> DataServiceVersionOut:
    shown = {name: getattr(row, name) for name in DataServiceVersionOut.model_fields if name != "has_credentials"}
    return DataServiceVersionOut(**shown, has_credentials=row.credentials is not None)


def _parts(request: Request) -> Parts:
    return request.app.state.data_services


def _etag(revision: int) -> str:
    return f'"{revision}"'


def _revision(if_match: str | None) -> int | None:
    """Return the revision that If-Match names. Raises RegistryChanged for what is no ETag of ours."""
    if if_match is None:
        return None
    found = _REVISION.fullmatch(if_match.strip())
    if found is None:
        raise RegistryChanged("If-Match is the ETag of the entry as you read it.")
    return int(found[1])
