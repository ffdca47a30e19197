"""Subscribing to webhooks: making, changing and ending a subscription, its secrets, and what is sent again."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Update, delete, text, update

from gateway import queries
from gateway.errors import SealingKeyMissing, SubscriptionsFull
from gateway.models import Delivery, Subscription
from gateway.operations.folding import CHANNEL
from gateway.webhooks import signing
from shared.blobs.sealer import Sealer
from shared.errors import FieldError, Forbidden, InvalidRequest
from shared.ids import new_id
from shared.work import Work

SUBSCRIPTIONS_MAX = 50
"""Of one client."""
RESEND_MAX = 10_000
"""In one call."""
TEST_EVENT = "motcua.webhook.test.v1"
_WAKE = text("SELECT pg_notify(:channel, '')")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be told of, and where."""

    url: str
    event_types: Sequence[str]
    description: str = ""
    only_agency: str | None = None
    only_procedure: str | None = None


def checked_patterns(patterns: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return patterns of event types, each of which some event has. Raises InvalidRequest."""
    wrong = [
        FieldError(
            f"body.event_types.{place}",
            "No event has such a name; `*` stands for anything, as in intake.dossier.*",
            "Không có sự kiện nào có tên này.",
        )
        for place, pattern in enumerate(patterns)
        if not fnmatch.filter(known, pattern)
    ]
    if wrong:
        raise InvalidRequest(errors=wrong)
    return list(dict.fromkeys(patterns))


async def subscribe(
    work: Work, sealer: Sealer, *, wish: Wish, after: int | None, known_events: Sequence[str]
) -> tuple[Subscription, str]:
    """Make a subscription and its secret, which is told this once.

    It is told of what comes after a position of the feed, None for its present end. The address was vetted before.
    Raises SubscriptionsFull, SealingKeyMissing, Forbidden (a client without an agency), InvalidRequest.
    """
    if work.caller.agency is None:
        raise Forbidden("A client without an agency may see no dossier, and is told of none.")
    if await queries.count_subscriptions(work.session, work.caller.client_id) >= SUBSCRIPTIONS_MAX:
        raise SubscriptionsFull(f"At most {SUBSCRIPTIONS_MAX} subscriptions a client.")
    subscription_id, secret = new_id(), signing.new_secret()
    subscription = Subscription(
        id=subscription_id,
        client_id=work.caller.client_id,
        agency=work.caller.agency,
        inherited=sorted(work.caller.inherited),
        url=wish.url,
        description=wish.description,
        event_types=checked_patterns(wish.event_types, known_events),
        only_agency=wish.only_agency,
        only_procedure=wish.only_procedure,
        secret=_sealed(sealer, subscription_id, secret),
        enabled=True,
        position=await queries.last_position(work.session) if after is None else after,
        created_at=work.now,
        changed_at=work.now,
    )
    work.session.add(subscription)
    await wake(work)
    return subscription, secret


def _sealed(sealer: Sealer, subscription_id: UUID, secret: str) -> bytes:
    if not sealer:
        raise SealingKeyMissing("MOTCUA_SEALING_KEYS has no key.")
    return signing.sealed(sealer, subscription_id, secret)


async def change_subscription(
    work: Work, subscription: Subscription, *, wish: Wish, known_events: Sequence[str]
) -> Subscription:
    """Change what a subscription is told of and where; what is owed already goes to the new address."""
    subscription.url, subscription.description = wish.url, wish.description
    subscription.event_types = checked_patterns(wish.event_types, known_events)
    subscription.only_agency, subscription.only_procedure = wish.only_agency, wish.only_procedure
    subscription.changed_at = work.now
    await wake(work)
    return subscription


async def disable(work: Work, subscription: Subscription) -> Subscription:
    """Tell it nothing for now; its place in the feed and what is owed stay."""
    if subscription.enabled:
        subscription.enabled, subscription.disabled_because, subscription.disabled_at = False, "asked", work.now
    subscription.changed_at = work.now
    return subscription


async def enable(work: Work, subscription: Subscription, *, from_now: bool) -> Subscription:
    """Tell it again: from where it stopped, or only of what comes from now on."""
    subscription.enabled, subscription.disabled_because, subscription.disabled_at = True, None, None
    subscription.failing_since, subscription.changed_at = None, work.now
    owed = update(Delivery).where(Delivery.subscription_id == subscription.id, Delivery.finished_at.is_(None))
    if from_now:
        subscription.position = await queries.last_position(work.session)
        await work.session.execute(owed.values(finished_at=work.now, outcome="skipped"))
    else:
        await work.session.execute(owed.values(tries=0, next_attempt_at=work.now))
    await wake(work)
    return subscription


async def rotate_secret(work: Work, sealer: Sealer, subscription: Subscription, *, overlap: timedelta) -> str:
    """Make another secret and return it, told this once; the one before signs too until the overlap is over."""
    secret = signing.new_secret()
    subscription.old_secret = subscription.secret if overlap else None
    subscription.old_secret_until = work.now + overlap if overlap else None
    subscription.secret = _sealed(sealer, subscription.id, secret)
    subscription.changed_at = work.now
    await wake(work)
    return secret


async def unsubscribe(work: Work, subscription: Subscription) -> None:
    """End a subscription, with what it is owed and its history."""
    await work.session.execute(delete(Subscription).where(Subscription.id == subscription.id))


async def send_test(work: Work, subscription: Subscription, *, body: str) -> Delivery:
    """Owe a subscription a message that is about nothing."""
    message = Delivery(
        id=new_id(),
        subscription_id=subscription.id,
        dossier_code="",
        event_type=TEST_EVENT,
        body=body,
        created_at=work.now,
        tries=0,
        attempts=0,
        next_attempt_at=work.now,
    )
    work.session.add(message)
    await wake(work)
    return message


async def resend(work: Work, subscription: Subscription, wanted: queries.DeliveryFilter) -> int:
    """Owe a subscription again what was delivered, given up or skipped; return how many, RESEND_MAX at most.

    Each goes out under its own id, and in its place among the messages of its dossier.
    """
    chosen = queries.finished_of(subscription, wanted, limit=RESEND_MAX)
    return await _owe_again(work, update(Delivery).where(Delivery.nth.in_(chosen)))


async def resend_one(work: Work, message: Delivery) -> None:
    """Owe one message again."""
    await _owe_again(work, update(Delivery).where(Delivery.nth == message.nth))


async def _owe_again(work: Work, messages: Update) -> int:
    again = messages.values(finished_at=None, outcome=None, tries=0, next_attempt_at=work.now)
    done = await work.session.execute(again)
    await wake(work)
    return getattr(done, "rowcount", 0)


async def wake(work: Work) -> None:
    """Wake the courier when this is committed."""
    await work.session.execute(_WAKE, {"channel": CHANNEL})
