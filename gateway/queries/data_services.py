"""Data services as registered, what failed at them, and what is sent again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import DataServiceUnknown
from gateway.models import (
    Client,
    ClientGrant,
    DataService,
    DataServiceCall,
    DataServiceChange,
    DataServiceFailure,
    DataServiceRerun,
    DataServiceRerunCall,
    DataServiceVersion,
    DataServiceWindow,
)
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller
from shared.errors import NotFound


def _within(caller: Caller) -> ColumnElement[bool]:
    """Return the condition that a service's agency is one of the caller's or lies below it."""
    return or_(
        *(DataService.agency == own for own in caller.agencies),
        *(DataService.agency.startswith(f"{own}.", autoescape=True) for own in caller.agencies),
        false(),
    )


async def list_data_services(session: AsyncSession, caller: Caller) -> list[DataService]:
    """Return the services that a caller answers for, by code."""
    return list(await session.scalars(select(DataService).where(_within(caller)).order_by(DataService.code)))


async def list_all_data_services(
    session: AsyncSession,
) -> tuple[list[DataService], dict[tuple[str, str], int], list[DataServiceWindow]]:
    """Return the whole registry, for the data plane; of versions only their revisions, by service and name."""
    services = list(await session.scalars(select(DataService)))
    version = DataServiceVersion
    rows = await session.execute(select(version.service, version.version, version.revision))
    revisions = {(service, name): revision for service, name, revision in rows}
    return services, revisions, list(await session.scalars(select(DataServiceWindow)))


async def list_versions_by_name(session: AsyncSession, names: Sequence[tuple[str, str]]) -> list[DataServiceVersion]:
    """Return versions by service and name."""
    if not names:
        return []
    version = DataServiceVersion
    query = select(version).where(tuple_(version.service, version.version).in_(names))
    return list(await session.scalars(query))


async def get_data_service(session: AsyncSession, caller: Caller, code: str) -> DataService:
    """Return a service that a caller answers for. Raises DataServiceUnknown."""
    found = await session.get(DataService, code)
    if found is None or not caller.may_see(found.agency):
        raise DataServiceUnknown("No such data service.")
    return found


async def lock_data_service(session: AsyncSession, code: str) -> DataService | None:
    """Return a service, held until the transaction ends; None when there is none."""
    return await session.get(DataService, code, with_for_update=True)


async def list_versions(session: AsyncSession, codes: Sequence[str]) -> list[DataServiceVersion]:
    """Return the versions of services, the newest first."""
    query = select(DataServiceVersion).where(DataServiceVersion.service.in_(codes))
    return sorted(await session.scalars(query), key=lambda one: int(one.version[1:]), reverse=True)


async def find_version(session: AsyncSession, code: str, version: str) -> DataServiceVersion | None:
    """Return a version of a service."""
    return await session.get(DataServiceVersion, (code, version))


async def list_windows(session: AsyncSession, codes: Sequence[str], after: datetime) -> list[DataServiceWindow]:
    """Return the maintenance windows of services that end after a moment, by their beginning."""
    window = DataServiceWindow
    query = select(window).where(window.service.in_(codes), window.ends_at > after).order_by(window.starts_at)
    return list(await session.scalars(query))


async def list_data_service_changes(session: AsyncSession, code: str, *, before: int | None) -> list[DataServiceChange]:
    """Return what was done to a service, the newest first, a page at most."""
    change = DataServiceChange
    query = select(change).where(change.service == code)
    if before is not None:
        query = query.where(change.id < before)
    return list(await session.scalars(query.order_by(change.id.desc()).limit(PAGE_MAX)))


async def list_clients_of(session: AsyncSession, service: str) -> list[tuple[Client, ClientGrant]]:
    """Return the active clients that are granted something at a service, by id, a page at most."""
    query = (
        select(Client, ClientGrant)
        .join(ClientGrant, ClientGrant.client_id == Client.client_id)
        .where(Client.active, ClientGrant.service.in_([service, "*"]))
        .order_by(Client.client_id, ClientGrant.place)
        .limit(PAGE_MAX)
    )
    return [(client, grant) for client, grant in await session.execute(query)]


async def list_failures(
    session: AsyncSession, caller: Caller, *, service: str | None, since: datetime | None
) -> list[tuple[DataServiceFailure, int, int]]:
    """Return failures by cause, the latest first; of its calls, how many are kept and how many got through since."""
    failure, call = DataServiceFailure, DataServiceCall
    of_it = select(func.count()).where(call.fingerprint == failure.fingerprint).correlate(failure)
    kept = of_it.where(call.sealed.is_not(None)).scalar_subquery()
    sent_again = of_it.where(call.done_at.is_not(None)).scalar_subquery()
    query = select(failure, kept, sent_again).join(DataService, DataService.code == failure.service)
    query = query.where(_within(caller))
    if service:
        query = query.where(failure.service == service)
    if since:
        query = query.where(failure.last_at >= since)
    found = await session.execute(query.order_by(failure.last_at.desc()).limit(PAGE_MAX))
    return [(one, int(count), int(done)) for one, count, done in found]


async def list_kept_calls(
    session: AsyncSession,
    service: str,
    *,
    fingerprint: str | None = None,
    ids: Sequence[UUID] | None = None,
    client_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = PAGE_MAX,
) -> list[DataServiceCall]:
    """Return a service's calls that can be sent again, in the order in which they failed."""
    call = DataServiceCall
    query = select(call).where(call.service == service, call.sealed.is_not(None))
    if fingerprint is not None:
        query = query.where(call.fingerprint == fingerprint)
    if ids is not None:
        query = query.where(call.id.in_(ids))
    if client_id is not None:
        query = query.where(call.client_id == client_id)
    if since is not None:
        query = query.where(call.failed_at >= since)
    if until is not None:
        query = query.where(call.failed_at <= until)
    return list(await session.scalars(query.order_by(call.failed_at, call.id).limit(limit)))


