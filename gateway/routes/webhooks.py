"""Webhooks: subscriptions and their deliveries."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import Query, Request, Response

from gateway import queries
from gateway.errors import InvalidCursor
from gateway.models import Delivery, DeliveryAttempt, Subscription
from gateway.operations import subscribing
from gateway.operations.subscribing import Wish
from gateway.schemas.webhooks import (
    AttemptOut,
    ChangeSubscriptionBody,
    DeliveryOut,
    DeliveryPage,
    EnableBody,
    ResendAnswer,
    ResendBody,
    RotateBody,
    SubscribeBody,
    SubscriptionMade,
    SubscriptionOut,
    SubscriptionPage,
)
from gateway.states import CATALOGUE_EVENTS
from shared.events.registry import EVENTS
from shared.http import CallerDep, SessionDep, WorkDep, needs
from shared.http import router as make_router
from shared.work import Work
from shared.writes import AnsweredOnce

READ, WRITE = "webhooks:read", "webhooks:write"
LIST_MAX = 200
KNOWN_EVENTS = sorted(set(EVENTS) - CATALOGUE_EVENTS)
_NUMBER = re.compile(r"\d{1,18}")

router = make_router("webhooks", prefix="/api/v1/subscriptions")
Limit = Annotated[int, Query(ge=1, le=LIST_MAX)]


@router.get("", dependencies=[needs(READ)])
async def list_subscriptions(
    session: SessionDep, caller: CallerDep, cursor: UUID | None = None, limit: Limit = 50
) -> SubscriptionPage:
    """List the subscriptions of your agency and those below it."""
    found = await queries.list_subscriptions(session, caller, after=cursor, limit=limit)
    owed = await queries.count_owed_messages(session, [one.id for one in found])
    return SubscriptionPage(
        items=[_shown(one, owed.get(one.id, 0)) for one in found],
        next_cursor=str(found[-1].id) if len(found) == limit else None,
    )


@router.post("", status_code=201, dependencies=[needs(WRITE)], response_model=SubscriptionMade)
async def subscribe(request: Request, work: WorkDep, body: SubscribeBody) -> Response:
    """Subscribe an address to changes. The answer holds the secret to verify messages with; it is told this once."""
    await request.app.state.outgoing.check(body.url)
    subscription, secret = await subscribing.subscribe(
        work,
        request.app.state.sealer,
        wish=Wish(body.url, body.event_types, body.description, body.agency, body.procedure),
        after=queries.from_cursor(body.cursor) if body.cursor else None,
        known_events=KNOWN_EVENTS,
    )
    return _told_once(subscription, secret, owed=0, status=201)


@router.get("/{subscription_id}", dependencies=[needs(READ)])
async def get_subscription(session: SessionDep, caller: CallerDep, subscription_id: UUID) -> SubscriptionOut:
    """Read a subscription: whether messages get through, what is owed, why it was disabled."""
    found = await queries.get_subscription(session, caller, subscription_id)
    return _shown(found, (await queries.count_owed_messages(session, [found.id])).get(found.id, 0))


@router.patch("/{subscription_id}", dependencies=[needs(WRITE)])
async def change_subscription(
    request: Request, work: WorkDep, subscription_id: UUID, body: ChangeSubscriptionBody
) -> SubscriptionOut:
    """Change address, event types, filters or description; an explicit null takes a filter away."""
    found = await _locked(work, subscription_id)
    if body.url is not None:
        await request.app.state.outgoing.check(body.url)
    given = body.model_fields_set
    wish = Wish(
        body.url or found.url,
        body.event_types or found.event_types,
        found.description if body.description is None else body.description,
        body.agency if "agency" in given else found.only_agency,
        body.procedure if "procedure" in given else found.only_procedure,
    )
    return await _answer(work, await subscribing.change_subscription(work, found, wish=wish, known_events=KNOWN_EVENTS))


@router.delete("/{subscription_id}", status_code=204, dependencies=[needs(WRITE)])
async def unsubscribe(work: WorkDep, subscription_id: UUID) -> Response:
    """End a subscription, with what is owed to it and its history."""
    await subscribing.unsubscribe(work, await _locked(work, subscription_id))
    return Response(status_code=204)


@router.post("/{subscription_id}/disable", dependencies=[needs(WRITE)])
async def disable(work: WorkDep, subscription_id: UUID) -> SubscriptionOut:
    """Tell it nothing for now; nothing is lost."""
    return await _answer(work, await subscribing.disable(work, await _locked(work, subscription_id)))


@router.post("/{subscription_id}/enable", dependencies=[needs(WRITE)])
async def enable(work: WorkDep, subscription_id: UUID, body: EnableBody) -> SubscriptionOut:
    """Tell it again, from where it stopped or only of what comes from now on."""
    found = await _locked(work, subscription_id)
    return await _answer(work, await subscribing.enable(work, found, from_now=body.resume == "from_now"))


@router.post("/{subscription_id}/rotate-secret", dependencies=[needs(WRITE)], response_model=SubscriptionMade)
async def rotate_secret(request: Request, work: WorkDep, subscription_id: UUID, body: RotateBody) -> Response:
    """Make another secret, told this once; until the overlap is over messages carry both signatures."""
    found = await _locked(work, subscription_id)
    secret = await subscribing.rotate_secret(
        work, request.app.state.sealer, found, overlap=timedelta(seconds=body.overlap_s)
    )
    owed = (await queries.count_owed_messages(work.session, [found.id])).get(found.id, 0)
    return _told_once(found, secret, owed=owed, status=200)


@router.post("/{subscription_id}/test", status_code=202, dependencies=[needs(WRITE)])
async def send_test(work: WorkDep, subscription_id: UUID) -> DeliveryOut:
    """Send a message about nothing; read what became of it under its id."""
    found = await _locked(work, subscription_id)
    about = {"type": subscribing.TEST_EVENT, "timestamp": work.now, "data": {"subscription_id": str(found.id)}}
    message = await subscribing.send_test(work, found, body=orjson.dumps(about).decode())
    return _delivery(message, [])


@router.get("/{subscription_id}/deliveries", dependencies=[needs(READ)])
async def list_deliveries(
    session: SessionDep,
    caller: CallerDep,
    subscription_id: UUID,
    outcome: Literal["owed", "delivered", "failed", "skipped"] | None = None,
    dossier_code: Annotated[str | None, Query(pattern=r"^[0-9A-Za-z_.\-]{1,60}$")] = None,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """List messages of the last days, the latest first, with every attempt."""
    if cursor is not None and not _NUMBER.fullmatch(cursor):
        raise InvalidCursor("Use a cursor as it was given, or none to start from the latest.")
    found = await queries.get_subscription(session, caller, subscription_id)
    wanted = queries.DeliveryFilter(outcome=outcome, dossier_code=dossier_code)
    rows = await queries.list_deliveries(session, found, wanted, before=int(cursor) if cursor else None, limit=limit)
    attempts = await queries.list_attempts(session, [row.nth for row in rows])
    return DeliveryPage(
        items=[_delivery(row, attempts) for row in rows],
        next_cursor=str(rows[-1].nth) if len(rows) == limit else None,
    )


@router.get("/{subscription_id}/deliveries/{message_id}", dependencies=[needs(READ)])
async def get_delivery(session: SessionDep, caller: CallerDep, subscription_id: UUID, message_id: UUID) -> DeliveryOut:
    """Read what became of a message."""
    found = await queries.get_subscription(session, caller, subscription_id)
    message = await queries.get_delivery(session, found, message_id)
    return _delivery(message, await queries.list_attempts(session, [message.nth]))


@router.post("/{subscription_id}/deliveries/{message_id}/resend", status_code=202, dependencies=[needs(WRITE)])
async def resend_one(work: WorkDep, subscription_id: UUID, message_id: UUID) -> ResendAnswer:
    """Send one message again, under the same id."""
    found = await _locked(work, subscription_id)
    await subscribing.resend_one(work, await queries.get_delivery(work.session, found, message_id))
    return ResendAnswer(messages=1)


@router.post("/{subscription_id}/resend", status_code=202, dependencies=[needs(WRITE)])
async def resend(work: WorkDep, subscription_id: UUID, body: ResendBody) -> ResendAnswer:
    """Send a range of messages again, or all that failed, each under the same id."""
    found = await _locked(work, subscription_id)
    wanted = queries.DeliveryFilter(body.outcome, body.dossier_code, body.since, body.until)
    return ResendAnswer(messages=await subscribing.resend(work, found, wanted))


async def _locked(work: Work, subscription_id: UUID) -> Subscription:
    return await queries.get_subscription(work.session, work.caller, subscription_id, lock=True)


async def _answer(work: Work, found: Subscription) -> SubscriptionOut:
    return _shown(found, (await queries.count_owed_messages(work.session, [found.id])).get(found.id, 0))


def _shown(found: Subscription, owed: int) -> SubscriptionOut:
    return SubscriptionOut.model_validate(_values(found, owed))


def _values(found: Subscription, owed: int) -> dict[str, object]:
    own = SubscriptionOut.model_fields.keys() - {"owed_messages", "cursor"}
    return {name: getattr(found, name) for name in own} | {
        "owed_messages": owed,
        "cursor": queries.to_cursor(found.position),
    }


def _told_once(found: Subscription, secret: str, *, owed: int, status: int) -> AnsweredOnce:
    told, kept = (
        SubscriptionMade.model_validate(_values(found, owed) | {"secret": one}).model_dump_json().encode()
        for one in (secret, None)
    )
    headers = {"Location": f"/api/v1/subscriptions/{found.id}", "Cache-Control": "no-store"}
    return AnsweredOnce(told, kept=kept, status_code=status, media_type="application/json", headers=headers)


def _delivery(message: Delivery, attempts: Sequence[DeliveryAttempt]) -> DeliveryOut:
    return DeliveryOut(
        id=message.id,
        event_type=message.event_type,
        dossier_code=message.dossier_code,
        outcome=message.outcome,
        created_at=message.created_at,
        finished_at=message.finished_at,
        next_attempt_at=None if message.finished_at else message.next_attempt_at,
        attempts=[AttemptOut.model_validate(one) for one in attempts if one.delivery_nth == message.nth],
    )
