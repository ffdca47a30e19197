"""Registration of systems: whose they are, what they may do, from where, how often and how long.

Nobody gives a right that he does not hold, nor takes one over by making a credential for a client that has more; the
scope clients:grant lifts both. Every change is kept beside the client and told to every replica's book.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from gateway import queries
from gateway.errors import ClientChanged, ClientExists, ClientVersionMissing, Escalation, ShutsOutOneself
from gateway.models import Client, ClientChange, ClientGrant
from gateway.operations.book import CHANNEL, as_grant
from gateway.operations.rights import Grant, Rights
from shared import log
from shared.errors import FieldError, InvalidRequest
from shared.work import Work

ANY_RIGHT = "clients:grant"
LOOSENING = frozenset(
    {"active", "valid_from", "valid_until", "networks", "certificates", "certificate_bound", "scopes"}
)
QUOTAS = frozenset({"calls_per_minute", "calls_per_day", "concurrency_max"})


async def register_client(
    work: Work, held: Rights, *, values: Mapping[str, Any], grants: Sequence[Grant] = ()
) -> Client:
    """Register a client; it can do nothing before it has a secret or a key.

    `held` are the caller's own rights at data services. Raises ClientExists, Escalation, InvalidRequest.
    """
    client_id: str = values["client_id"]
    _require_own_agency(work, values["agency"])
    _require_held(work, held, values["scopes"], grants)
    _require_order(values)
    columns = {**values, "created_at": work.now, "changed_at": work.now}
    done = await work.session.execute(
        insert(Client).values(**columns).on_conflict_do_nothing().returning(Client.client_id)
    )
    if done.one_or_none() is None:
        raise ClientExists(f"{client_id} is registered already.", client_id=client_id)
    await _write_grants(work, client_id, grants)
    detail = {**values, "grants": [_plain_grant(grant) for grant in grants]}
    await tell_change(work, client_id, "registered", _plain(detail))
    return await queries.get_client(work.session, work.caller, client_id)


async def change_client(
    work: Work, held: Rights, *, client_id: str, if_version: int | None, values: Mapping[str, Any]
) -> Client:
    """Change what is given of a client, in the version that the caller read.

    Raises ClientUnknown, ClientVersionMissing, ClientChanged, Escalation, InvalidRequest.
    """
    client = await _locked_version(work, client_id, if_version)
    changed = {name: value for name, value in values.items() if getattr(client, name) != value}
    if "agency" in changed:
        _require_own_agency(work, changed["agency"])
    if "scopes" in changed:
        _require_held(work, held, sorted(set(changed["scopes"]) - set(client.scopes)), ())
    if client_id == work.caller.client_id and changed.keys() & (LOOSENING | QUOTAS):
        _require_any_right(work, "Another manager has to change what you yourself may do.")
    if changed.get("active") is False:
        _require_another(work, client_id)
    if changed.keys() & LOOSENING or "agency" in changed:
        await require_no_more_than_held(work, held, client)
    _require_order({"valid_from": client.valid_from, "valid_until": client.valid_until, **changed})
    if changed:
        was = {name: getattr(client, name) for name in changed}
        for name, value in changed.items():
            setattr(client, name, value)
        await tell_change(work, client_id, "changed", {"from": _plain(was), "to": _plain(changed)})
    return await _fresh(work, client)


async def deactivate_client(work: Work, *, client_id: str, reason: str) -> Client:
    """Shut a client out, at once and in every replica; its tokens are worth nothing at the door from now on.

    Raises ClientUnknown, ShutsOutOneself.
    """
    client = await queries.lock_client(work.session, work.caller, client_id)
    _require_another(work, client_id)
    if client.active:
        client.active = False
        await tell_change(work, client_id, "deactivated", {"reason": log.masked(reason)})
    return await _fresh(work, client)


async def set_grants(
    work: Work, held: Rights, *, client_id: str, if_version: int | None, grants: Sequence[Grant]
) -> Client:
    """Replace a client's rights at data services.

    Raises ClientUnknown, ClientVersionMissing, ClientChanged, Escalation.
    """
    client = await _locked_version(work, client_id, if_version)
    found = await queries.list_grants(work.session, [client_id])
    before = [as_grant(row) for row in found.get(client_id, [])]
    if before != list(grants):
        _require_held(work, held, (), [grant for grant in grants if grant not in before])
        if client_id == work.caller.client_id:
            _require_any_right(work, "Another manager has to change what you yourself may do.")
        await _write_grants(work, client_id, grants)
        detail = {"from": [_plain_grant(one) for one in before], "to": [_plain_grant(one) for one in grants]}
        await tell_change(work, client_id, "grants_set", detail)
    return await _fresh(work, client)


async def require_no_more_than_held(work: Work, held: Rights, client: Client) -> None:
    """Raise Escalation when a client has rights that the caller lacks: whoever controls it would have them, too."""
    if client.client_id != work.caller.client_id:
        rows = (await queries.list_grants(work.session, [client.client_id])).get(client.client_id, [])
        _require_held(work, held, client.scopes, [as_grant(row) for row in rows])


async def tell_change(work: Work, client_id: str, action: str, detail: Mapping[str, Any]) -> None:
    """Keep who changed what, raise the client's version, and tell every replica when it is committed."""
    work.session.add(
        ClientChange(client_id=client_id, at=work.now, actor=work.caller.client_id, action=action, detail=dict(detail))
    )
    await work.session.flush()
    client = await work.session.get_one(Client, client_id)
    client.version, client.changed_at = client.version + 1, work.now
    await work.session.flush()
    await work.session.execute(select(func.pg_notify(CHANNEL, client_id)))


