"""Reconciliation: a provider's day compared with the ledger; one person explains a difference, another resolves it.

A comparison can be run as often as anybody wants: what was found before is kept with its explanation, what is no
longer found is cleared. Resolving moves the difference between what the provider holds (clearing) and suspense, so
that afterwards the ledger says what the provider says.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import orjson

from services.payment import queries
from services.payment.errors import DifferenceClosed, NothingToCompare, NothingToRecord, SecondPersonNeeded
from services.payment.models import Difference, Reconciliation, Statement, StatementLine
from services.payment.operations import ledger
from services.payment.operations.money import Money, take_money
from services.payment.queries import AttemptKey, Ours
from services.payment.states import DifferenceKind, LineStatus, Provider, Resolution
from shared.ids import new_id
from shared.work import Work


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction of a provider's statement; whole đồng."""

    transaction_number: str
    amount_vnd: int
    status: LineStatus = LineStatus.SUCCESS
    reference: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a provider, for the money of an agency and all below it."""

    agency_code: str
    provider: Provider
    day: date


@dataclass(slots=True)
class _Theirs:
    """All that a statement says of one transaction."""

    first: StatementLine
    successes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    kind: DifferenceKind
    transaction_number: str
    ours_vnd: int
    theirs_vnd: int

    @property
    def key(self) -> tuple[str, str, int, int]:
        return (self.kind, self.transaction_number, self.ours_vnd, self.theirs_vnd)


async def take_statement(work: Work, of: Day, lines: Sequence[Line], *, source: str) -> Reconciliation:
    """Keep a provider's statement of a day and compare it with the ledger; the same statement is kept once."""
    content = [(line.transaction_number, line.amount_vnd, line.status, line.reference, line.paid_at) for line in lines]
    sha256 = hashlib.sha256(orjson.dumps(content)).hexdigest()
    found = await open_reconciliation(work, of)
    statement = await queries.find_statement(work.session, of.agency_code, of.provider, of.day, sha256)
    if statement is None:
        statement = _new_statement(work, of, lines, sha256=sha256, source=source)
        await work.session.flush()
    found.statement_id, found.ask_at = statement.id, None
    await _compare(work, found, statement.id)
    return found


async def open_reconciliation(work: Work, of: Day) -> Reconciliation:
    """Lock the reconciliation of a provider's day; make it when there is none."""
    found = await queries.lock_reconciliation_of(work.session, of.agency_code, of.provider, of.day)
    if found is None:
        found = Reconciliation(
            id=new_id(),
            agency_code=of.agency_code,
            provider=of.provider.value,
            day=of.day,
            **dict.fromkeys(
                ("ours_count", "ours_vnd", "theirs_count", "theirs_vnd", "matched_count", "matched_vnd"), 0
            ),
        )
        work.session.add(found)
        await work.session.flush()
    return found


async def ask_provider(work: Work, of: Day) -> Reconciliation:
    """Let the provider be asked how each attempt of a day stands; the comparison follows when it has answered."""
    found = await open_reconciliation(work, of)
    found.ask_at = work.now
    return found


async def plan_question(work: Work, of: Day) -> None:
    """Let the provider be asked about a day that nobody has compared yet; once, however often this is called."""
    known = await queries.lock_reconciliation_of(work.session, of.agency_code, of.provider, of.day)
    if known is None:
        await ask_provider(work, of)


async def compare_again(work: Work, *, reconciliation_id: UUID) -> Reconciliation:
    """Compare a day with its statement once more. Raises ReconciliationNotFound, NothingToCompare."""
    found = await queries.get_reconciliation(work.session, reconciliation_id, work.caller)
    if found.statement_id is None:
        raise NothingToCompare("Take the provider's statement of this day first.")
    await open_reconciliation(work, Day(found.agency_code, Provider(found.provider), found.day))
    await _compare(work, found, found.statement_id)
    return found


async def explain_difference(work: Work, *, difference_id: UUID, explanation: str, note: str) -> Difference:
    """Say where a difference comes from. Raises DifferenceNotFound, DifferenceClosed."""
    difference = await _lock_open(work, difference_id)
    difference.explanation, difference.note = explanation, note
    difference.explained_by, difference.explained_at = work.caller.client_id, work.now
    return difference


async def resolve_difference(work: Work, *, difference_id: UUID, resolution: Resolution) -> Difference:
    """Resolve a difference that somebody else has explained.

    Raises DifferenceNotFound, DifferenceClosed, SecondPersonNeeded, NothingToRecord.
    """
    difference = await _lock_open(work, difference_id)
    if difference.explained_by is None or difference.explained_by == work.caller.client_id:
        raise SecondPersonNeeded("One person explains a difference, another one resolves it.")
    found = await work.session.get_one(Reconciliation, difference.reconciliation_id)
    if resolution == Resolution.RECORD:
        await _record(work, found, difference)
    else:
        await _adjust(work, found, difference)
    difference.resolution = resolution.value
    difference.resolved_by, difference.resolved_at = work.caller.client_id, work.now
    return difference


async def _lock_open(work: Work, difference_id: UUID) -> Difference:
    difference = await queries.lock_difference(work.session, difference_id, work.caller)
    if difference.resolved_at is not None or difference.cleared_at is not None:
        raise DifferenceClosed(difference_id=difference.id)
    return difference