async def get_rerun(session: AsyncSession, caller: Caller, rerun_id: UUID, *, lock: bool = False) -> DataServiceRerun:
    """Return a re-run at a service that a caller answers for. Raises NotFound."""
    found = await session.get(DataServiceRerun, rerun_id, with_for_update=lock)
    if found is None:
        raise NotFound("No such re-run.")
    await get_data_service(session, caller, found.service)
    return found


async def list_reruns(session: AsyncSession, caller: Caller) -> list[DataServiceRerun]:
    """Return the re-runs at services that a caller answers for, the newest first."""
    rerun = DataServiceRerun
    query = select(rerun).join(DataService, DataService.code == rerun.service).where(_within(caller))
    return list(await session.scalars(query.order_by(rerun.asked_at.desc()).limit(PAGE_MAX)))


async def count_outcomes(session: AsyncSession, rerun_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many calls of re-runs came out how; `open` are those not sent yet."""
    call = DataServiceRerunCall
    outcome = func.coalesce(call.outcome, "open")
    query = select(call.rerun_id, outcome, func.count()).where(call.rerun_id.in_(rerun_ids))
    found: dict[UUID, dict[str, int]] = {one: {} for one in rerun_ids}
    for rerun_id, name, count in await session.execute(query.group_by(call.rerun_id, outcome)):
        found[rerun_id][name] = int(count)
    return found


async def list_rerun_calls(
    session: AsyncSession, rerun_id: UUID, *, after: int
) -> list[tuple[DataServiceRerunCall, str | None]]:
    """Return the calls of a re-run with their correlation ids, in order, a page at most."""
    call = DataServiceRerunCall
    query = (
        select(call, DataServiceCall.correlation_id)
        .outerjoin(DataServiceCall, DataServiceCall.id == call.call_id)
        .where(call.rerun_id == rerun_id, call.nth > after)
        .order_by(call.nth)
        .limit(PAGE_MAX)
    )
    return [(one, correlation) for one, correlation in await session.execute(query)]
