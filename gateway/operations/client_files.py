"""The file of clients, read at every start: how a system begins, before anybody can register anybody.

An entry is taken over when it is new or was changed since it was taken over last; what was changed through the API
since then stays. A changed entry is the whole truth of its client, but for secrets and keys made through the API.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import Client, ClientGrant, ClientKey, ClientSecret
from gateway.operations.clients import tell_change
from gateway.operations.credentials import read_public_key
from shared import clock
from shared.caller import Caller
from shared.db import Database
from shared.ids import new_id
from shared.work import Work, open_work

FILE = Caller("file")
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('clients file', 0))")


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of the file."""

    client_id: str
    values: dict[str, Any]
    secrets: tuple[str, ...]
    keys: tuple[Mapping[str, Any], ...]
    grants: tuple[Mapping[str, Any], ...]
    digest: str


def read_clients(content: str | bytes) -> list[Listed]:
    """Return what a file lists. Raises KeyError, ValueError for one that is none."""
    return [_listed(one) for one in json.loads(content)]


def _listed(one: Mapping[str, Any]) -> Listed:
    secret = one.get("secret_sha256")
    values = {
        "name": one["name"],
        "agency": one.get("agency"),
        "scopes": list(one["scopes"]),
        "active": one.get("active", True),
        "valid_from": _moment(one.get("valid_from")),
        "valid_until": _moment(one.get("valid_until")),
        "networks": list(one.get("networks", ())),
        "calls_per_minute": one.get("calls_per_minute"),
        "calls_per_day": one.get("calls_per_day"),
        "concurrency_max": one.get("concurrency_max"),
        "certificates": list(one.get("certificates", ())),
        "certificate_bound": one.get("certificate_bound", False),
    }
    return Listed(
        client_id=one["client_id"],
        values=values,
        secrets=(secret,) if secret else (),
        keys=tuple(one.get("keys", ())),
        grants=tuple(one.get("grants", ())),
        digest=hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest(),
    )


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


async def register_clients(database: Database, clients_file: str) -> int:
    """Take over the entries of a file that are new or changed; returns how many those were."""
    listed = read_clients(Path(clients_file).read_bytes())  # noqa: ASYNC240 - once, before anything else runs
    async with open_work(database, FILE) as work:
        # Replicas that start together take turns.
        await work.session.execute(_TURN)
        query = select(Client.client_id, Client.file_sha256).where(
            Client.client_id.in_([one.client_id for one in listed])
        )
        known = {row.client_id: row.file_sha256 for row in await work.session.execute(query)}
        fresh = [one for one in listed if known.get(one.client_id) != one.digest]
        for one in fresh:
            await _take_over(work, one)
    return len(fresh)


async def _take_over(work: Work, one: Listed) -> None:
    values = {"client_id": one.client_id, "file_sha256": one.digest, **one.values}
    statement = insert(Client).values(**values)
    changed = {name: statement.excluded[name] for name in values if name != "client_id"}
    await work.session.execute(statement.on_conflict_do_update(index_elements=[Client.client_id], set_=changed))
    await _replace(work.session, one.client_id, ClientSecret, "sha256", {digest: {} for digest in one.secrets})
    public = (read_public_key(jwk) for jwk in one.keys)
    await _replace(
        work.session, one.client_id, ClientKey, "thumbprint", {print_: {"jwk": jwk} for jwk, print_ in public}
    )
    await _set_grants(work.session, one)
    detail = {"scopes": one.values["scopes"], "agency": one.values["agency"], "active": one.values["active"]}
    await tell_change(work, one.client_id, "read_from_file", detail)


async def _replace(
    session: AsyncSession,
    client_id: str,
    kind: type[ClientSecret] | type[ClientKey],
    identity: str,
    listed: Mapping[str, Mapping[str, Any]],
) -> None:
    """Let the credentials that the file lists hold, and those end that it listed before.

    One that was revoked through the API stays so, whatever the file says.
    """
    now, file = clock.now(), FILE.client_id
    rows = (await session.scalars(select(kind).where(kind.client_id == client_id))).all()
    for row in rows:
        if row.created_by == file and getattr(row, identity) not in listed and row.revoked_at is None:
            row.revoked_at, row.revoked_by = now, file
        elif getattr(row, identity) in listed and row.revoked_by == file:
            row.revoked_at = row.revoked_by = None
    known = {getattr(row, identity) for row in rows}
    for value, more in listed.items():
        if value not in known:
            made = {"id": new_id(), "client_id": client_id, "created_at": now, "created_by": file}
            session.add(kind(**made, **{identity: value}, **more))
    await session.flush()


async def _set_grants(session: AsyncSession, one: Listed) -> None:
    await session.execute(delete(ClientGrant).where(ClientGrant.client_id == one.client_id))
    session.add_all(
        ClientGrant(
            client_id=one.client_id,
            place=place,
            service=grant["service"],
            methods=_sorted(grant.get("methods", ())),
            paths=list(grant.get("paths", ())),
        )
        for place, grant in enumerate(one.grants)
    )
    await session.flush()


def _sorted(methods: Sequence[str]) -> list[str]:
    return sorted(method.upper() for method in methods)