async def _record(work: Work, found: Reconciliation, difference: Difference) -> None:
    """Take money that the provider has and never told us of: it settles its fee, or its refund is requested."""
    if difference.kind != DifferenceKind.THEIRS_ONLY or difference.reference is None or difference.paid_at is None:
        raise NothingToRecord("Only money that the ledger lacks, for an attempt that the provider names, is recorded.")
    money = Money(difference.transaction_number, difference.theirs_vnd, difference.paid_at)
    await take_money(work, attempt=AttemptKey(Provider(found.provider), difference.reference), money=money)


async def _adjust(work: Work, found: Reconciliation, difference: Difference) -> None:
    """Move what differs between clearing and suspense: as it stands now, for money may have come since it was found."""
    number = difference.transaction_number
    ours = (await queries.list_ours(work.session, found, [number])).get(number)
    ledger.post_adjusted(
        work,
        agency_code=difference.agency_code,
        provider=found.provider,
        transaction_number=number,
        more_vnd=difference.theirs_vnd - (ours.amount_vnd if ours else 0),
        on_date=found.day,
        note=f"{difference.explanation}: {difference.note}",
    )


def _new_statement(work: Work, of: Day, lines: Sequence[Line], *, sha256: str, source: str) -> Statement:
    statement = Statement(
        id=new_id(),
        agency_code=of.agency_code,
        provider=of.provider.value,
        day=of.day,
        source=source,
        sha256=sha256,
        line_count=len(lines),
        taken_at=work.now,
        taken_by=work.caller.client_id,
    )
    work.session.add(statement)
    for position, line in enumerate(lines, start=1):
        work.session.add(
            StatementLine(
                statement_id=statement.id,
                position=position,
                transaction_number=line.transaction_number,
                reference=line.reference,
                amount_vnd=line.amount_vnd,
                status=line.status.value,
                paid_at=line.paid_at,
            )
        )
    return statement


async def _compare(work: Work, found: Reconciliation, statement_id: UUID) -> None:
    theirs = _by_transaction(await queries.list_statement_lines(work.session, statement_id))
    ours = await queries.list_ours(work.session, found, theirs)
    alone = [number for number, one in ours.items() if one.of_day and number not in theirs]
    elsewhere = await queries.list_elsewhere(work.session, found, alone)
    differences = [
        difference
        for number in sorted({*theirs, *alone} - elsewhere)
        if (difference := _difference(number, ours.get(number), theirs.get(number))) is not None
    ]
    await _keep_differences(work, found, differences, ours, theirs)
    odd = {difference.transaction_number for difference in differences}
    matched = [sum(one.successes) for number, one in theirs.items() if one.successes and number not in odd]
    kept = [one.amount_vnd for number, one in ours.items() if one.amount_vnd and number not in elsewhere]
    successes = [sum(one.successes) for one in theirs.values() if one.successes]
    found.ours_count, found.ours_vnd = len(kept), sum(kept)
    found.theirs_count, found.theirs_vnd = len(successes), sum(successes)
    found.matched_count, found.matched_vnd = len(matched), sum(matched)
    found.compared_at, found.compared_by = work.now, work.caller.client_id


def _by_transaction(lines: Iterable[StatementLine]) -> dict[str, _Theirs]:
    theirs: dict[str, _Theirs] = {}
    for line in lines:
        one = theirs.setdefault(line.transaction_number, _Theirs(line))
        if line.status == LineStatus.SUCCESS:
            one.successes.append(line.amount_vnd)
    return theirs


def _difference(number: str, ours: Ours | None, theirs: _Theirs | None) -> _Found | None:
    """Return how the two sides differ about a transaction, None when they do not."""
    ours_vnd = ours.amount_vnd if ours else 0
    theirs_vnd = sum(theirs.successes) if theirs else 0
    if ours_vnd == theirs_vnd:
        return None
    if theirs is not None and len(theirs.successes) > 1:
        kind = DifferenceKind.DUPLICATE
    elif not ours_vnd:
        kind = DifferenceKind.THEIRS_ONLY
    elif theirs is None:
        kind = DifferenceKind.OURS_ONLY
    else:
        kind = DifferenceKind.AMOUNT if theirs_vnd else DifferenceKind.STATUS
    return _Found(kind, number, ours_vnd, theirs_vnd)


async def _keep_differences(
    work: Work,
    found: Reconciliation,
    differences: Sequence[_Found],
    ours: dict[str, Ours],
    theirs: dict[str, _Theirs],
) -> None:
    """Add what is new, clear what is gone, and open again what has come back; what is resolved stays so."""
    known: dict[tuple[str, str, int, int], Difference] = defaultdict()
    for row in await queries.list_known_differences(work.session, found.id):
        known[row.kind, row.transaction_number, row.ours_vnd, row.theirs_vnd] = row
    keys = {difference.key for difference in differences}
    for key, row in known.items():
        row.cleared_at = None if key in keys else row.cleared_at or work.now
    for difference in differences:
        if difference.key not in known:
            number = difference.transaction_number
            line = theirs[number].first if number in theirs else None
            agency = ours[number].agency_code if number in ours else None
            if agency is None and line is not None:
                agency = await queries.find_agency_of_reference(work.session, found.provider, line.reference)
            work.session.add(_new_difference(work, found, difference, line, agency))


def _new_difference(
    work: Work, found: Reconciliation, difference: _Found, line: StatementLine | None, agency: str | None
) -> Difference:
    return Difference(
        id=new_id(),
        reconciliation_id=found.id,
        agency_code=agency or found.agency_code,
        kind=difference.kind.value,
        transaction_number=difference.transaction_number,
        reference=line.reference if line else None,
        ours_vnd=difference.ours_vnd,
        theirs_vnd=difference.theirs_vnd,
        paid_at=line.paid_at if line else None,
        found_at=work.now,
    )
