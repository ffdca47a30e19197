"""Exchanging electronic documents: handed in once, for several recipients, each of which says how far it is."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import (
    EdocAgencyExists,
    EdocAgencyUnknown,
    EdocChanged,
    EdocExpired,
    EdocInvalid,
    EdocOrder,
    EdocUnknown,
    SealingKeyMissing,
)
from gateway.models import Edoc, EdocAgency, EdocRecipient
from gateway.operations.envelope import RECEIPT_CODES, Envelope, read_envelope, write_receipt
from shared import clock, log
from shared.blobs.sealer import Sealer
from shared.db import Database
from shared.errors import FieldError
from shared.ids import new_id
from shared.work import Work

TIDY_S = 600
EXPIRE_BATCH = 100
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_LOCK_KEY = 0x65646F63  # "edoc": held to the commit, so that places in inboxes are given in commit order
INITIAL, PROCESSING, DONE, FAIL = "INITIAL", "PROCESSING", "DONE", "FAIL"
MOVES: dict[str, frozenset[str]] = {
    INITIAL: frozenset({PROCESSING, FAIL}),
    PROCESSING: frozenset({DONE, FAIL}),
    FAIL: frozenset({PROCESSING}),
    DONE: frozenset(),
}
"""Which way a recipient goes; one that failed may take it up again."""

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How documents are kept."""

    sealer: Sealer
    days: float


async def hand_in(work: Work, keeping: Keeping, *, content: bytes) -> tuple[Edoc, bool]:
    """Take a document for its recipients, exactly once by its sender and the sender's id; tell whether it is new.

    Raises EdocInvalid (also when the sender is not the caller's agency, or a recipient takes no part), EdocChanged
    (this id came with other content), SealingKeyMissing.
    """
    envelope = read_envelope(content)
    await _check_parties(work, envelope)
    await work.session.execute(_LOCK, {"key": _LOCK_KEY})
    known = await queries.find_edoc_of(work.session, envelope.sender, envelope.document_id)
    if known is not None:
        if known.sha256 != hashlib.sha256(content).hexdigest():
            raise EdocChanged("Give another document another id.", docId=str(known.id))
        return known, False
    edoc = await _keep(work, keeping, envelope.sender, envelope.document_id, envelope.recipients, content)
    return edoc, True


async def _check_parties(work: Work, envelope: Envelope) -> None:
    if not work.caller.may_see(envelope.sender):
        error = FieldError("MessageHeader/From/OrganId", "This is not your agency.", "Không phải cơ quan của bạn.")
        raise EdocInvalid("Send in your own agency's name.", errors=[error])
    missing = set(envelope.recipients) - await queries.active_edoc_agencies(work.session, envelope.recipients)
    if missing:
        errors = [FieldError("MessageHeader/To/OrganId", f"{code} takes no part.") for code in sorted(missing)]
        raise EdocInvalid("Not all recipients can be reached.", errors=errors)


async def _keep(
    work: Work,
    keeping: Keeping,
    sender: str,
    document_id: str,
    recipients: Sequence[str],
    content: bytes,
    *,
    about: UUID | None = None,
) -> Edoc:
    if not keeping.sealer:
        raise SealingKeyMissing("MOTCUA_SEALING_KEYS has no key.")
    edoc_id = new_id()
    edoc = Edoc(
        id=edoc_id,
        sender=sender,
        document_id=document_id,
        kind="receipt" if about else "edoc",
        about=about,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        content=keeping.sealer.seal(content, _purpose(edoc_id)),
        sent_by=work.caller.client_id,
        sent_at=work.now,
        expires_at=work.now + timedelta(days=keeping.days),
    )
    work.session.add(edoc)
    await work.session.flush()
    work.session.add_all(
        EdocRecipient(edoc_id=edoc_id, agency=one, progress=INITIAL, changed_at=work.now) for one in recipients
    )
    await work.session.flush()
    return edoc


def opened(keeping: Keeping, edoc: Edoc) -> bytes:
    """Return a document's content. Raises EdocExpired, Unopenable."""
    if edoc.content is None:
        raise EdocExpired
    return keeping.sealer.open(edoc.content, _purpose(edoc.id))


def _purpose(edoc_id: UUID) -> str:
    return f"edoc {edoc_id}"


