"""HTTP in: the register of systems that may call."""

import re
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import ClientChanged, InvalidCursor
from gateway.models import Client, ClientSecret
from gateway.operations import clients, credentials
from gateway.operations.rights import Rights
from gateway.schemas import clients as given
from shared import clock
from shared.bodies import EntityTag
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses
from shared.http import router as make_router
from shared.writes import AnsweredOnce

READ, WRITE = "clients:read", "clients:write"
LIMIT_DEFAULT, LIMIT_MAX = 50, 200
WITHIN_DAYS, WITHIN_DAYS_MAX = 30, 400
_VERSION = re.compile(r'(?:W/)?"([0-9]{1,15})"')
_DIGITS = re.compile(r"[0-9]{1,18}")

router = make_router("clients", prefix="/api/v1/clients")


async def _held(request: Request) -> Rights:
    return request.state.rights


HeldDep = Annotated[Rights, Depends(_held)]
"""The caller's own rights at data services."""
ClientIdPath = Annotated[
    str, Path(min_length=2, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["one-stop"])
]
IfMatch = Annotated[EntityTag | None, Header(description='The ETag of the client as you read it: "7".')]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get("", dependencies=[needs(READ)])
async def list_clients(
    session: SessionDep,
    caller: CallerDep,
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    agency: Annotated[str | None, Query(max_length=40, pattern=r"^[0-9A-Za-z_.]+$")] = None,
    scope: Annotated[str | None, Query(max_length=60, pattern=r"^[a-z0-9:-]+$")] = None,
    active: bool | None = None,
) -> given.ClientPage:
    """List the clients of the caller's agency and those below it, in order of id."""
    after = queries.from_text_cursor(cursor)
    found = await queries.list_clients(
        session, caller, after=after, limit=limit, agency=agency, scope=scope, active=active
    )
    shown = found[:limit]
    grants = await queries.list_grants(session, [client.client_id for client in shown])
    return given.ClientPage(
        items=[given.ClientOut.of(client, grants.get(client.client_id, [])) for client in shown],
        next_cursor=queries.text_cursor(shown[-1].client_id) if len(found) > limit else None,
    )


@router.get("/expiring", dependencies=[needs(READ)])
async def list_endings(
    session: SessionDep,
    caller: CallerDep,
    within_days: Annotated[int, Query(ge=1, le=WITHIN_DAYS_MAX)] = WITHIN_DAYS,
) -> given.EndingList:
    """List the secrets, keys and registrations of active clients that end by themselves soon."""
    now = clock.now()
    until = now + timedelta(days=within_days)
    found = await queries.list_endings(session, caller, now=now, until=until)
    return given.EndingList(until=until, items=[given.EndingOut.model_validate(one) for one in found])


@router.post("", status_code=201, dependencies=[needs(WRITE)])
async def register_client(
    work: WorkDep, held: HeldDep, response: Response, body: given.RegisterClient
) -> given.ClientOut:
    """Register a client. It can do nothing before it has a secret or a key."""
    grants = [grant.grant() for grant in body.grants]
    client = await clients.register_client(work, held, grants=grants, values=body.model_dump(exclude={"grants"}))
    response.headers["Location"] = f"/api/v1/clients/{client.client_id}"
    return await _shown(work.session, response, client)


@router.get("/{client_id}", dependencies=[needs(READ)])
async def get_client(
    session: SessionDep, caller: CallerDep, response: Response, client_id: ClientIdPath
) -> given.ClientOut:
    """Show a client; its ETag goes into If-Match of a change."""
    return await _shown(session, response, await queries.get_client(session, caller, client_id))


@router.patch("/{client_id}", dependencies=[needs(WRITE)], responses=problem_responses(412, 428))
async def change_client(
    work: WorkDep,
    held: HeldDep,
    response: Response,
    client_id: ClientIdPath,
    body: given.ChangeClient,
    if_match: IfMatch = None,
) -> given.ClientOut:
    """Change what the body names of a client, in the version that If-Match names."""
    values = body.model_dump(exclude_unset=True)
    version = _version(if_match)
    client = await clients.change_client(work, held, client_id=client_id, if_version=version, values=values)
    return await _shown(work.session, response, client)


@router.post("/{client_id}/deactivate", dependencies=[needs(WRITE)])
async def deactivate_client(
    work: WorkDep, response: Response, client_id: ClientIdPath, body: given.Deactivate
) -> given.ClientOut:
    """Shut a client out at once, its tokens too; `active: true` lets it in again."""
    client = await clients.deactivate_client(work, client_id=client_id, reason=body.reason)
    return await _shown(work.session, response, client)


@router.put("/{client_id}/grants", dependencies=[needs(WRITE)], responses=problem_responses(412, 428))
async def set_grants(
    work: WorkDep,
    held: HeldDep,
    response: Response,
    client_id: ClientIdPath,
    body: given.SetGrants,
    if_match: IfMatch = None,
) -> given.ClientOut:
    """Set a client's rights at data services, all of them, in the version that If-Match names."""
    grants = [grant.grant() for grant in body.grants]
    version = _version(if_match)
    client = await clients.set_grants(work, held, client_id=client_id, if_version=version, grants=grants)
    return await _shown(work.session, response, client)


@router.get("/{client_id}/secrets", dependencies=[needs(READ)])
async def list_secrets(session: SessionDep, caller: CallerDep, client_id: ClientIdPath) -> given.SecretList:
    """List a client's secrets, the newest first; never what they are."""
    await queries.get_client(session, caller, client_id)
    now = clock.now()
    found = await queries.list_secrets(session, client_id)
    return given.SecretList(items=[given.SecretOut.of(row, now) for row in found])