async def _locked_version(work: Work, client_id: str, if_version: int | None) -> Client:
    client = await queries.lock_client(work.session, work.caller, client_id)
    if if_version is None:
        raise ClientVersionMissing(f'Read the client, and send If-Match with its ETag (now "{client.version}").')
    if if_version != client.version:
        raise ClientChanged("Read the client again and send its ETag as If-Match.", client_id=client_id)
    return client


async def _fresh(work: Work, client: Client) -> Client:
    await work.session.flush()
    await work.session.refresh(client)
    return client


async def _write_grants(work: Work, client_id: str, grants: Sequence[Grant]) -> None:
    await work.session.execute(delete(ClientGrant).where(ClientGrant.client_id == client_id))
    work.session.add_all(
        ClientGrant(
            client_id=client_id,
            place=place,
            service=grant.service,
            methods=sorted(grant.methods),
            paths=list(grant.paths),
        )
        for place, grant in enumerate(grants)
    )
    await work.session.flush()


def _require_own_agency(work: Work, agency: str) -> None:
    if not work.caller.may_see(agency):
        message = "Name your own agency, or one below it."
        raise InvalidRequest(errors=[FieldError("agency", message, "Chỉ được chọn cơ quan của mình hoặc cấp dưới.")])


def _require_held(work: Work, held: Rights, scopes: Sequence[str], grants: Sequence[Grant]) -> None:
    if ANY_RIGHT in work.caller.scopes:
        return
    lacking = sorted(set(scopes) - work.caller.scopes)
    beyond = [_plain_grant(grant) for grant in grants if not held.may_give(grant)]
    if lacking or beyond:
        raise Escalation("You do not hold these yourself.", scopes=lacking, grants=beyond)


def _require_another(work: Work, client_id: str) -> None:
    if client_id == work.caller.client_id:
        raise ShutsOutOneself("The last manager would lock everybody out.")


def _require_any_right(work: Work, message: str) -> None:
    if ANY_RIGHT not in work.caller.scopes:
        raise Escalation(message)


def _require_order(values: Mapping[str, Any]) -> None:
    start, end = values.get("valid_from"), values.get("valid_until")
    if start and end and start >= end:
        message = "It must lie after valid_from."
        raise InvalidRequest(errors=[FieldError("valid_until", message, "Phải sau thời điểm bắt đầu hiệu lực.")])


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def _plain_grant(grant: Grant) -> dict[str, Any]:
    return {"service": grant.service, "methods": sorted(grant.methods), "paths": list(grant.paths)}
