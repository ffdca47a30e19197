"""Who may call, with what, and who changed it."""

import base64
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, exists, false, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from gateway.errors import ClientUnknown, InvalidCursor
from gateway.models import Client, ClientChange, ClientGrant, ClientKey, ClientSecret
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller

CREDENTIALS_MAX = 50
"""Newest secrets, or keys, of one client that are listed."""
_CURSOR = re.compile(rb"[\x21-\x7e]{1,100}")


@dataclass(frozen=True, slots=True)
class Ending:
    """Something of a client that ends by itself."""

    client_id: str
    name: str
    agency: str | None
    kind: str
    """`secret`, `key` or `client`."""
    id: str
    ends_at: datetime
    last: bool
    """The client has nothing else to prove itself with for longer than this, or ends itself."""


async def find_client(session: AsyncSession, client_id: str) -> Client | None:
    """Return a client, active or not."""
    return await session.get(Client, client_id)


async def get_client(session: AsyncSession, caller: Caller, client_id: str) -> Client:
    """Return a client that the caller may know of. Raises ClientUnknown."""
    return _known(caller, client_id, await session.get(Client, client_id))


async def lock_client(session: AsyncSession, caller: Caller, client_id: str) -> Client:
    """Return a client that the caller may know of, locked. Raises ClientUnknown."""
    return _known(caller, client_id, await session.get(Client, client_id, with_for_update=True))


def _known(caller: Caller, client_id: str, client: Client | None) -> Client:
    if client is None or not caller.may_see(client.agency):
        raise ClientUnknown(f"No client {client_id} is known.")
    return client


async def list_clients(
    session: AsyncSession,
    caller: Caller,
    *,
    after: str,
    limit: int,
    agency: str | None = None,
    scope: str | None = None,
    active: bool | None = None,
) -> Sequence[Client]:
    """Return clients of the agencies that the caller may see, in order of id, one more than asked for if there is."""
    query = select(Client).where(Client.client_id > after, or_(false(), *_within(Client.agency, caller)))
    if agency is not None:
        query = query.where(_below(Client.agency, agency))
    if scope is not None:
        query = query.where(Client.scopes.contains([scope]))
    if active is not None:
        query = query.where(Client.active.is_(active))
    return (await session.scalars(query.order_by(Client.client_id).limit(min(limit, PAGE_MAX) + 1))).all()


async def list_grants(session: AsyncSession, client_ids: Sequence[str]) -> dict[str, list[ClientGrant]]:
    """Return the grants of clients, in their order."""
    query = select(ClientGrant).where(ClientGrant.client_id.in_(client_ids))
    found: dict[str, list[ClientGrant]] = defaultdict(list)
    for grant in await session.scalars(query.order_by(ClientGrant.client_id, ClientGrant.place)):
        found[grant.client_id].append(grant)
    return found


async def list_secrets(session: AsyncSession, client_id: str) -> Sequence[ClientSecret]:
    """Return a client's secrets, the newest first, ended ones too."""
    query = select(ClientSecret).where(ClientSecret.client_id == client_id)
    return (await session.scalars(query.order_by(ClientSecret.id.desc()).limit(CREDENTIALS_MAX))).all()


async def list_keys(session: AsyncSession, client_id: str) -> Sequence[ClientKey]:
    """Return a client's keys, the newest first, ended ones too."""
    query = select(ClientKey).where(ClientKey.client_id == client_id)
    return (await session.scalars(query.order_by(ClientKey.id.desc()).limit(CREDENTIALS_MAX))).all()


async def list_live_secrets(session: AsyncSession, client_id: str, now: datetime) -> Sequence[ClientSecret]:
    """Return the secrets that hold at a moment."""
    query = select(ClientSecret).where(ClientSecret.client_id == client_id, *_live(ClientSecret, now))
    return (await session.scalars(query.order_by(ClientSecret.id))).all()


async def list_live_keys(session: AsyncSession, client_id: str, now: datetime) -> Sequence[ClientKey]:
    """Return the keys that hold at a moment."""
    query = select(ClientKey).where(ClientKey.client_id == client_id, *_live(ClientKey, now))
    return (await session.scalars(query.order_by(ClientKey.id))).all()


def _live(kind: type[ClientSecret] | type[ClientKey], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return kind.revoked_at.is_(None), or_(kind.expires_at.is_(None), kind.expires_at > now)


async def list_client_changes(
    session: AsyncSession, client_id: str, *, before: int | None, limit: int
) -> Sequence[ClientChange]:
    """Return what was changed about a client, the newest first, one more than asked for if there is."""
    query = select(ClientChange).where(ClientChange.client_id == client_id)
    if before is not None:
        query = query.where(ClientChange.id < before)
    return (await session.scalars(query.order_by(ClientChange.id.desc()).limit(min(limit, PAGE_MAX) + 1))).all()


async def list_endings(
    session: AsyncSession, caller: Caller | None, *, now: datetime, until: datetime, limit: int = PAGE_MAX
) -> list[Ending]:
    """Return what ends of active clients by itself until a moment, the soonest first; a caller of None sees all."""
    ending = union_all(
        *(
            select(kind.client_id, literal(name).label("kind"), cast(kind.id, Text).label("id"), kind.expires_at).where(
                *_live(kind, now), kind.expires_at <= until
            )
            for kind, name in ((ClientSecret, "secret"), (ClientKey, "key"))
        ),
        select(Client.client_id, literal("client"), Client.client_id, Client.valid_until).where(
            Client.valid_until > now, Client.valid_until <= until
        ),
    ).subquery("ending")
    end = ending.c.expires_at
    lasting = [
        exists().where(
            kind.client_id == Client.client_id,
            kind.revoked_at.is_(None),
            or_(kind.expires_at.is_(None), kind.expires_at > end),
        )
        for kind in (ClientSecret, ClientKey)
    ]
    last = or_(ending.c.kind == "client", ~or_(*lasting))
    query = (
        select(Client.client_id, Client.name, Client.agency, ending.c.kind, ending.c.id, end, last)
        .join(ending, ending.c.client_id == Client.client_id)
        .where(Client.active, or_(Client.valid_until.is_(None), Client.valid_until > now))
    )
    if caller is not None:
        query = query.where(or_(false(), *_within(Client.agency, caller)))
    rows = await session.execute(query.order_by(end, Client.client_id, ending.c.id).limit(min(limit, PAGE_MAX)))
    return [Ending(*row) for row in rows]


def _within(column: InstrumentedAttribute[str | None], caller: Caller) -> list[ColumnElement[bool]]:
    return [_below(column, own) for own in caller.agencies]


def _below(column: InstrumentedAttribute[str | None], agency: str) -> ColumnElement[bool]:
    return or_(column == agency, column.startswith(f"{agency}.", autoescape=True))


def text_cursor(key: str) -> str:
    """Return the cursor that stands for a page's last key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def from_text_cursor(cursor: str | None) -> str:
    """Return the key that a cursor stands for, empty for none; raises InvalidCursor."""
    if not cursor:
        return ""
    try:
        found = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        found = b""
    if not _CURSOR.fullmatch(found):
        raise InvalidCursor("Use a cursor as it was given, or none to start from the beginning.")
    return found.decode()