@router.post("/{client_id}/secrets", status_code=201, dependencies=[needs(WRITE)], response_model=given.SecretMade)
async def add_secret(work: WorkDep, held: HeldDep, client_id: ClientIdPath, body: given.AddSecret) -> Response:
    """Make one more secret. It is told this once; the repeated key is answered without it."""
    return _told_once(
        work.now, *await credentials.add_secret(work, held, client_id=client_id, expires_at=body.expires_at)
    )


@router.post(
    "/{client_id}/secrets/rotate", status_code=201, dependencies=[needs(WRITE)], response_model=given.SecretMade
)
async def rotate_secret(work: WorkDep, held: HeldDep, client_id: ClientIdPath, body: given.RotateSecret) -> Response:
    """Make a secret; the earlier ones still hold for the overlap and then end by themselves."""
    overlap = timedelta(days=body.overlap_days)
    made = await credentials.add_secret(work, held, client_id=client_id, expires_at=body.expires_at, overlap=overlap)
    return _told_once(work.now, *made)


@router.post("/{client_id}/secrets/{credential_id}/revoke", dependencies=[needs(WRITE)])
async def revoke_secret(work: WorkDep, client_id: ClientIdPath, credential_id: UUID) -> given.SecretOut:
    """End a secret at once; tokens already given hold until they expire."""
    found = await credentials.revoke_secret(work, client_id=client_id, secret_id=credential_id)
    return given.SecretOut.of(found, work.now)


@router.get("/{client_id}/keys", dependencies=[needs(READ)])
async def list_keys(session: SessionDep, caller: CallerDep, client_id: ClientIdPath) -> given.KeyList:
    """List a client's public keys, the newest first."""
    await queries.get_client(session, caller, client_id)
    now = clock.now()
    found = await queries.list_keys(session, client_id)
    return given.KeyList(items=[given.KeyOut.of(row, now) for row in found])


@router.post("/{client_id}/keys", status_code=201, dependencies=[needs(WRITE)])
async def add_key(work: WorkDep, held: HeldDep, client_id: ClientIdPath, body: given.AddKey) -> given.KeyOut:
    """Take one more public key, for signed assertions (private_key_jwt)."""
    found = await credentials.add_key(work, held, client_id=client_id, jwk=body.jwk, expires_at=body.expires_at)
    return given.KeyOut.of(found, work.now)


@router.post("/{client_id}/keys/rotate", status_code=201, dependencies=[needs(WRITE)])
async def rotate_key(work: WorkDep, held: HeldDep, client_id: ClientIdPath, body: given.RotateKey) -> given.KeyOut:
    """Take a public key; the earlier ones still hold for the overlap and then end by themselves."""
    overlap = timedelta(days=body.overlap_days)
    found = await credentials.add_key(
        work, held, client_id=client_id, jwk=body.jwk, expires_at=body.expires_at, overlap=overlap
    )
    return given.KeyOut.of(found, work.now)


@router.post("/{client_id}/keys/{key_id}/revoke", dependencies=[needs(WRITE)])
async def revoke_key(work: WorkDep, client_id: ClientIdPath, key_id: UUID) -> given.KeyOut:
    """End a key at once; tokens already given hold until they expire."""
    found = await credentials.revoke_key(work, client_id=client_id, key_id=key_id)
    return given.KeyOut.of(found, work.now)


@router.get("/{client_id}/changes", dependencies=[needs(READ)])
async def list_changes(
    session: SessionDep,
    caller: CallerDep,
    client_id: ClientIdPath,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> given.ClientChangePage:
    """List who changed what about a client and when, the newest first."""
    await queries.get_client(session, caller, client_id)
    found = await queries.list_client_changes(session, client_id, before=_before(cursor), limit=limit)
    shown = found[:limit]
    return given.ClientChangePage(
        items=[given.ClientChangeOut.model_validate(row) for row in shown],
        next_cursor=queries.text_cursor(str(shown[-1].id)) if len(found) > limit else None,
    )


def _told_once(now: datetime, row: ClientSecret, secret: str) -> AnsweredOnce:
    shown = given.SecretOut.of(row, now).model_dump()
    told, kept = (given.SecretMade(**shown, secret=value).model_dump_json().encode() for value in (secret, None))
    return AnsweredOnce(
        told, kept=kept, status_code=201, media_type="application/json", headers={"Cache-Control": "no-store"}
    )


async def _shown(session: AsyncSession, response: Response, client: Client) -> given.ClientOut:
    response.headers["ETag"] = f'"{client.version}"'
    grants = await queries.list_grants(session, [client.client_id])
    return given.ClientOut.of(client, grants.get(client.client_id, []))


def _version(if_match: str | None) -> int | None:
    """Return the version that If-Match names. Raises ClientChanged for what is no ETag of ours."""
    if if_match is None:
        return None
    found = _VERSION.fullmatch(if_match.strip())
    if not found:
        raise ClientChanged("If-Match is the ETag of the client as you read it.")
    return int(found.group(1))


def _before(cursor: str | None) -> int | None:
    text = queries.from_text_cursor(cursor)
    if text and not _DIGITS.fullmatch(text):
        raise InvalidCursor("Use a cursor as it was given, or none to start from the newest.")
    return int(text) if text else None