async def report(
    work: Work, keeping: Keeping, *, edoc_id: UUID, progress: str, agency: str | None, note: str | None
) -> EdocRecipient:
    """Say how far a recipient is; DONE and FAIL send a receipt to the document's sender.

    The same again changes nothing. Raises EdocUnknown (no document for the caller's agencies), EdocInvalid (several
    of them are recipients and none is named), EdocOrder, EdocExpired.
    """
    edoc, _ = await queries.get_edoc(work.session, work.caller, edoc_id)
    recipient = _one_of(work, await queries.lock_recipients(work.session, work.caller, edoc_id), agency)
    if recipient.progress == progress:
        return recipient
    if progress not in MOVES[recipient.progress]:
        possible = sorted(MOVES[recipient.progress])
        raise EdocOrder(
            f"From {recipient.progress} it goes to {' or '.join(possible) or 'nothing'}.", possible=possible
        )
    if edoc.content is None:
        raise EdocExpired
    # Whole it is told in the receipt alone, which lies sealed.
    recipient.progress, recipient.note, recipient.changed_at = progress, note and log.masked(note), work.now
    if progress in RECEIPT_CODES and edoc.kind != "receipt":
        await _send_receipt(work, keeping, edoc, recipient, note)
    return recipient


def _one_of(work: Work, recipients: Sequence[EdocRecipient], agency: str | None) -> EdocRecipient:
    wanted = agency or (work.caller.agency if len(recipients) > 1 else None)
    found = [one for one in recipients if wanted in {None, one.agency}]
    if len(found) == 1:
        return found[0]
    if not recipients or agency:
        raise EdocUnknown("No such document for this agency.")
    raise EdocInvalid(errors=[FieldError("body.agency", "Several of your agencies are recipients: name one.")])


async def _send_receipt(work: Work, keeping: Keeping, edoc: Edoc, recipient: EdocRecipient, note: str | None) -> None:
    await work.session.execute(_LOCK, {"key": _LOCK_KEY})
    content = write_receipt(
        sender=recipient.agency,
        recipient=edoc.sender,
        about=edoc.id,
        document_id=edoc.document_id,
        progress=recipient.progress,
        note=note,
        at=work.now,
    )
    receipt_id = f"receipt:{new_id()}"
    await _keep(work, keeping, recipient.agency, receipt_id, [edoc.sender], content, about=edoc.id)


async def add_agency(work: Work, agency: EdocAgency) -> EdocAgency:
    """Let an agency take part; one that was cancelled takes part again. Raises EdocAgencyExists, EdocAgencyUnknown."""
    if not work.caller.may_see(agency.code):
        raise EdocAgencyUnknown("Register your own agency and those below it.")
    known = await work.session.get(EdocAgency, agency.code, with_for_update=True)
    if known is not None and known.cancelled_at is None:
        raise EdocAgencyExists(f"{agency.code} takes part already.")
    return await work.session.merge(agency)


async def cancel_agency(work: Work, code: str) -> EdocAgency:
    """Let an agency take part no more; what is in its inbox stays. Raises EdocAgencyUnknown."""
    known = await work.session.get(EdocAgency, code, with_for_update=True)
    if known is None or not work.caller.may_see(code):
        raise EdocAgencyUnknown(f"No agency {code}.")
    known.cancelled_at = known.cancelled_at or work.now
    return known


_EXPIRED = text(
    """
    WITH old AS (SELECT id FROM edoc WHERE content IS NOT NULL AND expires_at <= :now ORDER BY expires_at LIMIT :most
                 FOR UPDATE SKIP LOCKED),
         late AS (UPDATE edoc_recipient AS r SET progress = 'FAIL', note = 'expired', changed_at = :now
                  FROM old WHERE r.edoc_id = old.id AND r.progress IN ('INITIAL', 'PROCESSING'))
    UPDATE edoc SET content = NULL FROM old WHERE edoc.id = old.id RETURNING edoc.id
    """
)


async def expire(session: AsyncSession, now: datetime) -> int:
    """Erase the content of documents whose time is over; who had not taken them in has failed to. Return how many."""
    done = len((await session.execute(_EXPIRED, {"now": now, "most": EXPIRE_BATCH})).all())
    await session.commit()
    return done


async def expire_for_ever(database: Database) -> None:
    """Erase what expires, for ever."""
    while True:
        try:
            async with database.session() as session:
                while await expire(session, clock.now()) == EXPIRE_BATCH:
                    pass
        except Exception as problem:
            _log.warning("edocs.database_away", reason=type(problem).__name__)
        await asyncio.sleep(TIDY_S)
